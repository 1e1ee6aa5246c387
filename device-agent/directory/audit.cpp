#include "directory/audit.hpp"

#include <algorithm>
#include <iterator>

#include "nimes/service_address.hpp"

namespace nimes::agent::directory {
namespace {

constexpr std::uint64_t kLargestLeaf = 1 + UserId::size + 4 + kMaxRecords * Digest::size;
constexpr std::uint64_t kMostBytes = std::uint64_t{256} << 20;

std::string_view next_line(std::string_view& rest) {
    const auto end = rest.find('\n');
    auto line = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

std::vector<std::string> fields_of(std::string_view line, char separator) {
    std::vector<std::string> out(1);
    bool quoted = false;
    for (const char c : line) {
        if (c == '"') quoted = !quoted;
        else if (c == separator && !quoted) out.emplace_back();
        else out.back() += c;
    }
    return out;
}

}  // namespace

std::uint64_t Audit::most_bytes(const DirectoryHead& head) {
    const auto leaves = std::min(head.n_leaves, kMostBytes / kLargestLeaf);
    return kDumpHead + leaves * kLargestLeaf;
}

Result<void> Audit::take(const MapLeaf& leaf) {
    if (leaf.kind == LeafKind::user) ++people_;
    else addresses_.insert(Digest::from(ByteView(leaf.content).first(Digest::size)));
    return {};
}

Result<AuditReport> Audit::finish() {
    const auto head = reader_.finish();
    if (!head) return fail(head.error().code, head.error().detail);
    if (head->hash() != head_hash_) return fail(Errc::proof_invalid, "a dump of another head than the one verified");
    AuditReport out;
    out.revision = head->revision;
    out.ts = head->ts;
    out.people = people_;
    out.reachable = addresses_.size();
    return out;
}

void Audit::compare(AuditReport& report, std::span<const std::string> roster, const HeldDirectory& directory) const {
    report.compared = true;
    std::set<Digest> expected;
    for (const auto& address : roster) {
        const auto hash = directory.address_hash(address);
        expected.insert(hash);
        if (!addresses_.contains(hash)) report.without_devices.push_back(address);
    }
    std::set_difference(addresses_.begin(), addresses_.end(), expected.begin(), expected.end(),
                        std::back_inserter(report.strangers));
}

Result<std::vector<std::string>> roster_addresses(std::string_view text) {
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    const auto header = next_line(text);
    const char separator = header.find(';') != std::string_view::npos ? ';' : ',';
    const auto names = fields_of(header, separator);
    const auto column = std::find(names.begin(), names.end(), "address") - names.begin();
    if (static_cast<std::size_t>(column) == names.size())
        return fail(Errc::usage, "the roster's first line names no column address");
    std::vector<std::string> out;
    for (std::size_t number = 2; !text.empty(); ++number) {
        const auto line = next_line(text);
        if (line.empty()) continue;
        const auto fields = fields_of(line, separator);
        const auto address = static_cast<std::size_t>(column) < fields.size()
                                 ? ServiceAddress::parse(fields[static_cast<std::size_t>(column)])
                                 : Result<ServiceAddress>(fail(Errc::bad_address));
        if (!address) return fail(Errc::usage, "the roster's line " + std::to_string(number) + " has no address");
        out.push_back(address->text());
    }
    return out;
}

}  // namespace nimes::agent::directory
