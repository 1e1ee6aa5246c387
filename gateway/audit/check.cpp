#include "audit/check.hpp"

#include "nimes/encoding.hpp"

namespace nimes::gateway::audit {
namespace {

using Json = nlohmann::json;

std::string entry(std::uint64_t seq) { return "entry " + std::to_string(seq); }
auto broken(std::string what) { return fail(Errc::proof_invalid, std::move(what)); }

std::optional<std::uint64_t> number(const Json& line, const char* name) {
    const auto at = line.find(name);
    if (at == line.end() || !at->is_number_unsigned()) return std::nullopt;
    return at->get<std::uint64_t>();
}

std::string word(const Json& line, const char* name) {
    const auto at = line.find(name);
    return at != line.end() && at->is_string() ? at->get<std::string>() : std::string{};
}

}  // namespace

Result<void> Check::take(std::string_view text) {
    const auto next = head_.seq + 1;
    if (ended_) return broken("something stands behind the head");
    const auto line = Json::parse(text, nullptr, false);
    if (!line.is_object()) return fail(Errc::malformed, "what should be " + entry(next) + " is no JSON object");
    if (line.contains("audit_head")) return take_head(line);
    const auto seq = number(line, "seq");
    if (number(line, "audit") != 1U || !seq)
        return fail(Errc::malformed, "what should be " + entry(next) + " is no entry of an audit");
    if (*seq > next) {
        const auto last = *seq - 1 == next ? "" : " to " + std::to_string(*seq - 1);
        return broken(entry(next) + last + " is missing, or stands elsewhere");
    }
    if (*seq < next) return broken(entry(*seq) + " stands where " + entry(next) + " should: moved, or doubled");
    if (word(line, "prev") != to_hex(head_.hash.view()))
        return broken(head_.seq == 0
                          ? entry(next) + " is no first entry: what was before it is missing"
                          : entry(head_.seq) + " was changed, or " + entry(next) + " is not what followed it");
    head_ = {*seq, hash_of(text)};
    if (head_.hash == known_) known_at_ = head_.seq;
    return {};
}

Result<void> Check::take_head(const Json& line) {
    const auto seq = number(line, "seq");
    if (number(line, "audit_head") != 1U || !seq) return fail(Errc::malformed, "the head");
    if (*seq > head_.seq)
        return broken(entry(head_.seq + 1) + " to " + std::to_string(*seq) + " is missing at the end");
    if (*seq < head_.seq) return broken("there are entries behind the one that the head names");
    if (word(line, "hash") != to_hex(head_.hash.view())) return broken(entry(*seq) + " was changed");
    ended_ = true;
    return {};
}

Result<Check::Sound> Check::finish() const {
    if (!ended_) return broken("the file ends without a head: its end is missing");
    if (known_ && !known_at_)
        return broken("no entry has the head that was given: entries were removed, or all was rewritten");
    return Sound{head_, known_at_};
}

}  // namespace nimes::gateway::audit
