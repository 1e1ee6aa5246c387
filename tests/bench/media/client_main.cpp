// Uploads by tus or downloads, many at once, from and to memory, over libcurl: the same client for every server.
// Prints the seconds from the first byte to the last answer.
#include <curl/curl.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <cstring>
#include <iostream>
#include <random>
#include <thread>

namespace {

struct Options {
    std::string url, ca;
    std::size_t count = 1, bytes = 1 << 20, part = 4 << 20;
    bool get = false;
};

struct Reader {
    const std::string* from;
    std::size_t at, end;
};

std::size_t read_some(char* into, std::size_t size, std::size_t n, void* user) {
    auto& reader = *static_cast<Reader*>(user);
    const auto left = std::min(size * n, reader.end - reader.at);
    std::memcpy(into, reader.from->data() + reader.at % (reader.from->size() / 2), left);
    reader.at += left;
    return left;
}

std::size_t drop(char*, std::size_t size, std::size_t n, void*) { return size * n; }

std::size_t note_location(char* data, std::size_t size, std::size_t n, void* user) {
    std::string line(data, size * n);
    if (strncasecmp(line.c_str(), "location: ", 10) == 0)
        *static_cast<std::string*>(user) = line.substr(10, line.find_last_not_of("\r\n") - 9);
    return size * n;
}

std::string random_id() {
    static constexpr char kHex[] = "0123456789abcdef";
    std::random_device random;
    std::string out;
    for (int i = 0; i < 32; ++i) out += kHex[random() % 16];
    return out;
}

std::string base64(const std::string& text) {
    static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t i = 0; i < text.size(); i += 3) {
        std::uint32_t bits = 0;
        for (std::size_t k = 0; k < 3; ++k)
            bits = bits << 8 | (i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0u);
        for (std::size_t k = 0; k < 4; ++k) out += i + k > text.size() ? '=' : kDigits[bits >> (18 - 6 * k) & 63];
    }
    return out;
}

class Session {
  public:
    explicit Session(const Options& options) : options_(options), curl_(curl_easy_init(), curl_easy_cleanup) {}

    long ask(const std::string& method, const std::string& url, std::vector<std::string> fields, Reader* body) {
        auto* c = curl_.get();
        curl_easy_reset(c);
        fields.insert(fields.end(),
                      {"Tus-Resumable: 1.0.0", "Authorization: Bearer " + std::string(160, 'a'), "Expect:"});
        curl_slist* list = nullptr;
        for (const auto& field : fields) list = curl_slist_append(list, field.c_str());
        curl_easy_setopt(c, CURLOPT_URL, url.c_str());
        if (!options_.ca.empty()) curl_easy_setopt(c, CURLOPT_CAINFO, options_.ca.c_str());
        curl_easy_setopt(c, CURLOPT_BUFFERSIZE, 256L * 1024);
        curl_easy_setopt(c, CURLOPT_UPLOAD_BUFFERSIZE, 256L * 1024);
        curl_easy_setopt(c, CURLOPT_HTTPHEADER, list);
        curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, drop);
        curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, note_location);
        curl_easy_setopt(c, CURLOPT_HEADERDATA, &location);
        if (body != nullptr) {
            curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
            curl_easy_setopt(c, CURLOPT_READFUNCTION, read_some);
            curl_easy_setopt(c, CURLOPT_READDATA, body);
            curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(body->end - body->at));
        } else if (method == "POST") {
            curl_easy_setopt(c, CURLOPT_POSTFIELDS, "");
        }
        curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, method.c_str());
        const auto result = curl_easy_perform(c);
        curl_slist_free_all(list);
        long status = 0;
        curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
        return result == CURLE_OK ? status : -1;
    }
    std::string location;

  private:
    const Options& options_;
    std::unique_ptr<CURL, void (*)(CURL*)> curl_;
};

bool upload(const Options& options, const std::string& noise) {
    Session session(options);
    const auto created = session.ask(
        "POST", options.url,
        {"Upload-Length: " + std::to_string(options.bytes), "Upload-Metadata: id " + base64(random_id())}, nullptr);
    if (created != 201) return false;
    auto url = session.location;
    if (url.starts_with('/')) url = options.url.substr(0, options.url.find('/', 8)) + url;
    for (std::size_t at = 0; at < options.bytes; at += options.part) {
        Reader body{&noise, at, std::min(options.bytes, at + options.part)};
        const auto status = session.ask(
            "PATCH", url, {"Upload-Offset: " + std::to_string(at), "Content-Type: application/offset+octet-stream"},
            &body);
        if (status != 204) return false;
    }
    std::cout << url << '\n';
    return true;
}

bool download(const Options& options) { return Session(options).ask("GET", options.url, {}, nullptr) == 200; }

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Uploads or downloads so many at once; prints URLs and seconds");
    Options options;
    app.add_option("URL", options.url, "Where uploads are created, or what is fetched")->required();
    app.add_option("--count", options.count, "At once");
    app.add_option("--bytes", options.bytes, "Of each upload");
    app.add_option("--part", options.part, "Of each PATCH");
    app.add_option("--ca", options.ca, "PEM");
    app.add_flag("--get", options.get, "Fetch");
    CLI11_PARSE(app, argc, argv);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    std::string noise(2 << 20, '\0');
    std::mt19937_64 chance(1);
    for (std::size_t i = 0; i < noise.size(); i += 8) {
        const auto word = chance();
        std::memcpy(noise.data() + i, &word, 8);
    }
    std::atomic<std::size_t> good = 0;
    const auto began = std::chrono::steady_clock::now();
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < options.count; ++i)
        threads.emplace_back([&] { good += (options.get ? download(options) : upload(options, noise)) ? 1 : 0; });
    for (auto& thread : threads) thread.join();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    std::cout << took.count() << '\n';
    return good == options.count ? 0 : 1;
}
