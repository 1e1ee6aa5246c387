#include "media/chunks.hpp"

#include <algorithm>

namespace nimes::agent::media {
namespace {

constexpr std::string_view kPngKept =
    "IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB iCCP cICP mDCV cLLI sBIT bKGD hIST pHYs acTL fcTL fdAT";
constexpr std::string_view kWebpKept = "VP8X VP8  VP8L ALPH ANIM ANMF ICCP";
constexpr std::string_view kFrameKept = "ALPH VP8  VP8L";
constexpr std::uint64_t kMaxExif = 1U << 20;
constexpr std::uint64_t kPngHead = 8, kWebpHead = 12, kFrameHead = 16;
constexpr std::uint8_t kExifFlag = 0x08, kXmpFlag = 0x04;

std::uint32_t little(ByteView b) {
    return std::uint32_t{b[0]} | std::uint32_t{b[1]} << 8 | std::uint32_t{b[2]} << 16 | std::uint32_t{b[3]} << 24;
}
char low_byte(std::uint64_t value) { return static_cast<char>(static_cast<std::uint8_t>(value)); }

struct Chunk {
    std::uint64_t at = 0, inside = 0, length = 0, end = 0;
    FourLetters type{};

    [[nodiscard]] bool is(std::string_view name) const { return std::string_view(type.data(), 4) == name; }
    [[nodiscard]] bool is_of(std::string_view names) const { return is_one_of(type, names); }
};

class Chunks {
  public:
    Chunks(const Look& look, std::uint64_t size, const FilmLimits& limits)
        : look_(look), limits_(limits), size_(size) {}

    Result<Personal> run() {
        Bytes head(std::min<std::uint64_t>(size_, kWebpHead));
        if (auto ok = look_(0, head); !ok) return pass(ok);
        const auto* type = chunked_type(head);
        if (type == nullptr) return fail(Errc::malformed, "it is no picture in chunks");
        auto ok = std::string_view(type) == "image/png" ? png() : webp(head);
        return ok ? Result<Personal>(std::move(out_)) : pass(ok);
    }

  private:
    Result<void> omit(Omission one) {
        if (one.length == 0) return {};
        if (out_.omissions.size() >= limits_.places) return too_many();
        out_.omissions.push_back(one);
        return {};
    }
    static tl::unexpected<Error> too_many() { return fail(Errc::too_large, "the picture is made of too many parts"); }
    static tl::unexpected<Error> damaged() { return fail(Errc::malformed, "the picture is cut, or damaged"); }

    Result<Chunk> chunk(std::uint64_t at, std::uint64_t end, bool png) {
        if (++seen_ > limits_.boxes) return too_many();
        ByteArray<8> head{};
        if (end - at < head.size()) return damaged();
        if (auto ok = look_(at, head); !ok) return pass(ok);
        Chunk out;
        out.at = at;
        out.inside = at + head.size();
        const auto text = as_text(head);
        out.length = png ? Reader(head).u32() : little(ByteView(head).subspan(4));
        std::ranges::copy(text.substr(png ? 4 : 0, 4), out.type.begin());
        const auto behind = png ? 4 : out.length & 1;  // a checksum; to an even length
        if (out.length + behind > end - out.inside) return damaged();
        out.end = out.inside + out.length + behind;
        return out;
    }

    Result<void> cut(const Chunk& chunk) {
        if (chunk.is_of("eXIf EXIF") && out_.exif.empty() && chunk.length > 0 && chunk.length <= kMaxExif) {
            Bytes tiff(static_cast<std::size_t>(chunk.length));
            if (auto ok = look_(chunk.inside, tiff); !ok) return ok;
            constexpr std::string_view kBefore{"Exif\0\0", 6};
            if (!as_text(tiff).starts_with(kBefore)) out_.exif = to_bytes(as_bytes(kBefore));
            out_.exif.insert(out_.exif.end(), tiff.begin(), tiff.end());
        }
        return omit({chunk.at, chunk.end - chunk.at, true});
    }

    Result<void> png() {
        for (auto at = kPngHead; at < size_;) {
            auto next = chunk(at, size_, true);
            if (!next) return pass(next);
            if ((at == kPngHead) != next->is("IHDR")) return damaged();
            at = next->end;
            if (next->is("IEND")) return omit({at, size_ - at, true});
            if (next->is_of(kPngKept)) continue;
            if ((next->type[0] & 0x20) == 0)
                return fail(Errc::malformed, "a part of the picture is of a kind that is not known here");
            if (auto ok = cut(*next); !ok) return ok;
        }
        return damaged();
    }

    Result<void> webp(ByteView head) {
        const auto end = std::uint64_t{little(head.subspan(4))} + 8;
        if (head.size() < kWebpHead || end > size_ || end < kWebpHead) return damaged();
        std::uint64_t gone = 0;
        bool picture = false;
        if (auto ok = omit({4, 4}); !ok) return ok;  // the length, when it is known
        for (auto at = kWebpHead; at < end;) {
            auto next = chunk(at, end, false);
            if (!next) return pass(next);
            at = next->end;
            if (!next->is_of(kWebpKept)) {
                if (auto ok = cut(*next); !ok) return ok;
                gone += next->end - next->at;
                continue;
            }
            picture = picture || next->is_of("VP8  VP8L ANMF");
            auto ok = next->is("VP8X") ? flags(*next) : next->is("ANMF") ? frame(*next) : Result<void>();
            if (!ok) return ok;
        }
        if (!picture) return damaged();
        const auto left = end - gone - 8;
        out_.omissions.front().first = {low_byte(left), low_byte(left >> 8), low_byte(left >> 16),
                                        low_byte(left >> 24)};
        return omit({end, size_ - end, true});
    }

    // Of what there is, then 24 reserved bits.
    Result<void> flags(const Chunk& chunk) {
        ByteArray<1> read{};
        if (chunk.length < 10) return damaged();
        if (auto ok = look_(chunk.inside, read); !ok) return ok;
        return omit({chunk.inside, 4, false, {low_byte(read[0] & ~(kExifFlag | kXmpFlag) & 0xff)}});
    }

    Result<void> frame(const Chunk& frame) {
        if (frame.length < kFrameHead) return damaged();
        const auto end = frame.inside + frame.length;
        for (auto at = frame.inside + kFrameHead; at < end;) {
            auto next = chunk(at, end, false);
            if (!next) return pass(next);
            at = next->end;
            if (next->is_of(kFrameKept)) continue;
            if (auto ok = omit({next->at, 4, false, {'J', 'U', 'N', 'K'}}); !ok) return ok;
            if (auto ok = omit({next->inside, next->end - next->inside}); !ok) return ok;
        }
        return {};
    }

    const Look& look_;
    const FilmLimits& limits_;
    std::uint64_t size_;
    std::size_t seen_ = 0;
    Personal out_;
};

}  // namespace

const char* chunked_type(ByteView head) {
    const auto text = as_text(head);
    if (text.starts_with("\x89PNG\r\n\x1a\n")) return "image/png";
    return text.size() >= kWebpHead && text.starts_with("RIFF") && text.substr(8, 4) == "WEBP" ? "image/webp" : nullptr;
}

Result<Personal> look_through_chunks(const Look& look, std::uint64_t size, const FilmLimits& limits) {
    return Chunks(look, size, limits).run();
}

}  // namespace nimes::agent::media
