#include "audit/log.hpp"

#include "nimes/crypto.hpp"
#include "nimes/encoding.hpp"

namespace nimes::gateway::audit {
namespace {

using Json = nlohmann::ordered_json;
constexpr const char* kHead = "h";  // seq u64 ‖ hash 32

const store::Partition& partition() {
    static const store::Partition where{store::Family::audit, "log"};
    return where;
}

std::string key_of(std::uint64_t seq) { return "e" + store::key_u64(seq); }
Bytes encode(const Head& head) { return std::move(Writer().u64(head.seq).id(head.hash)).take(); }
std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace

Digest hash_of(std::string_view line) { return sha256({as_bytes(line)}); }

std::string line_of(const Act& act, const Head& before, Millis now) {
    return text_of({{"audit", 1},
                    {"seq", before.seq + 1},
                    {"ms", now},
                    {"who", act.who},
                    {"what", act.what},
                    {"whom", act.whom},
                    {"why", act.why},
                    {"prev", to_hex(before.hash.view())}});
}

std::string head_line(const Head& head, Millis now) {
    return text_of({{"audit_head", 1}, {"seq", head.seq}, {"hash", to_hex(head.hash.view())}, {"exported_ms", now}});
}

Result<std::unique_ptr<Log>> Log::open(store::Store& store, const Clock& clock) {
    std::unique_ptr<Log> out(new Log(store, clock));
    auto stored = store.get(partition(), kHead);
    if (!stored) return pass(stored);
    if (*stored) {
        Reader in(**stored);
        out->head_.seq = in.u64();
        out->head_.hash = in.id<Digest>();
        if (!in.done()) return fail(Errc::storage, "the audit's head is damaged");
    }
    auto newest = store.last(partition(), "e", "f");
    if (!newest) return pass(newest);
    const bool agree =
        *newest ? (*newest)->key == key_of(out->head_.seq) && hash_of(as_text((*newest)->value)) == out->head_.hash
                : out->head_.seq == 0;
    if (!agree) return fail(Errc::storage, "the audit does not end as its head says: entries are lost or changed");
    return out;
}

store::Batch Log::next(const Act& act) {
    const auto line = line_of(act, head_, clock_.now());
    wanted_ = {head_.seq + 1, hash_of(line)};
    store::Batch row(partition());
    row.expect(key_of(wanted_.seq), std::nullopt);
    row.put(key_of(wanted_.seq), as_bytes(line)).put(kHead, encode(wanted_));
    return row;
}

// A commit that failed may yet have reached the disk, one that was not wanted never began: the store knows.
Result<void> Log::settle() {
    auto stored = store_.get(partition(), kHead);
    if (!stored) return pass(stored);
    if (*stored && **stored == encode(wanted_)) head_ = wanted_;
    return {};
}

Result<void> Log::write(const Act& act) {
    return write(act, [this](const store::Batch& row) { return store_.commit(row, store::Sync::yes); });
}

Head Log::head() const {
    const std::lock_guard lock(mutex_);
    return head_;
}

Result<std::vector<std::string>> Log::read(std::uint64_t from, std::size_t limit) const {
    auto rows = store_.scan(partition(), key_of(from), "f", limit);
    if (!rows) return pass(rows);
    std::vector<std::string> out;
    for (const auto& row : *rows) out.emplace_back(as_text(row.value));
    return out;
}

}  // namespace nimes::gateway::audit
