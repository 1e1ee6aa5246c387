// nimes-agent with a service that needs no network, for tests of what processes do with one home. Its state is a file
// in the home, `sent`: a line "ID TEXT" for each message, so that a test sees what was done, and how often.
//
// The passphrase is "richtig". Texts that steer it: "slow…" takes 300 ms, "die…" ends the process after the message
// is written and before the answer, "throw…" throws, "later…" is not accepted in time, "refuse…" is forbidden. While
// the file `hold` is in the home, "held…" waits; `begun` has a line for each send that has come. "large…" is half a
// gigabyte, of which a tenth stands there already: a part each 150 ms, and behind the half it waits for `hold`, too.
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <mutex>
#include <thread>

#include "cli/program.hpp"

namespace {

using namespace nimes;
using namespace nimes::agent;
using cli::Json;

constexpr auto kPause = std::chrono::milliseconds(10);

class FakeService final : public cli::Service {
  public:
    explicit FakeService(container::HomeLock lock) : lock_(std::move(lock)) {}

    Result<void> check(const cli::Passphrase& passphrase) override { return right(passphrase); }
    static Result<void> right(const cli::Passphrase& passphrase) {
        if (passphrase.text() != "richtig") return fail(Errc::passphrase_wrong);
        return {};
    }

    Result<Json> call(const cli::Request& r, const cli::Emit& emit, const std::stop_token& stop) override {
        if (r.verb == "send") return send(r, emit);
        if (r.verb == "watch") return watch(r, emit, stop);
        if (r.verb == "group.create") return group(r);
        if (r.verb == "people") return people(r, emit);
        if (r.verb == "enrol") return enrol(r);
        if (r.verb == "status")
            return Json{{"enrolled", true}, {"connected", false}, {"outbox", 0}, {"pid", ::getpid()}};
        if (r.verb == "devices.list") {
            emit({{"device", "abcdefghijklmnopqrstuvwxyz"}, {"state", "active"}, {"self", true}});
            return Json{{"count", 1}};
        }
        return fail(Errc::usage, "no such verb");
    }

  private:
    static bool begins(const std::string& text, std::string_view word) { return text.starts_with(word); }

    Result<Json> send(const cli::Request& r, const cli::Emit& emit) {
        const auto text = r.arguments.value("text", "");
        if (begins(text, "throw")) throw std::runtime_error("a fault");
        if (begins(text, "refuse")) return fail(Errc::forbidden);
        if (begins(text, "slow")) std::this_thread::sleep_for(std::chrono::milliseconds(300));
        std::ofstream(lock_.home() / "begun", std::ios::app) << text + "\n" << std::flush;
        while (begins(text, "held") && std::filesystem::exists(lock_.home() / "hold"))
            std::this_thread::sleep_for(kPause);
        const bool again = note(r.id, text);
        if (begins(text, "die") && !again) ::_exit(9);
        if (begins(text, "large")) large(emit);
        else emit({{"progress", {{"done", 1}, {"total", 1}}}});
        return Json{{"message", r.id}, {"devices", {"d1", "d2"}}, {"accepted", !begins(text, "later")}};
    }

    void large(const cli::Emit& emit) const {
        for (std::uint64_t part = 1; part <= 10; ++part) {
            emit({{"progress", {{"done", part * 50'000'000}, {"total", 500'000'000}}}});
            std::this_thread::sleep_for(std::chrono::milliseconds(150));
            while (part == 5 && std::filesystem::exists(lock_.home() / "hold")) std::this_thread::sleep_for(kPause);
        }
    }

    // As the outbox does: a message that is there already is not written again. Answers whether it was.
    bool note(const std::string& id, const std::string& text) {
        const std::lock_guard guard(mutex_);
        std::ifstream in(lock_.home() / "sent");
        for (std::string line; std::getline(in, line);)
            if (line.starts_with(id)) return true;
        std::ofstream(lock_.home() / "sent", std::ios::app) << id + " " + text + "\n" << std::flush;
        return false;
    }

    // Every message, from the first, as an event; and one alarm.
    Result<Json> watch(const cli::Request& r, const cli::Emit& emit, const std::stop_token& stop) {
        auto after = r.arguments.value("since", std::uint64_t{0});
        emit({{"kind", "alarm"}, {"text", "one alarm"}, {"raised_ms", 1}});
        for (; !stop.stop_requested(); std::this_thread::sleep_for(kPause)) {
            std::ifstream in(lock_.home() / "sent");
            std::uint64_t number = 0;
            for (std::string line; std::getline(in, line);)
                if (++number > after) emit({{"sequence", after = number}, {"text", line.substr(33)}, {"kind", "text"}});
        }
        return Json::object();
    }

    // Has no id of its own to know a repeat by.
    Result<Json> group(const cli::Request& r) {
        const std::lock_guard guard(mutex_);
        std::ofstream(lock_.home() / "groups", std::ios::app) << r.arguments.value("title", "") + "\n" << std::flush;
        return Json{{"title", r.arguments.value("title", "")}, {"members", 2}};
    }

    Result<Json> people(const cli::Request& r, const cli::Emit& emit) {
        if (r.arguments.value("query", "") != "Meyer") return fail(Errc::not_found, "nobody of that name or address");
        emit({{"name", "Meyer"}, {"rank", "POK"}, {"unit", "Celle\x1b[2J"}, {"address", "a@b.example"}});
        return Json{{"count", 1}};
    }

    Result<Json> enrol(const cli::Request& r) {
        const auto code = r.arguments.value("code", "");
        if (code.empty()) return Json{{"state", "code_sent"}};
        if (code != "123456") return fail(Errc::code_wrong);
        return Json{{"state", "enrolled"}, {"device", "abcdefghijklmnopqrstuvwxyz"}};
    }

    container::HomeLock lock_;
    std::mutex mutex_;
};

}  // namespace

int main(int argc, char** argv) {
    const cli::ServiceFactory open = [](container::HomeLock lock, const cli::Passphrase& passphrase,
                                        bool) -> Result<std::unique_ptr<cli::Service>> {
        if (auto ok = FakeService::right(passphrase); !ok) return pass(ok);
        return std::unique_ptr<cli::Service>(std::make_unique<FakeService>(std::move(lock)));
    };
    return cli::run_program(argc, argv, open, "9.8.7");
}
