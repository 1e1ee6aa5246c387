#include "cli/program.hpp"

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>

#include "cli/health_verbs.hpp"
#include "cli/history_verbs.hpp"
#include "cli/home.hpp"
#include "cli/media_verbs.hpp"
#include "cli/print.hpp"
#include "cli/signals.hpp"
#include "cli/terminal.hpp"
#include "cli/verbs.hpp"
#include "container/arena.hpp"
#include "container/container.hpp"
#include "nimes/encoding.hpp"

namespace nimes::agent::cli {
namespace {

std::string default_home() {
    if (const char* state = std::getenv("XDG_STATE_HOME"); state != nullptr && *state != 0)
        return std::string(state) + "/nimes-agent";
    const char* home = std::getenv("HOME");
    return std::string(home != nullptr ? home : ".") + "/.local/state/nimes-agent";
}

struct Session {
    const CommandLine& line;
    const Passphrase& passphrase;
    const std::stop_token stop;
    const ServiceFactory& open;
    MediaOut& media;
    const std::function<void()>& enough;  // who read the medium reads no more

    Result<Json> run(Request request) {
        request.id = to_hex(SystemRandom().id<MessageId>().view());
        const bool create = request.verb == "enrol";
        const OpenService open_here = [&, create](container::HomeLock lock, const Passphrase& secret) {
            return open(std::move(lock), secret, create);
        };
        ProgressBar bar;
        const Emit emit = [&](const Json& out) {
            if (out.contains("progress"))
                bar.show(out["progress"].value("done", std::uint64_t{0}),
                         out["progress"].value("total", std::uint64_t{0}));
            else if (out.contains("data")) media.take(out) ? void() : enough();
            else if (line.json) std::cout << out.dump(-1, ' ', false, Json::error_handler_t::replace) << std::endl;
            else print_line(request.verb, out);
        };
        auto answer = run_at_home(line.home, passphrase, request, emit, stop, open_here);
        // A home that does not open is an answer to the doctor's question, but for who may not ask it.
        const auto shut = [](Errc code) { return code == Errc::passphrase_wrong || code == Errc::passphrase_wait; };
        if (request.verb == "doctor" && !answer && !shut(answer.error().code))
            return home_unopened(line.home, answer.error(), emit);
        return answer;
    }
};

Result<Json> enrol(Session& session, Request request) {
    std::ifstream in(session.line.provisioning, std::ios::binary);
    std::ostringstream file;
    file << in.rdbuf();
    request.arguments["provisioning"] = to_hex(as_bytes(file.str()));
    auto answer = session.run(request);
    if (!answer || answer->value("state", "") != "code_sent") return answer;
    std::cerr << "If this address is on the roster, a code is on its way to it.\n";
    if (session.line.no_input) return fail(Errc::usage, "the code is needed: give --code, or leave out --no-input");
    auto code = ask_line("Code: ", session.stop);
    if (!code) return pass(code);
    request.arguments["code"] = *code;
    return session.run(request);
}

int finish(const CommandLine& line, const Signals& signals, const Result<Json>& answer) {
    if (signals.came()) return line.request.verb == "watch" ? 0 : Signals::kExit;  // nothing else ends a watch
    if (!answer) return print_error(answer.error());
    // Lists have shown their lines; their count says nothing that a program would miss.
    const bool list = answer->contains("count");
    if (line.to_output) return 0;
    if (!line.json) print_result(line.request, *answer);
    else if (!list) std::cout << answer->dump(-1, ' ', false, Json::error_handler_t::replace) << std::endl;
    if (line.request.verb == "doctor") return answer->value("healthy", false) ? 0 : 1;
    if (line.request.verb != "send" || answer->value("accepted", true)) return 0;
    std::cout.flush();
    std::cerr << "nimes-agent: hint: " << row(Errc::offline).hint << '\n';
    return row(Errc::timed_out).exit;
}

// "group create", for the hint where to read on.
std::string verb_path(const CLI::App& app) {
    std::string out = app.get_name();
    for (const auto* at = &app; !at->get_subcommands().empty();) {
        at = at->get_subcommands().front();
        out += " " + at->get_name();
    }
    return out;
}

int refuse(const CLI::App& app, const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help
    // CLI11 would say that a subcommand is missing, not which word is none.
    const auto unknown = app.remaining(true);
    const auto what = unknown.empty() ? std::string(error.what()) : "nothing is called " + unknown.front();
    return print_error({Errc::usage, what}, "see " + verb_path(app) + " --help");
}

Result<Passphrase> passphrase_for(const CommandLine& line, const std::stop_token& stop) {
    if (line.request.verb == "lock") return Passphrase();
    if (line.no_input && line.passphrase_fd < 0)
        return fail(Errc::usage, "the passphrase is needed: give --passphrase-fd N, or leave out --no-input");
    const bool fresh = line.request.verb == "enrol" && !container::Container::exists(line.home);
    return read_passphrase(line.passphrase_fd, fresh, stop);
}

}  // namespace

int run_program(int argc, char** argv, const ServiceFactory& open, const std::string& version) {
    CLI::App app("One device of the police messenger nimes, on the command line", "nimes-agent");
    app.set_version_flag("--version", "nimes-agent " + version);
    CommandLine line;
    line.home = default_home();
    add_verbs(app, line);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return refuse(app, error);
    }
    if (!crypto_init() || !container::harden_process())
        return print_error({Errc::internal, "this process cannot be protected"});
    const Signals signals;
    const auto passphrase = passphrase_for(line, signals.token());
    if (signals.came()) return Signals::kExit;
    if (!passphrase) return print_error(passphrase.error());
    auto media = MediaOut::open(line);
    if (!media) return print_error(media.error());
    std::stop_source over;
    const std::function<void()> enough = [&] { over.request_stop(); };
    const std::stop_callback interrupted(signals.token(), enough);
    Session session{line, *passphrase, over.get_token(), open, *media, enough};
    const Ask ask = [&](Request request) { return session.run(std::move(request)); };
    const auto answer = line.request.verb == "enrol"           ? enrol(session, line.request)
                        : line.request.verb == "history.offer" ? offer_history(ask, line.request, line, session.stop)
                                                               : session.run(line.request);
    const bool cut = media->over() && !signals.came();  // what came of the rest is of no interest
    const auto viewer = media->finish();
    const int status = cut ? 0 : finish(line, signals, answer);
    return status == 0 ? viewer.value_or(0) : status;
}

}  // namespace nimes::agent::cli
