#include "wake/waker.hpp"

#include <curl/curl.h>
#include <unistd.h>

#include <atomic>
#include <list>
#include <mutex>
#include <thread>

namespace nimes::gateway::wake {
namespace {

constexpr std::size_t kMostRead = 4 * 1024;
constexpr Millis kIdle = kMinute;
constexpr long kMostHeader = 16 * 1024;

struct Transfer {
    DeviceId device;
    std::string url;
    const Rules* rules = nullptr;
    std::size_t read = 0;
    bool refused_address = false;
    CURL* easy = nullptr;
    curl_slist* headers = nullptr;

    Transfer() = default;
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;
    ~Transfer() {
        curl_easy_cleanup(easy);
        curl_slist_free_all(headers);
    }
};

// The address is the one that libcurl resolved and is about to connect to.
curl_socket_t open_socket(void* context, curlsocktype purpose, curl_sockaddr* address) {
    auto& transfer = *static_cast<Transfer*>(context);
    if (purpose != CURLSOCKTYPE_IPCXN || !may_connect(&address->addr, *transfer.rules)) {
        transfer.refused_address = true;
        return CURL_SOCKET_BAD;
    }
    return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

std::size_t discard(char*, std::size_t, std::size_t size, void* context) {
    auto& read = static_cast<Transfer*>(context)->read;
    read += size;
    return read <= kMostRead ? size : 0;
}

std::size_t discard_header(char*, std::size_t, std::size_t size, void* context) {
    auto& read = static_cast<Transfer*>(context)->read;
    read += size;
    return read <= kMostHeader ? size : 0;
}

}  // namespace

struct Waker::Impl {
    Impl(const Needs& n, Options o) : needs(n), options(o), pacer(o.pace) {}

    void run();
    void begin_due();
    bool begin(const DeviceId& device);
    void prepare(Transfer& transfer) const;
    void finish_done();
    void end(Transfer& transfer, CURLcode code);
    void count(std::string_view result) const { needs.metrics.wakes.with({result}).add(); }

    const Needs needs;
    const Options options;
    CURLM* multi = nullptr;
    std::list<Transfer> transfers;  // of the thread

    std::mutex mutex;
    Pacer pacer;
    std::atomic<bool> stopping = false;
    std::thread thread;
};

Waker::Waker(const Needs& needs, Options options) : impl_(std::make_unique<Impl>(needs, options)) {}
Waker::~Waker() { stop(); }

void Waker::start() {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    impl_->multi = curl_multi_init();
    impl_->thread = std::thread([this] { impl_->run(); });
}

void Waker::stop() {
    if (!impl_->thread.joinable()) return;
    impl_->stopping = true;
    curl_multi_wakeup(impl_->multi);
    impl_->thread.join();
    curl_multi_cleanup(impl_->multi);
}

void Waker::waits(const DeviceId& device) {
    if (!impl_->multi || !impl_->needs.endpoints.of(device)) return;
    {
        const std::lock_guard lock(impl_->mutex);
        if (!impl_->pacer.waits(device, impl_->needs.clock.boot())) return impl_->count("dropped");
    }
    curl_multi_wakeup(impl_->multi);
}

void Waker::came(const DeviceId& device) {
    const std::lock_guard lock(impl_->mutex);
    impl_->pacer.came(device, impl_->needs.clock.boot());
}

void Waker::Impl::run() {
    while (!stopping) {
        begin_due();
        int running = 0;
        curl_multi_perform(multi, &running);
        finish_done();
        auto pause = kIdle;
        {
            const std::lock_guard lock(mutex);
            const auto now = needs.clock.boot();
            if (const auto at = pacer.next_at(); at && transfers.size() < options.parallel)
                pause = std::min(pause, *at - std::min(*at, now));
        }
        curl_multi_poll(multi, nullptr, 0, static_cast<int>(pause), nullptr);
    }
    for (auto& transfer : transfers) curl_multi_remove_handle(multi, transfer.easy);
    transfers.clear();
}

void Waker::Impl::begin_due() {
    while (transfers.size() < options.parallel) {
        std::optional<DeviceId> device;
        {
            const std::lock_guard lock(mutex);
            device = pacer.next(needs.clock.boot());
        }
        if (!device) return;
        if (begin(*device)) continue;
        const std::lock_guard lock(mutex);
        pacer.rang(*device, true, needs.clock.boot());  // nothing to wake any more
    }
}

bool Waker::Impl::begin(const DeviceId& device) {
    const auto url = needs.endpoints.of(device);
    if (!url) return false;
    auto& transfer = transfers.emplace_back();
    transfer.device = device;
    transfer.url = *url;
    transfer.rules = &options.rules;
    transfer.easy = curl_easy_init();
    prepare(transfer);
    curl_multi_add_handle(multi, transfer.easy);
    return true;
}

void Waker::Impl::prepare(Transfer& transfer) const {
    // One wake-up that waits is enough (Topic), for a day at most.
    for (const char* header : {"TTL: 86400", "Urgency: high", "Topic: wake", "Content-Type:", "Expect:"})
        transfer.headers = curl_slist_append(transfer.headers, header);
    auto* easy = transfer.easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, &transfer);
    curl_easy_setopt(easy, CURLOPT_URL, transfer.url.c_str());
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, options.rules.allow_http ? "https,http" : "https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, 0L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "");
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer.headers);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.timeout / 2));
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(options.timeout));
    // A connection that is kept would be used again without asking open_socket.
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, &transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, discard);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, discard_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
}

void Waker::Impl::finish_done() {
    int left = 0;
    while (const auto* message = curl_multi_info_read(multi, &left)) {
        if (message->msg != CURLMSG_DONE) continue;
        const auto code = message->data.result;
        Transfer* transfer = nullptr;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
        curl_multi_remove_handle(multi, transfer->easy);
        end(*transfer, code);
        transfers.remove_if([&](const Transfer& t) { return &t == transfer; });
    }
}

void Waker::Impl::end(Transfer& transfer, CURLcode code) {
    long status = 0;
    curl_easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE, &status);
    // A body that was too long to read does not make a 201 less of a 201.
    const bool answered = status != 0 && (code == CURLE_OK || code == CURLE_WRITE_ERROR);
    const bool ok = answered && status >= 200 && status < 300;
    const bool gone = answered && (status == 404 || status == 410);
    if (ok) count("sent");
    else if (gone) count("gone");
    else if (transfer.refused_address) count("refused_address");
    else count("failed");
    if (gone)
        if (const auto erased = needs.endpoints.erase(transfer.device, transfer.url); !erased)
            needs.log.error("wake_endpoint_not_erased", {{"code", erased.error().row().name}});
    const std::lock_guard lock(mutex);
    pacer.rang(transfer.device, ok || gone, needs.clock.boot());
}

}  // namespace nimes::gateway::wake
