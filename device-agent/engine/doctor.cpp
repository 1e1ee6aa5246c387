#include "engine/doctor.hpp"

#include <algorithm>

namespace nimes::agent::engine {
namespace {

using transport::Reached;

constexpr std::uint64_t kFewBytes = 64ull << 20;
constexpr std::int64_t kClockGood = 60'000, kClockNoted = 600'000;  // above it the server's word serves tokens only
const std::string kTellOperator = "if others have it too, tell your operator; nothing is lost meanwhile";

Finding good(std::string check, std::string what) { return {std::move(check), Verdict::good, std::move(what)}; }
Finding unknown(std::string check, std::string what) { return {std::move(check), Verdict::unknown, std::move(what)}; }
Finding bad(std::string check, std::string what, std::string next, std::optional<Errc> code = std::nullopt) {
    return {std::move(check), Verdict::bad, std::move(what), std::move(next), code};
}
Finding note(std::string check, std::string what, std::string next = {}, std::optional<Errc> code = std::nullopt) {
    return {std::move(check), Verdict::note, std::move(what), std::move(next), code};
}

std::string many(std::size_t n, const char* one, const char* more) {
    return std::to_string(n) + " " + (n == 1 ? one : more);
}

std::string duration(std::int64_t ms) {
    const auto seconds = (ms < 0 ? -ms : ms) / 1'000;
    if (seconds < 120) return std::to_string(seconds) + " seconds";
    return seconds < 7'200 ? std::to_string((seconds + 30) / 60) + " minutes"
                           : std::to_string((seconds + 1'800) / 3'600) + " hours";
}

Finding home(const Facts& f) {
    if (!f.enrolled)
        return bad("home", "this home holds no enrolled device", std::string(row(Errc::not_enrolled).hint),
                   Errc::not_enrolled);
    if (f.locked && f.locked->code == Errc::not_enrolled)
        return bad("home", f.locked->detail, std::string(f.locked->row().hint), f.locked->code);
    if (f.locked)
        return bad("home", "this device is locked: " + f.locked->text(),
                   f.locked->code == Errc::offline ? "it opens by itself once the gateway answers: see below"
                                                   : std::string(f.locked->row().hint),
                   f.locked->code);
    if (f.shut_out) {
        const auto& why = row(*f.shut_out);
        return bad("home", std::string(why.title) + ": nothing comes to it any more", std::string(why.hint),
                   *f.shut_out);
    }
    return good("home", "this device is enrolled");
}

Finding disk(const Facts& f) {
    if (f.write_error)
        return bad("disk", "nothing can be stored here, so nothing is acknowledged, and it comes again",
                   "free some space; what this device holds is whole", *f.write_error);
    if (!f.free_bytes) return unknown("disk", "how much is free cannot be told");
    if (*f.free_bytes < kFewBytes)
        return note("disk", "only " + std::to_string(*f.free_bytes >> 20) + " MiB are free", "free some space");
    return good("disk", f.locked ? "there is room" : "there is room, and storing works");
}

Finding server(const std::string& check, const std::string& who, Reached reached) {
    switch (reached) {
        case Reached::nothing:
            return bad(check, "the name of " + who + " means nothing here: no network, or no name service",
                       "check coverage, flight mode and VPN", Errc::offline);
        case Reached::name:
            return bad(check, who + " does not answer", "try another network; " + kTellOperator, Errc::offline);
        case Reached::tcp:
            return bad(check, "somebody answers in the place of " + who + " without a certificate of your organisation",
                       "leave this network (a login page, or somebody listens); elsewhere the same: ask your "
                       "administrator for a new provisioning file",
                       Errc::offline);
        case Reached::tls:
            break;
    }
    return good(check, who + " answers, and is who it says");
}

Finding gateway(const Facts& f) {
    auto out = server("gateway", "the gateway", f.gateway);
    if (out.verdict == Verdict::good && f.status_error)
        return bad("gateway", "the gateway answers, but not as it should", kTellOperator, *f.status_error);
    return out;
}

Finding clock(const Facts& f) {
    if (!f.clock_offset) return unknown("clock", "nobody could be asked for the time");
    const auto offset = *f.clock_offset;
    const auto size = offset < 0 ? -offset : offset;
    if (size <= kClockGood) return good("clock", "this device's clock is right");
    const auto text = "this device's clock is " + duration(offset) + (offset > 0 ? " behind" : " ahead");
    if (size <= kClockNoted) return note("clock", text, "let the network set it");
    return bad("clock", text + "; new chains and the directory wait for the right time", "let the network set it",
               Errc::token_expired);
}

Finding token(const Facts& f) {
    if (!f.token_asked) return unknown("token", "the gateway could not be asked");
    if (!f.token_error) return good("token", "the gateway knows this device");
    const auto& why = row(*f.token_error);
    return bad("token", "the gateway refuses this device: " + std::string(why.title), std::string(why.hint),
               *f.token_error);
}

Finding broker(const Facts& f) {
    if (f.brokers.empty()) return unknown("broker", "no broker is known");
    return server("broker", f.brokers.size() == 1 ? "the broker" : "every broker",
                  *std::ranges::max_element(f.brokers));
}

Finding connection(const Facts& f, bool reachable) {
    if (f.locked && f.connected)
        return note("connection", "connected; what comes is kept, and opens with this device", "see above");
    if (f.locked) return bad("connection", "not connected, for this device is locked", "see above", f.locked->code);
    if (f.connected && f.welcomed)
        return f.synced ? good("connection", "connected, and everything that waited is here")
                        : note("connection", "connected; what waited is still coming", "wait a little");
    if (f.connected)
        return bad("connection",
                   f.unheard ? "the broker is there, and the gateway does not listen to it"
                             : "the broker is there, and the gateway has not answered",
                   "wait: it goes on by itself when the gateway is back; " + kTellOperator, Errc::unavailable);
    if (!reachable) return bad("connection", "not connected", "see above; it is tried again by itself", Errc::offline);
    return bad("connection", "not connected, although the broker can be reached",
               f.token_error ? "see above" : "wait a minute and ask again; " + kTellOperator, Errc::offline);
}

void outbox(const Facts& f, std::vector<Finding>& out) {
    for (const auto& stuck : f.stuck)
        out.push_back(bad("outbox",
                          many(stuck.items, "item waits: ", "items wait: ") + std::string(stuck.error.row().title),
                          std::string(stuck.error.row().hint) + "; it is tried again by itself", stuck.error.code));
    if (!f.stuck.empty()) return;
    if (f.outbox == 0) out.push_back(good("outbox", "everything was sent"));
    else out.push_back(note("outbox", many(f.outbox, "item waits", "items wait") + " to be sent", "see above"));
}

void sealing(const Facts& f, std::vector<Finding>& out) {
    if (f.held > 0)
        out.push_back(note("held", many(f.held, "item came", "items came") + " and cannot be opened yet",
                           "what is missing is asked for by itself; after a day ask the sender to write again",
                           Errc::held));
    if (f.undecryptable > 0)
        out.push_back(note("held", many(f.undecryptable, "item", "items") + " could not be opened since enrolment",
                           "the senders were asked again where that helps", Errc::undecryptable));
    if (f.seal_keys_due)
        out.push_back(bad("seal_keys", "this device's seal keys are not published for today: others may not reach it",
                          "connect once; they are published by themselves", Errc::device_stale));
    else out.push_back(good("seal_keys", "this device can be written to"));
    if (f.head_age && *f.head_age >= kDay)
        out.push_back(bad("directory",
                          "the directory here is " + duration(static_cast<std::int64_t>(*f.head_age)) +
                              " old: nothing new is sealed under it",
                          std::string(row(Errc::head_stale).hint), Errc::head_stale));
    else if (f.head_age) out.push_back(good("directory", "the directory here is of today"));
    if (f.alarms > 0)
        out.push_back(bad("alarms", many(f.alarms, "alarm waits", "alarms wait") + " for your answer",
                          "nimes-agent inbox shows them", Errc::proof_invalid));
}

}  // namespace

std::string_view name(Verdict verdict) {
    switch (verdict) {
        case Verdict::good:
            return "good";
        case Verdict::note:
            return "note";
        case Verdict::bad:
            return "bad";
        case Verdict::unknown:
            break;
    }
    return "unknown";
}

std::vector<Finding> judge(const Facts& f) {
    std::vector<Finding> out{home(f), disk(f)};
    if (!f.enrolled) return out;
    out.push_back(gateway(f));
    out.push_back(clock(f));
    out.push_back(token(f));
    out.push_back(broker(f));
    out.push_back(connection(f, out.back().verdict == Verdict::good));
    if (f.locked) return out;
    outbox(f, out);
    sealing(f, out);
    return out;
}

std::string in_words(const FlightEvent& e) {
    static constexpr const char* kCauses[] = {"the broker refused it", "the broker ended it",    "it broke",
                                              "nothing came any more", "no token could be made", "it was asked for"};
    const std::string cause = e.cause < std::size(kCauses) ? kCauses[e.cause] : "it ended";
    const auto reason = e.code != 0 ? " (MQTT reason " + std::to_string(e.code) + ")" : "";
    const auto known = [&] {
        return e.code < error_table().size() ? std::string(error_table()[e.code].name)
                                             : std::string("an unknown error");
    };
    const auto ms = static_cast<std::int64_t>(e.value);
    switch (e.what) {
        case Flight::connected:
            return "connected to the broker";
        case Flight::ended:
            return "the connection ended after " + duration(ms * 1'000) + ": " + cause + reason;
        case Flight::failed:
            return "no connection: " + cause + reason + "; next try in " + duration(ms);
        case Flight::welcomed: {
            const auto offset = std::int64_t{static_cast<std::int32_t>(e.value)};
            return "the gateway answered" + (offset == 0 ? ""
                                                         : "; clocks differ by " + duration(offset * 1'000) +
                                                               (offset > 0 ? ", ours is behind" : ", ours is ahead"));
        }
        case Flight::unheard:
            return "the broker is there, and the gateway does not listen to it";
        case Flight::refused:
            return "the gateway refused something that was sent: " + known();
        case Flight::network:
            return "the operating system said that the network changed";
        case Flight::silent:
            return "the path fell silent; from now on a sign of life every " + duration(ms * 1'000);
        case Flight::shut_out:
            return "shut out: " + known();
        case Flight::told:
            return "the gateway could not be asked: " + known();
    }
    return "something that this version does not know";
}

}  // namespace nimes::agent::engine
