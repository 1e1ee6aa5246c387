#include "cli/print_event.hpp"

#include <iomanip>

#include "cli/local_time.hpp"
#include "cli/printable.hpp"

namespace nimes::agent::cli {
namespace {

std::string clock_of(Millis at) { return local_time(at, "%d.%m. %H:%M"); }

std::string name_or(const Json& who, const char* otherwise) {
    const auto name = who.value("name", "");
    return name.empty() ? otherwise : printable(name);
}

std::string about(const Json& e) {
    const auto at = e.find("about");
    return at == e.end() || at->empty() ? "a message that is not here"
                                        : std::to_string(at->front().get<std::uint64_t>());
}

void print_poll(std::ostream& out, const Json& e) {
    out << "asks: " << printable_text(e.value("text", ""));
    int number = 0;
    for (const auto& option : e.value("options", Json::array()))
        out << "\n      " << ++number << "  " << printable(option.value("text", "")) << "  ("
            << option.value("votes", 0) << ")";
    out << "\n      nimes-agent vote " << e.value("sequence", 0) << " NUMBER";
}

void print_position(std::ostream& out, const Json& e) {
    const auto p = e.value("position", Json::object());
    out << "is at " << std::fixed << std::setprecision(6) << p.value("latitude", 0.0) << ", "
        << p.value("longitude", 0.0) << std::defaultfloat;
    if (p.contains("accuracy_m")) out << " (within " << p["accuracy_m"] << " m)";
    out << "  " << printable(e.value("text", ""));
}

void print_medium(std::ostream& out, const Json& e) {
    const auto& m = e["media"];
    out << "(" << printable(m.value("type", "")) << ", " << m.value("bytes", 0) << " bytes";
    if (m.contains("duration_ms")) out << ", " << m.value("duration_ms", 0) / 1'000 << " s";
    out << "; nimes-agent media get " << m.value("id", "") << ") " << printable_text(e.value("caption", ""));
}

// What became of a message that cannot be shown, and what happens next; nullptr for one that can.
const char* instead(const std::string& state) {
    if (state == "unreadable") return "(unreadable: it is authentic, and no message this version knows how to read)";
    if (state == "awaited") return "(not readable yet: its key did not come; the sender was asked to send it again)";
    if (state == "deleted") return "(deleted)";
    if (state == "vanished") return "(vanished)";
    return nullptr;
}

void print_content(std::ostream& out, const Json& e) {
    const auto kind = e.value("kind", "");
    if (const auto* gone = instead(e.value("state", ""))) out << gone;
    else if (kind == "media") print_medium(out, e);
    else if (kind == "poll") print_poll(out, e);
    else if (kind == "position") print_position(out, e);
    else if (kind == "reaction" && e.value("withdrawn", false)) out << "takes a reaction to " << about(e) << " back";
    else if (kind == "reaction") out << "reacts to " << about(e) << ": " << printable(e.value("emoji", ""));
    else if (kind == "edit") out << "changes " << about(e) << ": " << printable_text(e.value("text", ""));
    else if (kind == "delete") out << (e.value("recall", false) ? "recalls " : "deletes ") << about(e);
    else if (kind == "vote") out << "votes in " << about(e);
    else if (kind == "recall_report")
        out << "has " << e.value("recalled", "") << " " << about(e) << " before its recall";
    else if (kind == "event") out << "tells of a change of the group";
    else if (kind == "info") out << "sets the title: " << printable(e.value("text", ""));
    else if (kind == "unknown")
        out << "(needs a newer version of nimes-agent: kind " << e.value("kind_number", 0) << ")";
    else out << printable_text(e.value("text", ""));
}

void print_marks(std::ostream& out, const Json& e) {
    if (e.value("edits", 0) > 0) out << "  (edited)";
    for (const auto& r : e.value("reactions", Json::array()))
        out << "  " << printable(r.value("emoji", "")) << " " << name_or(r, "somebody");
    if (e.contains("expires_after_s")) out << "  (vanishes)";
    if (e.contains("imported"))
        out << "  (imported, attested by " << printable(e["imported"].value("attested_by", "")) << ")";
    if (e.value("state", "") == "refused") out << "  (refused: nobody got it)";
    if (e.value("state", "") == "sending") out << "  (in the outbox)";
    if (!e.value("own", false)) return;
    std::size_t read = 0;
    const auto receipts = e.value("receipts", Json::array());
    for (const auto& r : receipts) read += r.value("read", false) ? 1 : 0;
    if (!receipts.empty()) out << "  [delivered " << receipts.size() << ", read " << read << "]";
}

}  // namespace

void print_event(std::ostream& out, const Json& e) {
    const auto kind = e.value("kind", "");
    if (kind == "alarm") {
        out << "! " << printable_text(e.value("text", "")) << std::endl;
        return;
    }
    if (kind == "locked") {
        out << "! locked: the next command with the passphrase opens it" << std::endl;
        return;
    }
    if (kind == "typing") {
        out << "   … [" << printable(e.value("title", "")) << "] " << name_or(e, "somebody") << " is writing"
            << std::endl;
        return;
    }
    const auto from = e.value("from", Json::object());
    if (e.value("missing_before", false))
        out << "   (a message of " << name_or(from, "an unproven sender")
            << " before this one is missing; it was asked for)\n";
    out << e.value("sequence", 0) << "  " << clock_of(e.value("sent_ms", std::uint64_t{0})) << "  ["
        << printable(e.value("title", "")) << "] " << (e.value("own", false) ? "you" : name_or(from, "unproven sender"))
        << ": ";
    if (e.contains("reply_to")) out << "(answers) ";
    print_content(out, e);
    print_marks(out, e);
    out << std::endl;
}

void print_details(std::ostream& out, const Json& e) {
    print_event(out, e);
    for (const auto& r : e.value("receipts", Json::array()))
        out << "   " << (r.value("read", false) ? "read by      " : "delivered to ") << name_or(r, "somebody") << "  "
            << clock_of(r.value("at_ms", std::uint64_t{0})) << "  " << r.value("device", "") << '\n';
    for (const auto& option : e.value("options", Json::array()))
        for (const auto& voter : option.value("voters", Json::array()))
            out << "   " << printable(voter.get<std::string>()) << " votes for " << printable(option.value("text", ""))
                << '\n';
    for (const auto& r : e.value("recalled_by", Json::array()))
        out << "   recalled: " << r.value("state", "") << " on " << r.value("device", "") << '\n';
    if (e.contains("recall")) print_recall(out << "   ", e["recall"]);
}

void print_recall(std::ostream& out, const Json& recall) {
    const auto devices = recall.value("devices", 0), unreachable = recall.value("unreachable", 0);
    out << "of " << devices << (devices == 1 ? " device " : " devices ") << recall.value("delivered", 0) << " had it, "
        << recall.value("opened", 0) << " showed it, " << recall.value("erased", 0) << " erased it";
    if (unreachable > 0) out << "; " << unreachable << " said nothing yet: see nimes-agent show later";
    out << '\n';
}

namespace {

void print_members(std::ostream& out, const Json& members) {
    for (const auto& m : members)
        out << "  " << std::left << std::setw(14) << m.value("role", "") << name_or(m, "unproven") << '\n';
}

}  // namespace

void print_group(std::ostream& out, const Json& g) {
    out << printable(g.value("title", "")) << (g.value("closed", false) ? "  closed" : "") << '\n';
    print_members(out, g.value("members", Json::array()));
    if (g.value("expires_after_s", 0) != 0)
        out << "messages vanish " << g.value("expires_after_s", 0) << " s after they were shown\n";
    if (g.value("forked", false))
        out << "! two rosters of this group are going round: an administrator of both ends it with nimes-agent group "
               "mend\n";
    if (g.contains("doubted")) {
        const auto& doubted = g["doubted"];
        out << "! it was changed on a device that was revoked since, and nobody vouches for that; it would be"
            << (doubted.value("closed", false) ? ", closed for good:\n" : ":\n");
        print_members(out, doubted.value("members", Json::array()));
        if (doubted.value("may_confirm", false))
            out << "  if that is right: nimes-agent group confirm " << g.value("conversation", "") << ' '
                << doubted.value("state", "") << '\n';
        else out << "  one of its administrators looks at it and confirms it\n";
    } else if (g.contains("newer_epoch"))
        out << "! a member names a newer roster that has not come: nothing is sent here until it does\n";
}

}  // namespace nimes::agent::cli
