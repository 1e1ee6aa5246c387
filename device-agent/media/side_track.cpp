// Where the samples of one track lie (ISO/IEC 14496-12, 8.7): chunks by stco or co64, how many samples each holds by
// stsc, how long they are by stsz.
#include <algorithm>

#include "media/film_box.hpp"

namespace nimes::agent::media {
namespace {

constexpr std::uint64_t kWindow = 4'096;

// Numbers of `width` bytes in a row, read through a small window.
class Table {
  public:
    Table(Boxes& boxes, const Box& box, std::uint64_t offset, std::uint64_t width, std::uint64_t count)
        : boxes_(boxes), from_(box.inside() + offset), width_(width), count_(count) {
        sound_ = offset <= box.payload() && count <= (box.payload() - offset) / width && count <= boxes.limits.entries;
    }
    [[nodiscard]] bool sound() const { return sound_; }
    [[nodiscard]] std::uint64_t count() const { return count_; }
    Result<std::uint64_t> get(std::uint64_t index) {
        const auto at = index * width_;
        if (window_.empty() || at < begins_ || at + width_ > begins_ + window_.size()) {
            begins_ = at;
            window_.resize(std::min(kWindow, (count_ - index) * width_));
            if (auto ok = boxes_.look(from_ + at, window_); !ok) return pass(ok);
        }
        Reader in(ByteView(window_).subspan(at - begins_, width_));
        return width_ == 8 ? in.u64() : in.u32();
    }

  private:
    Boxes& boxes_;
    std::uint64_t from_, width_, count_, begins_ = 0;
    bool sound_ = false;
    Bytes window_;
};

tl::unexpected<Error> unclear() {
    return fail(Errc::malformed, "it cannot be told where a track of the video has its data");
}

struct Track {
    Table chunks, runs, sizes;
    std::uint64_t one_size;  // of each sample; 0: they differ
    std::uint64_t samples;
};

Result<std::uint32_t> number(Boxes& boxes, const Box& box, std::uint64_t offset) {
    auto read = boxes.bytes<4>(box, offset);
    if (!read) return pass(read);
    return Reader(*read).u32();
}

Result<std::optional<Track>> tables_of(Boxes& boxes, const Box& track) {
    auto box = std::optional(track);
    for (const auto* name : {"mdia", "minf", "stbl"}) {
        auto inside = boxes.child(*box, name);
        if (!inside) return pass(inside);
        if (!*inside) return std::optional<Track>{};  // no samples
        box = *inside;
    }
    auto stco = boxes.child(*box, "stco"), co64 = boxes.child(*box, "co64"), stsc = boxes.child(*box, "stsc"),
         stsz = boxes.child(*box, "stsz");
    for (auto* found : {&stco, &co64, &stsc, &stsz})
        if (!*found) return pass(*found);
    if (!*stco && !*co64) return std::optional<Track>{};
    if (!*stsc || !*stsz) return unclear();
    const auto& places = *stco ? **stco : **co64;
    auto chunks = number(boxes, places, 4), runs = number(boxes, **stsc, 4), one = number(boxes, **stsz, 4),
         samples = number(boxes, **stsz, 8);
    for (auto* read : {&chunks, &runs, &one, &samples})
        if (!*read) return pass(*read);
    Track out{Table(boxes, places, 8, *stco ? 4 : 8, *chunks), Table(boxes, **stsc, 8, 4, *runs * std::uint64_t{3}),
              Table(boxes, **stsz, 12, 4, *one == 0 ? *samples : 0), *one, *samples};
    if (!out.chunks.sound() || !out.runs.sound() || !out.sizes.sound()) return unclear();
    return std::optional(std::move(out));
}

Result<std::uint64_t> length_of(Track& track, std::uint64_t first, std::uint64_t count) {
    if (track.one_size != 0) return track.one_size * count;
    std::uint64_t out = 0;
    for (auto i = first; i < first + count; ++i) {
        const auto size = track.sizes.get(i);
        if (!size) return size;
        out += *size;
    }
    return out;
}

}  // namespace

Result<void> each_chunk(Boxes& boxes, const Box& box, const std::function<Result<void>(Extent)>& add) {
    auto track = tables_of(boxes, box);
    if (!track) return pass(track);
    if (!*track) return {};
    auto& [chunks, runs, sizes, one_size, samples] = **track;
    std::uint64_t sample = 0, run = 0, in_each = 0, next_run = 1;
    for (std::uint64_t chunk = 1; chunk <= chunks.count() && sample < samples; ++chunk) {
        while (chunk == next_run && run < runs.count()) {
            const auto count = runs.get(run + 1);
            const auto after = run + 3 < runs.count() ? runs.get(run + 3) : Result<std::uint64_t>(UINT64_MAX);
            const auto begins = runs.get(run);
            if (!count || !after || !begins) return unclear();
            if (*begins != chunk || *after <= chunk) return unclear();
            in_each = *count;
            next_run = *after;
            run += 3;
        }
        if (in_each == 0) return unclear();
        const auto count = std::min(in_each, samples - sample);
        const auto from = chunks.get(chunk - 1);
        const auto length = length_of(**track, sample, count);
        if (!from || !length) return unclear();
        if (*length > UINT64_MAX - *from) return unclear();
        if (auto ok = *length == 0 ? Result<void>() : add({*from, *from + *length}); !ok) return ok;
        sample += count;
    }
    return sample < samples ? Result<void>(unclear()) : Result<void>();
}

}  // namespace nimes::agent::media
