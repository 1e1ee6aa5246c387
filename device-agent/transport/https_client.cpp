#include "transport/https_client.hpp"

#include <curl/curl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <mutex>

#include "transport/https_answer.hpp"
#include "transport/paced_socket.hpp"

namespace nimes::agent::transport {
namespace {

void start_curl_once() {
    static std::once_flag once;
    std::call_once(once, [] {
        curl_global_init(CURL_GLOBAL_DEFAULT);
        // With CURLOPT_NOSIGNAL libcurl leaves this to the program; Paho does the same. A peer that hangs up is an
        // error value, not the end of the process.
        std::signal(SIGPIPE, SIG_IGN);
    });
}

class HeaderList {
  public:
    HeaderList() = default;
    HeaderList(const HeaderList&) = delete;
    HeaderList& operator=(const HeaderList&) = delete;
    ~HeaderList() { curl_slist_free_all(list_); }
    void add(const std::string& line) {
        if (auto* longer = curl_slist_append(list_, line.c_str()); longer != nullptr) list_ = longer;
    }
    [[nodiscard]] curl_slist* get() const { return list_; }

  private:
    curl_slist* list_ = nullptr;
};

// What libcurl's callbacks work on during one exchange.
struct Exchange {
    const HttpsRequest& request;
    AnswerBuilder answer;
    ByteView left;        // of request.body
    PacedSocket& socket;  // of uploads
    std::optional<Error> failed;
};

template <class Step>
bool guarded(Exchange& exchange, Step step) {
    try {
        auto done = step();
        if (done) return true;
        exchange.failed = done.error();
    } catch (const std::exception&) {  // must not pass through C
        exchange.failed = Error{Errc::internal, "an exception in an exchange"};
    }
    return false;
}

std::size_t on_header(char* data, std::size_t, std::size_t size, void* context) {
    auto& exchange = *static_cast<Exchange*>(context);
    return guarded(exchange, [&] { return exchange.answer.header_line({data, size}); }) ? size : 0;
}

std::size_t on_body(char* data, std::size_t, std::size_t size, void* context) {
    auto& exchange = *static_cast<Exchange*>(context);
    return guarded(exchange, [&] { return exchange.answer.body(as_bytes({data, size})); }) ? size : 0;
}

std::size_t on_read(char* data, std::size_t, std::size_t size, void* context) {
    auto& exchange = *static_cast<Exchange*>(context);
    const std::span<std::uint8_t> into(reinterpret_cast<std::uint8_t*>(data), size);
    if (!exchange.request.reader) {
        const auto n = std::min(size, exchange.left.size());
        std::copy_n(exchange.left.begin(), n, into.begin());
        exchange.left = exchange.left.subspan(n);
        return n;
    }
    std::size_t read = 0;
    const bool ok = guarded(exchange, [&]() -> Result<void> {
        auto n = exchange.request.reader(into);
        if (!n) return pass(n);
        read = std::min(*n, size);
        return {};
    });
    return ok ? read : CURL_READFUNC_ABORT;
}

// libcurl asks for it when a kept-alive connection turned out to be dead.
int on_seek(void* context, curl_off_t offset, int origin) {
    auto& exchange = *static_cast<Exchange*>(context);
    if (exchange.request.reader || origin != SEEK_SET || offset != 0) return CURL_SEEKFUNC_CANTSEEK;
    exchange.left = exchange.request.body;
    return CURL_SEEKFUNC_OK;
}

int on_progress(void* context, curl_off_t, curl_off_t received, curl_off_t, curl_off_t sent) {
    auto& exchange = *static_cast<Exchange*>(context);
    if (exchange.request.stop.stop_requested()) return 1;
    if (exchange.request.reader) exchange.socket.steer(SystemClock().boot());
    if (!exchange.request.progress) return 0;
    const bool ok = guarded(exchange, [&]() -> Result<void> {
        exchange.request.progress(static_cast<std::uint64_t>(sent), static_cast<std::uint64_t>(received));
        return {};
    });
    return ok ? 0 : 1;
}

// What waits in this host's queue is in front of everything that is said after it, on a link that all connections
// share: little may wait, and what is in flight is PacedSocket's affair.
int on_socket(void* context, curl_socket_t fd, curlsocktype) {
    static_cast<PacedSocket*>(context)->opened(fd);
    const int most = HttpsClient::kUnsent;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &most, sizeof most);  // an old kernel: slower chat, no error
    return CURL_SOCKOPT_OK;
}

int on_close(void* context, curl_socket_t fd) {
    static_cast<PacedSocket*>(context)->closed(fd);
    return close(fd);
}

Error error_of(CURLcode code) {
    switch (code) {
        case CURLE_OPERATION_TIMEDOUT:
            return {Errc::timed_out, "nothing moved"};
        case CURLE_ABORTED_BY_CALLBACK:
            return {Errc::busy, "stopped"};
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_SSL_ISSUER_ERROR:
            return {Errc::offline, "the server's certificate is not one of the provisioned authority for this host"};
        case CURLE_SSL_CONNECT_ERROR:
            return {Errc::offline, "no TLS 1.2 or newer with the server"};
        case CURLE_UNSUPPORTED_PROTOCOL:
        case CURLE_URL_MALFORMAT:
            return {Errc::bad_config, "the gateway's URL"};
        case CURLE_WEIRD_SERVER_REPLY:
        case CURLE_BAD_CONTENT_ENCODING:
            return {Errc::malformed, "not an HTTP answer"};
        default:
            return {Errc::offline, "the connection failed, libcurl code " + std::to_string(code)};
    }
}

}  // namespace

struct HttpsClient::Impl {
    HttpsOptions options;
    TokenSource token;
    PacedSocket socket;
    CURL* curl = nullptr;

    Result<HttpsAnswer> once(const HttpsRequest& request);
    void apply_connection(const HttpsRequest& request);
    void apply_body(Exchange& exchange);
    Result<void> add_headers(HeaderList& list, const HttpsRequest& request);
};

HttpsClient::HttpsClient(HttpsOptions options, TokenSource token) : impl_(std::make_unique<Impl>()) {
    start_curl_once();
    impl_->options = std::move(options);
    impl_->token = std::move(token);
    impl_->curl = curl_easy_init();
}

HttpsClient::~HttpsClient() { curl_easy_cleanup(impl_->curl); }

const std::string& HttpsClient::base_url() const { return impl_->options.base_url; }

void HttpsClient::Impl::apply_connection(const HttpsRequest& request) {
    const auto url = options.base_url + request.path;
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    // The blob replaces the default bundle but not the default directory, which would bring every public CA back.
    curl_blob ca{options.ca_pem.data(), options.ca_pem.size(), CURL_BLOB_COPY};
    curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &ca);
    curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, static_cast<long>(options.connect_timeout_s));
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, static_cast<long>(options.total_timeout_s));
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, static_cast<long>(options.idle_timeout_s));
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(curl, CURLOPT_SOCKOPTFUNCTION, on_socket);
    curl_easy_setopt(curl, CURLOPT_SOCKOPTDATA, &socket);
    curl_easy_setopt(curl, CURLOPT_CLOSESOCKETFUNCTION, on_close);
    curl_easy_setopt(curl, CURLOPT_CLOSESOCKETDATA, &socket);
}

void HttpsClient::Impl::apply_body(Exchange& exchange) {
    const auto& request = exchange.request;
    const auto length = request.reader ? request.reader_length : request.body.size();
    if (request.method == "HEAD") {
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    } else if (request.reader || length > 0) {
        curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(length));
    } else if (request.method != "GET") {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, 0L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "");
    }
    if (request.method != "HEAD") curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(curl, CURLOPT_READDATA, &exchange);
    curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, on_seek);
    curl_easy_setopt(curl, CURLOPT_SEEKDATA, &exchange);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &exchange);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &exchange);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &exchange);
}

Result<void> HttpsClient::Impl::add_headers(HeaderList& list, const HttpsRequest& request) {
    for (const auto& [name, value] : request.headers) list.add(name + ": " + value);
    list.add("Expect:");  // a second's wait for each upload otherwise
    if (!request.with_token) return {};
    if (!token) return fail(Errc::token_missing);
    auto minted = token(options.base_url);
    if (!minted) return pass(minted);
    list.add("Authorization: Bearer " + *minted);
    return {};
}

Result<HttpsAnswer> HttpsClient::Impl::once(const HttpsRequest& request) {
    if (curl == nullptr) return fail(Errc::internal, "libcurl cannot start");
    if (!options.base_url.starts_with("https://")) return fail(Errc::bad_config, "the gateway's URL is not https");
    if (request.stop.stop_requested()) return fail(Errc::busy, "stopped");
    curl_easy_reset(curl);  // keeps connections
    socket.begin();
    Exchange exchange{request, AnswerBuilder(request, options.max_body), request.body, socket, {}};
    HeaderList headers;
    if (auto added = add_headers(headers, request); !added) return pass(added);
    apply_connection(request);
    apply_body(exchange);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
    const auto code = curl_easy_perform(curl);
    if (exchange.failed) return tl::unexpected<Error>(std::move(*exchange.failed));
    if (code != CURLE_OK) return tl::unexpected<Error>(error_of(code));
    return std::move(exchange.answer).finish();
}

Result<HttpsAnswer> HttpsClient::exchange(const HttpsRequest& request) {
    auto answer = impl_->once(request);
    const bool again = answer && answer->status == 401 && request.with_token && !request.reader;
    return again ? impl_->once(request) : std::move(answer);
}

namespace {
Result<HttpsAnswer> accepted(Result<HttpsAnswer> answer) {
    if (answer && !answer->ok()) return tl::unexpected<Error>(transport::error_of(*answer));
    return answer;
}
}  // namespace

Result<HttpsAnswer> HttpsClient::get(std::string path, bool with_token) {
    HttpsRequest request;
    request.path = std::move(path);
    request.with_token = with_token;
    return accepted(exchange(request));
}

Result<HttpsAnswer> HttpsClient::post(std::string path, std::string content_type, ByteView body, bool with_token) {
    HttpsRequest request;
    request.method = "POST";
    request.path = std::move(path);
    request.headers = {{"Content-Type", std::move(content_type)}};
    request.body = body;
    request.with_token = with_token;
    return accepted(exchange(request));
}

}  // namespace nimes::agent::transport
