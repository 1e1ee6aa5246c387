// When a device publishes, distrusts and erases its seal keys (FORMATS.md 2.4), as values and pure functions.
//
// A SealBook is what a device remembers of its own publications; a key belongs to the publication with the highest
// first_key_id that is not above its id, so nothing is written to a key's row when a newer batch takes its place.
// Times: `now` is the one for admitting, `erasing` the one for erasing (FORMATS.md 2.1); see erasing_time().
// Pure; thread safe. Errors: Errc::malformed by parse.
#pragma once

#include "sealing/seal_keys.hpp"

namespace nimes::agent::sealing {

inline constexpr std::size_t kOneTimeKeys = 100;    // at the gateway, after a publication or a refill
inline constexpr std::size_t kFewOneTimeKeys = 25;  // below it, more are published
inline constexpr std::size_t kOneTimeAtMost = 32;   // devices in a grant that uses them
inline constexpr Millis kFetchedKeyLife = kDay;     // a sender uses no record fetched longer ago

struct Publication {
    std::uint32_t batch_no = 0;
    std::uint32_t first_key_id = 0;
    Millis published = 0;  // when the gateway took it; 0: that is not known, so it may have

    bool operator==(const Publication&) const = default;
};

struct SealBook {
    std::vector<Publication> publications;  // oldest first, ids and batch numbers rising
    std::uint32_t next_key_id = 1;
    Millis drained = 0;           // all that was in the mailbox at this time is here
    Millis clone_alarm = 0;       // newest: chains opened up to then are replaced
    std::uint32_t foreign = 0;    // batch_no of the newest batch that others published in this device's name
    std::uint32_t alarmed = 0;    // key id that the newest alarm was about; 0: it was about a number alone
    Millis old_keys_noticed = 0;  // newest

    [[nodiscard]] Bytes encode() const;
    static Result<SealBook> parse(ByteView bytes);

    // Newest batch that was or may have been published; 0: none.
    [[nodiscard]] std::uint32_t batch() const;
    [[nodiscard]] const Publication* newest() const { return publications.empty() ? nullptr : &publications.back(); }
    // When a newer batch took the place of this key's; 0: not yet, as far as is known.
    [[nodiscard]] Millis replaced(std::uint32_t key_id) const;
};

// The time for erasing: no clock that jumped ahead erases anything, because the newest directory head, which comes at
// least hourly to a device that drains its mailbox, bounds it.
Millis erasing_time(Millis local, Millis admitting, Millis head_ts);

// Nobody but a hostile server can bring anything sealed to it any more.
bool over(const SealBook& book, const OwnSealKey& key, Millis erasing);

// Ids rise with the clock too, so that a device restored from an old copy names no key that it named before.
std::uint32_t first_key_id(const SealBook& book, Millis now);
// The number of the next batch: today's, or tomorrow's when the gateway holds that already.
std::uint32_t next_batch_no(const SealBook& book, Millis now);
enum class Publish : std::uint8_t { nothing, again, batch };  // again: the gateway may not have the newest publication
Publish publish_due(const SealBook& book, Millis now);
// How many one-time keys to add when the gateway says that `left` are left.
std::size_t refill(std::size_t left);

// Takes down a publication before it is tried; published(): the gateway has it.
void begin_publication(SealBook& book, std::uint32_t batch_no, std::uint32_t first, std::size_t keys);
void published(SealBook& book, Millis now);

// What the gateway shows as this device's. older: it fell back, so publish again. foreign: another one has the
// identity key.
enum class Shown : std::uint8_t { ours, older, foreign };
Shown judge_batch_no(const SealBook& book, std::uint32_t shown);
// held: the record with this id in the container, if it is still there.
Shown judge_record(const SealBook& book, const SealKey& shown, const SealKey* held);
// True when it is a new alarm, which rotates the chains and publishes anew; false for one that was raised before.
bool note_foreign(SealBook& book, std::uint32_t batch_no, std::uint32_t key_id, Millis now);

// A wrap came under a key replaced more than 48 h ago: true when a notice is due (one a day).
bool note_wrap(SealBook& book, std::uint32_t key_id, Millis now);

}  // namespace nimes::agent::sealing
