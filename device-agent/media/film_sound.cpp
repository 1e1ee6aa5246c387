#include "media/film_sound.hpp"

#include <algorithm>

#include "media/film_table.hpp"

namespace nimes::agent::media {
namespace {

// Nothing of a real sound is longer: a number beyond it is none, but part of something else.
constexpr std::uint64_t kMost = 1U << 20;
constexpr std::size_t kDescriptions = 64;

}  // namespace

bool SoundSize::add(std::uint64_t samples, std::uint64_t bytes) {
    if (samples == 0 || bytes == 0 || samples > kMost || bytes > kMost) return false;
    forms_.push_back({samples, bytes});
    return true;
}

bool SoundSize::by_name(const Box& entry, std::uint64_t channels, std::uint64_t bits) {
    if (entry.is_of("twos sowt raw  NONE lpcm ipcm fpcm")) return add(1, channels * (bits == 0 ? 2 : (bits + 7) / 8));
    if (entry.is_of("alaw ulaw")) return add(1, channels);
    if (entry.is("in24")) return add(1, channels * 3);
    if (entry.is_of("in32 fl32")) return add(1, channels * 4);
    if (entry.is("fl64")) return add(1, channels * 8);
    if (entry.is("ima4")) return add(64, channels * 34);
    if (entry.is("MAC3")) return add(6, channels * 2);
    if (entry.is("MAC6")) return add(6, channels);
    return false;
}

// Behind six bytes and a number: version, revision, maker, channels, bits, kind of packing, packet, rate. Version 1 has
// the samples of a packet and its bytes behind it, version 2 numbers of its own.
void SoundSize::read(const Boxes& boxes, const Box& entry) {
    const auto head = boxes.bytes<28>(entry, 0);
    if (!head) {
        known_ = false;
        return;
    }
    Reader in(*head);
    in.take(8);
    const auto version = in.u16();
    in.take(6);
    const auto channels = in.u16(), bits = in.u16();
    bool found = false;
    if (version == 2) {
        const auto wide = boxes.bytes<36>(entry, 28);
        Reader more(wide ? ByteView(*wide) : ByteView());
        more.take(12);
        const std::uint64_t all = more.u32();
        more.take(4);
        const std::uint64_t of_each = more.u32();
        more.take(4);
        const auto bytes = more.u32(), samples = more.u32();
        found = add(samples, bytes);
        if (all <= kMost && of_each <= kMost) found = by_name(entry, all, of_each) || found;
    } else {
        const auto more = version == 1 ? boxes.bytes<16>(entry, 28) : fail(Errc::malformed);
        if (more) found = add(Reader(*more).u32(), Reader(ByteView(*more).subspan(8)).u32());
        found = by_name(entry, channels, bits) || found;
    }
    known_ = known_ && found;
}

Result<SoundSize> SoundSize::described(Boxes& boxes, const Box& stbl, std::uint64_t one_size) {
    SoundSize out(false);
    auto stsd = boxes.child(stbl, "stsd");
    if (!stsd) return pass(stsd);
    std::size_t entries = 0;
    if (*stsd && (*stsd)->payload() >= 8) {
        auto inner = **stsd;
        inner.head += 8;  // version, how many
        auto ok = boxes.each(inner, [&](const Box& entry) -> Result<void> {
            if (++entries > kDescriptions) return unclear();
            out.read(boxes, entry);
            return {};
        });
        if (!ok) return pass(ok);
    }
    // A size of one byte is what is written where it means nothing; any other is one that players may go by.
    out.known_ = out.known_ && entries > 0;
    if (one_size != 1) {
        out.known_ = true;
        out.forms_.push_back({1, one_size});
    }
    return out;
}

std::uint64_t SoundSize::at_least(std::uint64_t samples) const {
    if (!known_) return samples == 0 ? 0 : 1;
    auto out = UINT64_MAX;
    for (const auto& form : forms_) out = std::min(out, form.of(samples));
    return out;
}

std::uint64_t SoundSize::at_most(std::uint64_t samples) const {
    if (!known_) return UINT64_MAX;
    std::uint64_t out = 0;
    for (const auto& form : forms_) out = std::max(out, form.of(samples));
    return out;
}

}  // namespace nimes::agent::media
