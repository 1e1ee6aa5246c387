#include "sealing/seal_key_rules.hpp"

#include <algorithm>

namespace nimes::agent::sealing {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::size_t kPublicationsKept = 64;
constexpr Millis kYear2020 = Millis{1'577'836'800} * kSecond;
constexpr Millis kHeadEvery = kHour;
constexpr Millis kOldKeys = 2 * kDay;

// A day after `end`, when what came late was fetched too.
bool past(const SealBook& book, Millis end, Millis erasing) {
    return erasing > end + kDay && book.drained > end + kDay;
}

}  // namespace

Bytes SealBook::encode() const {
    Writer out;
    out.u8(kFormat).u32(next_key_id).u64(drained).u64(clone_alarm).u32(foreign).u32(alarmed).u64(old_keys_noticed);
    out.u8(static_cast<std::uint8_t>(publications.size()));
    for (const auto& p : publications) out.u32(p.batch_no).u32(p.first_key_id).u64(p.published);
    return std::move(out).take();
}

Result<SealBook> SealBook::parse(ByteView bytes) {
    Reader in(bytes);
    SealBook out;
    in.expect_u8(kFormat);
    out.next_key_id = in.u32();
    out.drained = in.u64();
    out.clone_alarm = in.u64();
    out.foreign = in.u32();
    out.alarmed = in.u32();
    out.old_keys_noticed = in.u64();
    for (auto n = in.u8(); n > 0 && !in.failed(); --n) {
        Publication p;
        p.batch_no = in.u32();
        p.first_key_id = in.u32();
        p.published = in.u64();
        out.publications.push_back(p);
    }
    if (!in.done()) return fail(Errc::malformed, "what is remembered of seal keys");
    return out;
}

std::uint32_t SealBook::batch() const {
    std::uint32_t out = 0;
    for (const auto& p : publications) out = std::max(out, p.batch_no);
    return out;
}

Millis SealBook::replaced(std::uint32_t key_id) const {
    for (const auto& p : publications)
        if (p.first_key_id > key_id && p.published != 0) return p.published;
    return 0;
}

Millis erasing_time(Millis local, Millis admitting, Millis head_ts) {
    return std::min({local, admitting, head_ts + kHeadEvery});
}

bool over(const SealBook& book, const OwnSealKey& key, Millis erasing) {
    if (past(book, key.record.not_after, erasing)) return true;
    const auto replaced = book.replaced(key.record.key_id);
    return replaced != 0 && past(book, replaced, erasing);
}

std::uint32_t first_key_id(const SealBook& book, Millis now) {
    const auto since_2020 = now > kYear2020 ? (now - kYear2020) / kSecond : 0;
    return std::max(book.next_key_id, static_cast<std::uint32_t>(since_2020));
}

std::uint32_t next_batch_no(const SealBook& book, Millis now) {
    const auto today = utc_day(now);
    return std::clamp(std::max(book.batch(), book.foreign), today, today + 1);
}

Publish publish_due(const SealBook& book, Millis now) {
    const auto* newest = book.newest();
    if (newest == nullptr || newest->batch_no < utc_day(now) || book.foreign != 0) return Publish::batch;
    return newest->published == 0 ? Publish::again : Publish::nothing;
}

std::size_t refill(std::size_t left) { return left < kFewOneTimeKeys ? kOneTimeKeys - left : 0; }

void begin_publication(SealBook& book, std::uint32_t batch_no, std::uint32_t first, std::size_t keys) {
    book.publications.push_back({batch_no, first, 0});
    if (book.publications.size() > kPublicationsKept) book.publications.erase(book.publications.begin());
    book.next_key_id = first + static_cast<std::uint32_t>(keys);
}

void published(SealBook& book, Millis now) {
    if (book.publications.empty()) return;
    book.publications.back().published = now;
    book.foreign = 0;
}

Shown judge_batch_no(const SealBook& book, std::uint32_t shown) {
    if (shown > book.batch()) return Shown::foreign;
    return shown == book.batch() ? Shown::ours : Shown::older;
}

Shown judge_record(const SealBook& book, const SealKey& shown, const SealKey* held) {
    const auto* newest = book.newest();
    const bool before = newest != nullptr && shown.key_id < newest->first_key_id;
    if (held != nullptr && *held == shown) return before && newest->published != 0 ? Shown::older : Shown::ours;
    // Not here any more: it may have been erased, if its batch was replaced.
    return held == nullptr && before && shown.batch_no < newest->batch_no ? Shown::older : Shown::foreign;
}

bool note_foreign(SealBook& book, std::uint32_t batch_no, std::uint32_t key_id, Millis now) {
    const bool same = key_id == 0 || book.alarmed == 0 || book.alarmed == key_id;
    if (book.foreign == batch_no && same) return false;
    book.foreign = batch_no;
    book.alarmed = key_id;
    book.clone_alarm = now;
    return true;
}

bool note_wrap(SealBook& book, std::uint32_t key_id, Millis now) {
    const auto replaced = book.replaced(key_id);
    if (replaced == 0 || now <= replaced + kOldKeys) return false;
    if (book.old_keys_noticed != 0 && now < book.old_keys_noticed + kDay) return false;
    book.old_keys_noticed = now;
    return true;
}

}  // namespace nimes::agent::sealing
