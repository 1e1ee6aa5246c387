#include "media/film_box.hpp"

#include <algorithm>

namespace nimes::agent::media {

Result<std::optional<Box>> Boxes::at(std::uint64_t at, std::uint64_t end) {
    if (end - at < 8) return std::optional<Box>{};
    if (++seen > limits.boxes) return fail(Errc::too_large, "the file is made of too many parts");
    ByteArray<8> head{};
    if (auto ok = look(at, head); !ok) return pass(ok);
    Box out;
    out.at = at;
    Reader in(head);
    out.size = in.u32();
    std::ranges::copy(as_text(head).substr(4), out.type.begin());
    if (out.size == 1) {
        if (end - at < 16) return fail(Errc::malformed, "a box of the file is too short");
        if (auto ok = look(at + 8, head); !ok) return pass(ok);
        out.size = Reader(head).u64();
        out.head = 16;
    } else if (out.size == 0 && end == size) {  // up to the file's end
        out.size = end - at;
    }
    if (out.size < out.head || out.size > end - at)
        return fail(Errc::malformed, "a part of the file does not end where it should: it was cut, or is damaged");
    return std::optional(out);
}

Result<std::optional<Box>> Boxes::child(const Box& parent, std::string_view name) {
    for (auto next = parent.inside(); next < parent.end();) {
        auto box = at(next, parent.end());
        if (!box || !*box || (*box)->is(name)) return box;
        next = (*box)->end();
    }
    return std::optional<Box>{};
}

Result<void> Boxes::each(const Box& parent, const std::function<Result<void>(const Box&)>& one) {
    for (auto next = parent.inside(); next < parent.end();) {
        auto box = at(next, parent.end());
        if (!box) return pass(box);
        if (!*box) return {};
        if (auto ok = one(**box); !ok) return ok;
        next = (*box)->end();
    }
    return {};
}

Result<void> BoxWalk::omit(Omission one) {
    auto& all = out.omissions;
    if (one.length == 0) return {};
    if (!all.empty() && one.first == std::array<char, 4>{} && one.at == all.back().at + all.back().length) {
        all.back().length += one.length;
        return {};
    }
    if (all.size() >= boxes.limits.places) return fail(Errc::too_large, "the file is made of too many parts");
    all.push_back(one);
    return {};
}

Result<void> BoxWalk::set_free(const Box& box) {
    const bool wide = box.head > 8;
    if (auto ok = omit({box.at + 4, wide ? 4 : box.size - 4, false, kFree}); !ok || !wide) return ok;
    return omit({box.inside(), box.payload()});
}

Result<void> BoxWalk::each(const Box& parent, const std::function<Result<void>(const Box&)>& one) {
    for (auto at = parent.inside(); at < parent.end();) {
        auto box = boxes.at(at, parent.end());
        if (!box) return pass(box);
        if (!*box) return omit({at, parent.end() - at});
        if (auto ok = one(**box); !ok) return ok;
        at = (*box)->end();
    }
    return {};
}

Result<void> BoxWalk::hide_handler(const Box& box) {
    constexpr std::uint64_t kType = 12;
    if (box.payload() < kType) return fail(Errc::malformed, "a box of the file is too short");
    return omit({box.inside() + kType, box.payload() - kType});
}

}  // namespace nimes::agent::media
