// The directory audited: its newest revision fetched whole, proven, and compared with a roster.
#include <fstream>
#include <iterator>

#include "directory/audit.hpp"
#include "engine/impl.hpp"

namespace nimes::agent::engine {
namespace {

constexpr std::size_t kMostRoster = std::size_t{32} << 20;

Result<std::vector<std::string>> read_roster(const std::filesystem::path& file) {
    std::error_code error;
    const auto size = std::filesystem::file_size(file, error);
    if (error || size > kMostRoster) return fail(Errc::usage, "the roster is no file, or longer than 32 MiB");
    std::ifstream in(file, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    if (!in.good() && !in.eof()) return fail(Errc::usage, "the roster cannot be read");
    return directory::roster_addresses(text);
}

}  // namespace

Result<directory::AuditReport> Agent::audit(const std::filesystem::path& roster_file, const std::stop_token& stop) {
    std::vector<std::string> roster;
    if (!roster_file.empty()) {
        auto read = read_roster(roster_file);
        if (!read) return pass(read);
        roster = std::move(*read);
    }
    Impl::Visit lock(*impl_);
    if (auto ok = impl_->ready(); !ok) return pass(ok);
    auto& core = impl_->core;
    if (auto ok = impl_->fresh_own_entry(lock); !ok) return pass(ok);
    const auto head = core.directory->head();
    lock.unlock();
    directory::Audit audit(head.hash());
    auto fetched = impl_->network->dump(
        head.revision, directory::Audit::most_bytes(head), [&](ByteView bytes) { return audit.feed(bytes); }, stop);
    auto report = fetched ? audit.finish() : Result<directory::AuditReport>(pass(fetched));
    lock.lock();
    if (!report && (report.error().code == Errc::proof_invalid || report.error().code == Errc::malformed)) {
        auto raised = core.transact([&](container::Transaction& tx) {
            return core.raise_alarm(tx, "the directory shows a list of everybody that its own head does not bear out");
        });
        if (!raised) return pass(raised);
    }
    if (report && !roster_file.empty()) audit.compare(*report, roster, *core.directory);
    return report;
}

}  // namespace nimes::agent::engine
