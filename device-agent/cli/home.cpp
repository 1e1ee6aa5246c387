#include "cli/home.hpp"

#include <chrono>
#include <set>
#include <thread>

#include "cli/home_server.hpp"
#include "cli/wire.hpp"

namespace nimes::agent::cli {
namespace {

constexpr auto kPatience = std::chrono::seconds(30);
constexpr auto kPause = std::chrono::milliseconds(50);

// A request on its way from owner to owner: what was shown once is not shown again.
class Journey {
  public:
    Journey(Request request, const Emit& emit) : request_(std::move(request)), emit_(emit) {}

    [[nodiscard]] const Request& request() const { return request_; }
    void show(const Json& line) {
        if (line.contains("sequence") && line["sequence"].is_number_unsigned()) {
            request_.arguments["since"] = line["sequence"];  // the next owner goes on behind it
        } else if (line.contains("data")) {
            // A medium in pieces, each with its place; another owner begins anew.
            const auto at = line.value("at", std::uint64_t{0});
            if (at < shown_to_) return;
            shown_to_ = at + 1;
        } else if (!line.contains("progress")) {
            auto text = line.dump(-1, ' ', false, Json::error_handler_t::replace);
            if (earlier_.contains(text)) return;
            now_.insert(std::move(text));
        }
        emit_(line);
    }
    void repeat() { earlier_.merge(now_); }

  private:
    Request request_;
    const Emit& emit_;
    std::uint64_t shown_to_ = 0;
    std::set<std::string> earlier_, now_;  // lines without a number: of former owners, of this one
};

// nullopt: the owner went away before it answered.
std::optional<Result<Json>> ask(Channel& channel, const Passphrase& passphrase, Journey& journey,
                                const std::stop_token& stop) {
    const std::stop_callback hang_up(stop, [&] { channel.close_both(); });
    auto asked = request_line(journey.request(), passphrase);
    if (!asked) return Result<Json>(pass(asked));
    const auto written = channel.write_line(*asked);
    sodium_memzero(asked->data(), asked->size());
    if (!written) return std::nullopt;
    for (;;) {
        auto line = channel.read_line();
        if (stop.stop_requested()) return Result<Json>(Json::object());
        if (!line) return Result<Json>(pass(line));
        if (!*line) return std::nullopt;
        auto answer = parse_answer(**line);
        if (answer.last) return std::move(answer.value);
        journey.show(*answer.value);
    }
}

Result<Json> own(container::HomeLock lock, const Passphrase& passphrase, Journey& journey, const std::stop_token& stop,
                 const OpenService& open) {
    const auto home = lock.home();
    auto service = open(std::move(lock), passphrase);
    if (!service) return pass(service);
    auto listener = Listener::open(home);
    if (!listener) return pass(listener);
    const HomeServer server(std::move(*listener), **service, stop);
    const Emit show = [&](const Json& line) { journey.show(line); };
    return guarded_call(**service, Request(journey.request()), show, stop);
}

}  // namespace

Result<Json> run_at_home(const std::filesystem::path& home, const Passphrase& passphrase, const Request& request,
                         const Emit& emit, const std::stop_token& stop, const OpenService& open) {
    if (auto ok = check_request(request); !ok) return pass(ok);
    Journey journey(request, emit);
    auto until = std::chrono::steady_clock::now() + kPatience;
    while (!stop.stop_requested()) {
        auto lock = container::HomeLock::acquire(home);
        if (lock && request.verb == "lock") return Json{{"state", "shut"}};  // nobody has it open
        if (lock) return own(std::move(*lock), passphrase, journey, stop, open);
        if (lock.error().code != Errc::busy) return pass(lock);
        if (auto channel = connect_to(home)) {
            if (auto answer = ask(*channel, passphrase, journey, stop)) return std::move(*answer);
            journey.repeat();
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
