#include "media/film_data.hpp"

#include <algorithm>

namespace nimes::agent::media {
namespace {

using Extents = std::vector<Extent>;

// In order, those that touch made one.
void put_in_order(Extents& all) {
    std::ranges::sort(all, {}, &Extent::from);
    std::size_t out = 0;
    for (const auto& one : all) {
        if (out > 0 && one.from <= all[out - 1].to) all[out - 1].to = std::max(all[out - 1].to, one.to);
        else all[out++] = one;
    }
    all.resize(out);
}

// The first place from `at` on that is one of them.
std::uint64_t next_in(const Extents& ordered, std::uint64_t at) {
    const auto next = std::ranges::upper_bound(ordered, at, {}, &Extent::to);
    return next == ordered.end() ? UINT64_MAX : std::max(at, next->from);
}

}  // namespace

const Extent* FilmData::box_of(Extent extent) const {
    const auto after = std::ranges::upper_bound(boxes_, extent.from, {}, &Extent::from);
    return after == boxes_.begin() || extent.to > (after - 1)->to ? nullptr : &*(after - 1);
}

Result<void> FilmData::put(Extents& into, Extent extent) {
    if (!into.empty() && into.back().to == extent.from && extent.to != UINT64_MAX) {
        into.back().to = extent.to;
        return {};
    }
    if (room_ == 0) return fail(Errc::too_large, "the file is made of too many parts");
    --room_;
    into.push_back(extent);
    return {};
}

Result<void> FilmData::keep(const Chunk& chunk) {
    const auto& [sure, at_most] = chunk;
    if (sure.from < sure.to) {
        if (box_of(sure) == nullptr) return fail(Errc::malformed, "data of a track lies outside the video's data");
        if (auto ok = put(kept_, sure); !ok) return ok;
    }
    return at_most > sure.to && box_of({sure.to, sure.to}) != nullptr ? put(maybe_, {sure.to, at_most})
                                                                      : Result<void>();
}

Result<void> FilmData::keep_from(std::uint64_t at) { return keep({{at, at}, UINT64_MAX}); }

Result<void> FilmData::leave(Extent extent) {
    if (extent.from == extent.to) return {};
    if (box_of(extent) == nullptr) return fail(Errc::malformed, "data of a track lies outside the video's data");
    return put(left_, extent);
}

// Never into what goes; and where nobody says how far, up to what is somebody's.
void FilmData::keep_what_may_be() {
    for (auto& one : maybe_) {
        if (one.to == UINT64_MAX) one.to = next_in(kept_, one.from);
        one.to = std::min({one.to, next_in(left_, one.from), box_of({one.from, one.from})->to});
    }
    kept_.insert(kept_.end(), maybe_.begin(), maybe_.end());
    maybe_ = {};
    put_in_order(kept_);
}

Result<void> FilmData::each_other(const std::function<Result<void>(Extent)>& add) {
    put_in_order(kept_);
    put_in_order(left_);
    for (const auto& one : left_)
        if (next_in(kept_, one.from) < one.to)
            return fail(Errc::malformed, "picture or sound lie where another track of the video has its data");
    keep_what_may_be();
    auto kept = kept_.begin();
    for (const auto& box : boxes_) {
        auto at = box.from;
        for (; kept != kept_.end() && kept->from < box.to; ++kept) {
            if (kept->from > at)
                if (auto ok = add({at, kept->from}); !ok) return ok;
            at = std::max(at, kept->to);
        }
        if (at < box.to)
            if (auto ok = add({at, box.to}); !ok) return ok;
    }
    return {};
}

}  // namespace nimes::agent::media
