#include "transport/probe.hpp"

#include <curl/curl.h>

#include <memory>

namespace nimes::agent::transport {
namespace {

constexpr std::string_view kMqtts = "mqtts://";

}  // namespace

Reached probe(const std::string& url, const std::string& ca_pem, Millis timeout) {
    const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy(curl_easy_init(), curl_easy_cleanup);
    if (!easy) return Reached::nothing;
    // MQTT's TLS is TLS: libcurl connects and hands over.
    const auto at = url.starts_with(kMqtts) ? "https://" + url.substr(kMqtts.size()) : url;
    curl_easy_setopt(easy.get(), CURLOPT_URL, at.c_str());
    curl_easy_setopt(easy.get(), CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(easy.get(), CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(easy.get(), CURLOPT_PROXY, "");
    curl_easy_setopt(easy.get(), CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy.get(), CURLOPT_SSL_ENABLE_ALPN, 0L);
    curl_easy_setopt(easy.get(), CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    curl_blob ca{const_cast<char*>(ca_pem.data()), ca_pem.size(), CURL_BLOB_COPY};
    curl_easy_setopt(easy.get(), CURLOPT_CAINFO_BLOB, &ca);
    curl_easy_setopt(easy.get(), CURLOPT_CAPATH, nullptr);
    curl_easy_setopt(easy.get(), CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(timeout));
    switch (curl_easy_perform(easy.get())) {
        case CURLE_OK:
            return Reached::tls;
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_SSL_ISSUER_ERROR:
        case CURLE_SEND_ERROR:
        case CURLE_RECV_ERROR:
            return Reached::tcp;
        case CURLE_COULDNT_CONNECT:
        case CURLE_OPERATION_TIMEDOUT:
            return Reached::name;
        default:
            return Reached::nothing;
    }
}

}  // namespace nimes::agent::transport
