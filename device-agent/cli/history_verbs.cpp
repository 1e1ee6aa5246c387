// Verbs of a history that goes from a person's old device to the new one.
#include "cli/history_verbs.hpp"

#include <iostream>

#include "cli/printable.hpp"
#include "cli/qr.hpp"
#include "cli/terminal.hpp"
#include "cli/verb_parts.hpp"

namespace nimes::agent::cli {
namespace {

// Groups of four are easier to read out.
std::string spaced(const std::string& code) {
    std::string out;
    for (std::size_t i = 0; i < code.size(); ++i) {
        if (i > 0 && i % 4 == 0) out += '-';
        out += code[i];
    }
    return out;
}

void show_code(std::ostream& out, const Json& code) {
    out << "code     " << spaced(printable(code.value("code", ""))) << '\n' << qr_text(code.value("qr", ""));
}

}  // namespace

void add_history(CLI::App& app, CommandLine& line, const Shared& r) {
    auto* history =
        app.add_subcommand("history", "Your messages, from your old device to the new one")->require_subcommand(1);
    auto* offer = verb(*history, line, "offer", "history.offer",
                       "On the old device: compare the codes, then hand its messages to the new one", [r] {
                           Json a{{"device", r->device}, {"code", r->code}, {"wait_ms", r->wait_s * 1'000}};
                           if (r->days > 0) a["days"] = r->days;
                           return a;
                       });
    offer->add_option("NEW_DEVICE", r->device, "As devices shows it")->required();
    offer->add_option("--days", r->days, "Only what was sent in the last days; all that is kept if left out")
        ->check(CLI::Range(1, 90));
    offer->add_option("--code", r->code, "The code that the new device shows; without it you are asked");
    add_wait(*offer, r, "Seconds to wait for the gateway's word");
    offer->footer(
        "Have both devices in your hands. Example:\n  on the new one:  nimes-agent history take\n"
        "  on the old one:  nimes-agent history offer k3v…q7\n  on the new one:  nimes-agent history take --code CODE");
    auto* take =
        verb(*history, line, "take", "history.take", "On the new device: show the code, then take the messages", [r] {
            return Json{{"code", r->code}, {"wait_ms", r->wait_s * 1'000}};
        });
    take->add_option("--code", r->code, "The code that the old device shows; without it this one shows its own");
    add_wait(*take, r, "Seconds to wait for the offer");
    take->footer(
        "It may be repeated: it goes on where it stopped. Example:\n  nimes-agent history take\n"
        "  nimes-agent history take --code abcd-efgh-2345");
}

Result<Json> offer_history(const Ask& ask, Request request, const CommandLine& line, const std::stop_token& stop) {
    if (!request.arguments.value("code", "").empty()) return ask(request);
    if (line.no_input || line.json)
        return fail(Errc::usage, "the code that the new device shows is needed: give --code");
    const auto code = ask({"", "history.code", Json{{"device", request.arguments["device"]}}});
    if (!code) return code;
    show_code(std::cout, *code);
    std::cout.flush();
    auto answer = ask_line("Does the new device show the same (nimes-agent history take)? Type yes: ", stop);
    if (!answer) return pass(answer);
    if (*answer != "yes") return fail(Errc::code_wrong, "nothing was sent");
    request.arguments["code"] = code->value("code", "");
    return ask(request);
}

void print_history_line(const Json& line) {
    std::cout << "from     " << printable(line.value("device", ""))
              << (line.value("offered", false) ? "  (its offer is here)" : "") << '\n';
    show_code(std::cout, line);
    std::cout << "Compare it with what that device shows, then here: nimes-agent history take --code "
              << spaced(printable(line.value("code", ""))) << '\n';
}

void print_history_result(const Request& request, const Json& r) {
    if (request.verb == "history.offer")
        std::cout << (r.value("accepted", false) ? "offered " : "in the outbox: ") << r.value("messages", 0)
                  << " messages of " << r.value("conversations", 0) << " conversations"
                  << (r.value("cut", false) ? "; older ones did not fit" : "")
                  << "; take them on the new device within the hour\n";
    else if (r.contains("imported"))
        std::cout << r.value("imported", 0) << " messages came from " << printable(r.value("device", "")) << "; "
                  << r.value("left_out", 0) << " were here already, have expired, or are not yours to read\n";
    else if (r.value("count", 0) == 0) std::cout << "no other device of yours may offer a history\n";
}

}  // namespace nimes::agent::cli
