// Where the samples of one track lie (ISO/IEC 14496-12, 8.7): chunks by stco or co64, how many samples each holds by
// stsc, how long they are by stsz or stz2, and for old sound by its description.
#include "media/film_track.hpp"

#include <algorithm>

#include "media/film_sound.hpp"
#include "media/film_table.hpp"

namespace nimes::agent::media {
namespace {

struct Sizes {
    Table each;
    std::uint64_t one;  // of each sample; 0: they differ
    std::uint64_t samples;
};

struct Tables {
    Table chunks, runs;
    Sizes sizes;
    SoundSize sound;
};

Result<std::optional<Box>> sample_tables(Boxes& boxes, const Box& track) {
    auto box = std::optional(track);
    for (const auto* name : {"mdia", "minf", "stbl"}) {
        auto inside = boxes.child(*box, name);
        if (!inside || !*inside) return inside;
        box = *inside;
    }
    return box;
}

// stz2 has the numbers' width where stsz has the size of all.
Result<Sizes> sizes_of(Boxes& boxes, const Box& table) {
    const bool compact = table.is("stz2");
    const auto second = number_at(boxes, table, 4), samples = number_at(boxes, table, 8);
    if (!second || !samples) return unclear();
    const std::uint64_t bits = compact ? *second & 0xff : 32, one = compact ? 0 : *second;
    if (bits != 4 && bits != 8 && bits != 16 && bits != 32) return unclear();
    Sizes out{Table(boxes, table, 12, bits, one == 0 ? *samples : 0), one, *samples};
    return out.each.sound() ? Result<Sizes>(std::move(out)) : unclear();
}

Result<std::optional<Tables>> tables_of(Boxes& boxes, const Box& stbl, bool sound) {
    auto stco = boxes.child(stbl, "stco"), co64 = boxes.child(stbl, "co64"), stsc = boxes.child(stbl, "stsc"),
         stsz = boxes.child(stbl, "stsz"), stz2 = boxes.child(stbl, "stz2");
    for (auto* found : {&stco, &co64, &stsc, &stsz, &stz2})
        if (!*found) return pass(*found);
    if (!*stco && !*co64) return std::optional<Tables>{};
    const auto& places = *stco ? **stco : **co64;
    const auto chunks = number_at(boxes, places, 4);
    if (!chunks) return unclear();
    if (*chunks == 0) return std::optional<Tables>{};
    if (!*stsc || (!*stsz && !*stz2)) return unclear();
    const auto runs = number_at(boxes, **stsc, 4);
    auto sizes = sizes_of(boxes, *stsz ? **stsz : **stz2);
    if (!runs || !sizes) return unclear();
    auto described = SoundSize::exact();
    if (sound && sizes->one != 0) {
        auto read = SoundSize::described(boxes, stbl, sizes->one);
        if (!read) return pass(read);
        described = std::move(*read);
    }
    Tables out{Table(boxes, places, 8, *stco ? 32 : 64, *chunks), Table(boxes, **stsc, 8, 32, *runs * std::uint64_t{3}),
               std::move(*sizes), std::move(described)};
    if (!out.chunks.sound() || !out.runs.sound()) return unclear();
    return std::optional(std::move(out));
}

// How many samples each chunk has: asked for in order, from 1.
class Runs {
  public:
    explicit Runs(Table& table) : table_(table) {}
    Result<std::uint64_t> in_chunk(std::uint64_t chunk) {
        if (chunk == next_ && at_ < table_.count()) {
            const auto begins = table_.get(at_), count = table_.get(at_ + 1);
            const auto after = at_ + 3 < table_.count() ? table_.get(at_ + 3) : Result<std::uint64_t>(UINT64_MAX);
            if (!begins || !count || !after || *begins != chunk || *after <= chunk) return unclear();
            in_each_ = *count;
            next_ = *after;
            at_ += 3;
        }
        return in_each_ == 0 ? unclear() : Result<std::uint64_t>(in_each_);
    }

  private:
    Table& table_;
    std::uint64_t at_ = 0, next_ = 1, in_each_ = 0;
};

Result<std::uint64_t> length_of(Sizes& sizes, std::uint64_t first, std::uint64_t count) {
    if (sizes.one != 0) return sizes.one * count;
    std::uint64_t out = 0;
    for (auto i = first; i < first + count; ++i) {
        const auto size = sizes.each.get(i);
        if (!size) return size;
        out += *size;
    }
    return out;
}

}  // namespace

Result<void> each_chunk(Boxes& boxes, const Box& track, bool sound, const std::function<Result<void>(Chunk)>& add) {
    auto stbl = sample_tables(boxes, track);
    if (!stbl) return pass(stbl);
    if (!*stbl) return {};
    auto tables = tables_of(boxes, **stbl, sound);
    if (!tables) return pass(tables);
    if (!*tables) return {};
    auto& [chunks, run_table, sizes, described] = **tables;
    Runs runs(run_table);
    std::uint64_t sample = 0;
    for (std::uint64_t chunk = 1; chunk <= chunks.count(); ++chunk) {
        if (sample >= sizes.samples && described.is_exact()) break;
        const auto in_each = runs.in_chunk(chunk);
        const auto from = chunks.get(chunk - 1);
        if (!in_each || !from) return unclear();
        const auto count = std::min(*in_each, sizes.samples - sample);
        const auto length = described.is_exact() ? length_of(sizes, sample, count) : described.at_least(count);
        const auto most = described.is_exact() ? length : described.at_most(*in_each);
        if (!length || *length > UINT64_MAX - *from) return unclear();
        const auto end = *most > UINT64_MAX - *from ? UINT64_MAX : *from + *most;
        if (auto ok = add({{*from, *from + *length}, end}); !ok) return ok;
        sample += count;
    }
    return {};
}

Result<void> each_beside(Boxes& boxes, const Box& track, const std::function<Result<void>(std::uint64_t)>& add) {
    auto stbl = sample_tables(boxes, track);
    if (!stbl) return pass(stbl);
    return *stbl ? each_beside(boxes, **stbl, 0, add) : Result<void>();
}

Result<void> each_beside(Boxes& boxes, const Box& parent, std::uint64_t base,
                         const std::function<Result<void>(std::uint64_t)>& add) {
    return boxes.each(parent, [&](const Box& box) -> Result<void> {
        if (!box.is("saio")) return {};
        const auto head = number_at(boxes, box, 0);
        if (!head) return unclear();
        const std::uint64_t at = (*head & 1) != 0 ? 12 : 4;
        const auto count = number_at(boxes, box, at);
        if (!count) return unclear();
        Table places(boxes, box, at + 4, *head >> 24 == 0 ? 32 : 64, *count);
        if (!places.sound()) return unclear();
        for (std::uint64_t i = 0; i < places.count(); ++i) {
            const auto offset = places.get(i);
            if (!offset || *offset > UINT64_MAX - base) return unclear();
            if (auto ok = add(base + *offset); !ok) return ok;
        }
        return {};
    });
}

}  // namespace nimes::agent::media
