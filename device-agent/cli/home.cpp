#include "cli/home.hpp"

#include <atomic>
#include <chrono>
#include <list>
#include <thread>

#include "cli/home_socket.hpp"

namespace nimes::agent::cli {
namespace {

constexpr auto kPatience = std::chrono::seconds(30);
constexpr auto kPause = std::chrono::milliseconds(50);
constexpr std::size_t kMaxClients = 256;

Json error_json(const Error& error) { return {{"error", {{"code", error.row().name}, {"detail", error.detail}}}}; }

Error error_of(const Json& json) {
    const auto* known = row(std::string_view(json.value("code", "")));
    return {known != nullptr ? known->code : Errc::internal, json.value("detail", "")};
}

// Serves other processes while this one owns the home.
class Server {
  public:
    Server(Listener listener, Service& service) : listener_(std::move(listener)), service_(service) {
        thread_ = std::thread([this] { run(); });
    }
    // No new clients; those that are here are served to their end.
    ~Server() {
        ending_ = true;
        thread_.join();
        for (auto& client : clients_) client.thread.join();
    }

  private:
    struct Client {
        std::thread thread;
        std::atomic<bool> done = false;
    };

    void run() {
        while (!ending_) {
            clients_.remove_if([](Client& c) {
                if (!c.done) return false;
                c.thread.join();
                return true;
            });
            auto channel = listener_.accept(100);
            if (!channel || !*channel || clients_.size() >= kMaxClients) continue;
            auto& client = clients_.emplace_back();
            client.thread = std::thread([this, &client, c = std::make_shared<Channel>(std::move(**channel))] {
                serve(*c);
                client.done = true;
            });
        }
        listener_.close();
    }

    void serve(Channel& channel) {
        const auto line = channel.read_line();
        if (!line || !*line) return;
        const auto json = Json::parse(**line, nullptr, false);
        if (!json.is_object()) return (void)channel.write_line(error_json({Errc::malformed, "the request"}).dump());
        const Passphrase passphrase(json.value("passphrase", ""));
        if (const auto ok = service_.check(passphrase); !ok)
            return (void)channel.write_line(error_json(ok.error()).dump());
        const Request request{json.value("id", ""), json.value("verb", ""), json.value("arguments", Json::object())};
        std::stop_source stop;
        std::atomic<bool> answered = false;
        // A client that goes away stops its command: nobody would hear the answer.
        std::thread watch([&] {
            while (!answered && !channel.gone(100)) {
            }
            stop.request_stop();
        });
        const Emit emit = [&](const Json& out) {
            if (!channel.write_line(Json{{"line", out}}.dump(-1, ' ', false, Json::error_handler_t::replace)))
                stop.request_stop();
        };
        const auto result = service_.call(request, emit, stop.get_token());
        answered = true;
        watch.join();
        const auto last = result ? Json{{"result", *result}} : error_json(result.error());
        (void)channel.write_line(last.dump(-1, ' ', false, Json::error_handler_t::replace));
    }

    Listener listener_;
    Service& service_;
    std::atomic<bool> ending_ = false;
    std::list<Client> clients_;
    std::thread thread_;
};

// nullopt: the owner went away before it answered.
std::optional<Result<Json>> ask(Channel& channel, const Passphrase& passphrase, const Request& request,
                                const Emit& emit, const std::stop_token& stop) {
    const std::stop_callback hang_up(stop, [&] { channel.close_both(); });
    Json json{{"id", request.id},
              {"verb", request.verb},
              {"arguments", request.arguments},
              {"passphrase", passphrase.text()}};
    if (!channel.write_line(json.dump())) return std::nullopt;
    for (;;) {
        const auto line = channel.read_line();
        if (stop.stop_requested()) return Result<Json>(Json::object());
        if (!line) return Result<Json>(fail(line.error().code, line.error().detail));
        if (!*line) return std::nullopt;
        auto answer = Json::parse(**line, nullptr, false);
        if (!answer.is_object()) return Result<Json>(fail(Errc::internal, "the home's owner answered nonsense"));
        if (answer.contains("line")) {
            emit(answer["line"]);
        } else if (answer.contains("error")) {
            const auto error = error_of(answer["error"]);
            return Result<Json>(fail(error.code, error.detail));
        } else {
            return Result<Json>(answer.value("result", Json::object()));
        }
    }
}

Result<Json> own(container::HomeLock lock, const Passphrase& passphrase, const Request& request, const Emit& emit,
                 const std::stop_token& stop, const OpenService& open) {
    const auto home = lock.home();
    auto service = open(std::move(lock), passphrase);
    if (!service) return pass(service);
    auto listener = Listener::open(home);
    if (!listener) return pass(listener);
    const Server server(std::move(*listener), **service);
    return (*service)->call(request, emit, stop);
}

}  // namespace

Result<Json> run_at_home(const std::filesystem::path& home, const Passphrase& passphrase, const Request& request,
                         const Emit& emit, const std::stop_token& stop, const OpenService& open) {
    auto until = std::chrono::steady_clock::now() + kPatience;
    while (!stop.stop_requested()) {
        auto lock = container::HomeLock::acquire(home);
        if (lock) return own(std::move(*lock), passphrase, request, emit, stop, open);
        if (lock.error().code != Errc::busy) return pass(lock);
        if (auto channel = connect_to(home)) {
            if (auto answer = ask(*channel, passphrase, request, emit, stop)) return std::move(*answer);
            until = std::chrono::steady_clock::now() + kPatience;  // it lived a moment ago
        } else if (channel.error().code == Errc::forbidden) {
            return pass(channel);
        }
        if (std::chrono::steady_clock::now() >= until)
            return fail(Errc::busy, "another process holds this home and does not answer");
        std::this_thread::sleep_for(kPause);
    }
    return Json::object();
}

}  // namespace nimes::agent::cli
