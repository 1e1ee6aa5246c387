#include "cli/admin_client.hpp"

#include <curl/curl.h>

#include <memory>

namespace nimes::gateway::cli {
namespace {

using Json = nlohmann::json;
constexpr std::size_t kAnswerLimit = 64 * 1024 * 1024;
constexpr long kSilenceSeconds = 60;

std::size_t gather(char* data, std::size_t one, std::size_t n, void* out) {
    auto& text = *static_cast<std::string*>(out);
    if (text.size() + n > kAnswerLimit) return 0;
    text.append(data, one * n);
    return one * n;
}

Result<Json> judge(long status, const std::string& body) {
    auto json = Json::parse(body, nullptr, false);
    if (status < 300) return json.is_discarded() ? Json() : std::move(json);
    if (!json.is_object()) return fail(Errc::internal, "the gateway answered " + std::to_string(status));
    const auto* row = nimes::row(std::string_view(json.value("code", "")));
    return fail(row != nullptr ? row->code : Errc::internal, json.value("detail", ""));
}

}  // namespace

Result<Json> AdminClient::get(const std::string& path) { return request("GET", path, nullptr, {}); }
Result<Json> AdminClient::post(const std::string& path, const Json& body) {
    return request("POST", path, "Content-Type: application/json", body.dump());
}
Result<Json> AdminClient::del(const std::string& path) { return request("DELETE", path, nullptr, {}); }
Result<Json> AdminClient::post_csv(const std::string& path, const std::string& csv) {
    return request("POST", path, "Content-Type: text/csv", csv);
}

Result<Json> AdminClient::request(const char* method, const std::string& path, const char* type,
                                  const std::string& body) {
    const std::unique_ptr<CURL, void (*)(CURL*)> curl(curl_easy_init(), curl_easy_cleanup);
    curl_slist* fields = type != nullptr ? curl_slist_append(nullptr, type) : nullptr;
    if (!token_.empty()) fields = curl_slist_append(fields, ("Authorization: Bearer " + token_).c_str());
    const std::unique_ptr<curl_slist, void (*)(curl_slist*)> headers(fields, curl_slist_free_all);
    std::string answer;
    auto* c = curl.get();
    const auto socket = socket_.string();
    curl_easy_setopt(c, CURLOPT_UNIX_SOCKET_PATH, socket.c_str());
    curl_easy_setopt(c, CURLOPT_URL, ("http://gateway" + path).c_str());
    curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_PROXY, "");
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, kSilenceSeconds);
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers.get());
    if (type != nullptr) {
        curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
        curl_easy_setopt(c, CURLOPT_POSTFIELDS, body.data());
    }
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, gather);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, &answer);
    if (const auto code = curl_easy_perform(c); code != CURLE_OK)
        return fail(Errc::unavailable, "no gateway answers at " + socket + " (" + curl_easy_strerror(code) + ")");
    long status = 0;
    curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
    return judge(status, answer);
}

std::string query_escape(std::string_view text) {
    static constexpr char kHex[] = "0123456789ABCDEF";
    std::string out;
    for (const char ch : text) {
        const auto c = static_cast<unsigned char>(ch);
        const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
                           c == '.' || c == '_' || c == '~';
        if (plain) {
            out += ch;
        } else {
            out += '%';
            out += kHex[c >> 4];
            out += kHex[c & 15];
        }
    }
    return out;
}

}  // namespace nimes::gateway::cli
