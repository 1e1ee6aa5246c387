#include "cli/home_server.hpp"

#include <algorithm>
#include <exception>

#include "cli/wire.hpp"

namespace nimes::agent::cli {
namespace {

constexpr std::size_t kMaxClients = 256;
constexpr std::size_t kRemembered = 1'000;
constexpr int kLookMs = 100;

constexpr std::string_view kReading[] = {"people",       "group.list", "group.show", "inbox",        "watch",
                                         "show",         "media.get",  "media.view", "devices.list", "devices.pending",
                                         "history.code", "token",      "status",     "doctor",       "audit"};
// A repeat of these is answered from memory: nothing happens twice.
bool changes(const std::string& verb) {
    return std::find(std::begin(kReading), std::end(kReading), verb) == std::end(kReading);
}
// Its client knows how far it came (home.cpp), and can go on elsewhere.
bool resumes(const std::string& verb) { return verb == "watch" || verb == "inbox"; }
bool endless(const std::string& verb) { return verb == "watch"; }

}  // namespace

Result<Json> guarded_call(Service& service, const Request& request, const Emit& emit, const std::stop_token& stop) {
    try {
        return service.call(request, emit, stop);
    } catch (const std::exception&) {  // its words could hold a user's
        return fail(Errc::internal, "an exception came out of the service");
    }
}

HomeServer::HomeServer(Listener listener, Service& service, std::stop_token stop)
    : listener_(std::move(listener)), service_(service), stop_(std::move(stop)) {
    thread_ = std::thread([this] { accept_clients(); });
}

HomeServer::~HomeServer() {
    own_done_.request_stop();
    thread_.join();
    for (auto& client : clients_) {
        // Whoever has not asked yet asks the next owner.
        if (!client.asked) client.channel.close_both();
    }
    for (auto& client : clients_) client.thread.join();
}

void HomeServer::accept_clients() {
    while (!own_done_.stop_requested()) {
        remove_done();
        auto channel = listener_.accept(kLookMs);
        if (!channel || !*channel || clients_.size() >= kMaxClients) continue;
        auto& client = clients_.emplace_back(std::move(**channel));
        client.thread = std::thread([this, &client] { serve(client); });
    }
    listener_.close();
}

void HomeServer::remove_done() {
    clients_.remove_if([](Client& client) {
        if (!client.done) return false;
        client.thread.join();
        return true;
    });
}

void HomeServer::serve(Client& client) {
    const auto refuse = [&](const Error& error) {
        (void)client.channel.write_line(answer_line(fail(error.code, error.detail)));
    };
    auto line = client.channel.read_line();
    client.asked = true;
    if (!line) {
        refuse(line.error());
    } else if (*line) {
        const auto asked = parse_request(std::move(**line));
        if (!asked) refuse(asked.error());
        // Locking wants nobody's secret.
        else if (const auto ok = asked->request.verb == "lock" ? Result<void>() : service_.check(asked->passphrase);
                 !ok)
            refuse(ok.error());
        else (void)answer(client, asked->request);
    }
    client.channel.close_both();  // its descriptor is closed only when the accepting thread comes by
    client.done = true;
}

Result<void> HomeServer::answer(Client& client, const Request& request) {
    if (const auto before = remembered(request)) return client.channel.write_line(answer_line(*before));
    std::stop_source stop;
    const auto end = [&stop] { stop.request_stop(); };
    const std::stop_callback owner_stopped(stop_, end);
    const std::stop_callback owner_done(endless(request.verb) ? own_done_.get_token() : std::stop_token(), end);
    // A client that goes away stops its command: nobody would hear the answer.
    std::jthread look([&](const std::stop_token& answered) {
        while (!answered.stop_requested())
            if (client.channel.gone(kLookMs)) return end();
    });
    const Emit emit = [&](const Json& line) {
        if (!client.channel.write_line(emitted_line(line))) end();
    };
    const auto result = guarded_call(service_, request, emit, stop.get_token());
    if (result && changes(request.verb)) remember(request, *result);
    // Cut short, not finished: without an answer the client asks again, elsewhere.
    if (stop.stop_requested() && (!result || resumes(request.verb))) return {};
    auto written = client.channel.write_line(answer_line(result));
    client.channel.close_both();  // wakes `look`
    return written;
}

std::optional<Json> HomeServer::remembered(const Request& request) {
    const std::lock_guard guard(mutex_);
    const auto at = answers_.find(request.verb + request.id);
    if (at == answers_.end()) return std::nullopt;
    return at->second;
}

void HomeServer::remember(const Request& request, const Json& answer) {
    const std::lock_guard guard(mutex_);
    if (!answers_.emplace(request.verb + request.id, answer).second) return;
    oldest_.push_back(request.verb + request.id);
    if (oldest_.size() <= kRemembered) return;
    answers_.erase(oldest_.front());
    oldest_.pop_front();
}

}  // namespace nimes::agent::cli
