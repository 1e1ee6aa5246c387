#include "enrolment/codes.hpp"

namespace nimes::gateway::enrolment {
namespace {

constexpr std::size_t kDigits = 8;
constexpr std::uint32_t kCodes = 100'000'000;
constexpr std::size_t kScan = 1'000;
constexpr std::string_view kCodeLabel = "nimes/code";
constexpr std::string_view kDecoy = "decoy";  // no service address: it has no @

store::Partition partition() { return {store::Family::enrolment, "codes"}; }

struct CodeRow {
    Digest hash;
    Millis ends = 0;
    std::uint8_t wrong = 0;
    PublicKey used_by;  // zero: nobody yet

    [[nodiscard]] Bytes encode() const { return std::move(Writer().id(hash).u64(ends).u8(wrong).id(used_by)).take(); }
    static std::optional<CodeRow> parse(ByteView bytes) {
        Reader in(bytes);
        CodeRow out;
        out.hash = in.id<Digest>();
        out.ends = in.u64();
        out.wrong = in.u8();
        out.used_by = in.id<PublicKey>();
        if (!in.done()) return std::nullopt;
        return out;
    }
};

// Uniform below 10^8: values of the last, incomplete round are drawn again.
std::uint32_t draw(RandomSource& random) {
    constexpr std::uint32_t kLimit = 0xffff'ffffu / kCodes * kCodes;
    for (;;) {
        ByteArray<4> bytes{};
        random.fill(bytes);
        const auto value = Reader(bytes).u32();
        if (value < kLimit) return value % kCodes;
    }
}

}  // namespace

std::string digits_of(std::string_view typed) {
    std::string out;
    for (const char c : typed) {
        if (c == ' ' || c == '-') continue;
        if (c < '0' || c > '9' || out.size() == kDigits) return {};
        out += c;
    }
    return out.size() == kDigits ? out : std::string{};
}

Digest Codes::hash_of(const ServiceAddress& address, std::string_view code) const {
    ByteArray<1> zero{};
    return keyed_hash(kCodeLabel, {as_bytes(address.text()), zero, as_bytes(code)}, pepper_.view());
}

Result<std::string> Codes::issue(const ServiceAddress& address, Millis now) {
    return put_new(address.text(), address, now + policy_.code_life);
}

Result<void> Codes::pretend(const ServiceAddress& address) {
    if (auto code = put_new(std::string(kDecoy), address, 0); !code) return pass(code);
    return {};
}

Result<std::string> Codes::put_new(const std::string& key, const ServiceAddress& address, Millis ends) {
    auto code = std::to_string(draw(random_));
    code.insert(0, kDigits - code.size(), '0');
    const std::lock_guard lock(mutex_);
    store::Batch batch(partition());
    batch.put(key, CodeRow{hash_of(address, code), ends, 0, {}}.encode());
    if (auto ok = store_.commit(batch, store::Sync::yes); !ok) return pass(ok);
    return code;
}

Result<void> Codes::redeem(const ServiceAddress& address, std::string_view typed, const PublicKey& identity,
                           Millis now) {
    const auto given = hash_of(address, digits_of(typed));  // computed always: no difference in time
    const std::lock_guard lock(mutex_);
    auto stored = store_.get(partition(), address.text());
    if (!stored) return pass(stored);
    auto row = *stored ? CodeRow::parse(**stored) : std::nullopt;
    const bool open = row && now < row->ends && row->wrong < policy_.tries;
    const bool exhausted = row && row->wrong >= policy_.tries;
    const bool right = open && sodium_memcmp(row->hash.bytes.data(), given.bytes.data(), Digest::size) == 0;
    if (right && row->used_by == identity) return {};
    const bool redeemed = right && row->used_by.is_zero();
    if (redeemed) row->used_by = identity;
    else if (open) ++row->wrong;
    // The try is on disk before its outcome is known to anybody. Where no code is open a decoy is written instead: how
    // long an answer takes must not tell whether one is.
    store::Batch batch(partition());
    batch.put(open ? address.text() : std::string(kDecoy), row.value_or(CodeRow{}).encode());
    if (auto ok = store_.commit(batch, store::Sync::yes); !ok) return ok;
    if (redeemed) return {};
    return fail(exhausted || (open && row->wrong >= policy_.tries) ? Errc::code_exhausted : Errc::code_wrong);
}

Result<void> Codes::expire(Millis now) {
    const std::lock_guard lock(mutex_);
    std::string from;
    for (;;) {
        auto rows = store_.scan(partition(), from, {}, kScan);
        if (!rows) return pass(rows);
        store::Batch batch(partition());
        for (const auto& row : *rows)
            if (const auto code = CodeRow::parse(row.value); !code || now >= code->ends) batch.erase(row.key);
        if (!batch.writes.empty())
            if (auto ok = store_.commit(batch, store::Sync::no); !ok) return ok;
        if (rows->size() < kScan) return {};
        from = rows->back().key + '\0';
    }
}

}  // namespace nimes::gateway::enrolment
