#include "media/pixels.hpp"

#include <turbojpeg.h>

#include <algorithm>
#include <memory>

namespace nimes::agent::media {
namespace {

struct Closer {
    void operator()(void* handle) const { tjDestroy(handle); }
};
using Handle = std::unique_ptr<void, Closer>;
struct Freer {
    void operator()(unsigned char* bytes) const { tjFree(bytes); }
};

constexpr int kQuality = 95;

unsigned long length(ByteView bytes) { return static_cast<unsigned long>(bytes.size()); }

Result<Size> read_head(tjhandle handle, ByteView jpeg) {
    int width = 0, height = 0, sampling = 0, space = 0;
    if (tjDecompressHeader3(handle, jpeg.data(), length(jpeg), &width, &height, &sampling, &space) != 0 || width <= 0 ||
        height <= 0)
        return fail(Errc::malformed, "no picture in the JPEG");
    return Size{static_cast<std::uint32_t>(width), static_cast<std::uint32_t>(height)};
}

struct Pixels {
    Size size;
    Bytes rgb;
    [[nodiscard]] const std::uint8_t* at(std::uint32_t x, std::uint32_t y) const {
        return rgb.data() + (static_cast<std::size_t>(y) * size.width + x) * 3;
    }
};

// The largest of the format's scaling factors (1/8 to 1) whose sides are at most `side`; 1/8 when none is.
tjscalingfactor scale_for(const Size& size, std::uint32_t side) {
    int n = 0;
    const auto* factors = tjGetScalingFactors(&n);
    const auto longest = static_cast<int>(std::max(size.width, size.height));
    tjscalingfactor best{1, 8};
    for (int i = 0; i < n; ++i) {
        const bool larger = factors[i].num * best.denom > best.num * factors[i].denom;
        if (factors[i].num <= factors[i].denom && larger &&
            static_cast<std::uint32_t>(TJSCALED(longest, factors[i])) <= side)
            best = factors[i];
    }
    return best;
}

// Decoded small enough for `side`, as far as the format's scaling goes.
Result<Pixels> decode(ByteView jpeg, std::uint32_t side) {
    const Handle handle(tjInitDecompress());
    auto size = read_head(handle.get(), jpeg);
    if (!size) return pass(size);
    const auto best = scale_for(*size, side);
    Pixels out;
    out.size = {static_cast<std::uint32_t>(TJSCALED(static_cast<int>(size->width), best)),
                static_cast<std::uint32_t>(TJSCALED(static_cast<int>(size->height), best))};
    out.rgb.resize(static_cast<std::size_t>(out.size.width) * out.size.height * 3);
    if (tjDecompress2(handle.get(), jpeg.data(), length(jpeg), out.rgb.data(), static_cast<int>(out.size.width), 0,
                      static_cast<int>(out.size.height), TJPF_RGB, TJFLAG_STOPONWARNING) != 0)
        return fail(Errc::malformed, "the picture is damaged or cut");
    return out;
}

Result<Bytes> encode(const Pixels& pixels, int quality, int sampling) {
    const Handle handle(tjInitCompress());
    unsigned char* bytes = nullptr;
    unsigned long size = 0;
    const int failed = tjCompress2(handle.get(), pixels.rgb.data(), static_cast<int>(pixels.size.width), 0,
                                   static_cast<int>(pixels.size.height), TJPF_RGB, &bytes, &size, sampling, quality, 0);
    const std::unique_ptr<unsigned char, Freer> owned(bytes);
    if (failed != 0) return fail(Errc::internal, "the picture cannot be encoded");
    return Bytes(bytes, bytes + size);
}

// Where pixel (x, y) of the upright picture comes from.
Pixels turned(const Pixels& in, int orientation) {
    const bool swapped = orientation >= 5;
    Pixels out{{swapped ? in.size.height : in.size.width, swapped ? in.size.width : in.size.height},
               Bytes(in.rgb.size())};
    const auto w = in.size.width - 1, h = in.size.height - 1;
    for (std::uint32_t y = 0; y < out.size.height; ++y) {
        for (std::uint32_t x = 0; x < out.size.width; ++x) {
            const std::uint32_t from[9][2] = {{x, y}, {x, y},     {w - x, y},     {w - x, h - y}, {x, h - y},
                                              {y, x}, {y, h - x}, {w - y, h - x}, {w - y, x}};
            const auto* pixel = in.at(from[orientation][0], from[orientation][1]);
            std::copy_n(pixel, 3, out.rgb.data() + (static_cast<std::size_t>(y) * out.size.width + x) * 3);
        }
    }
    return out;
}

// Box filter down to `side`.
Pixels smaller(const Pixels& in, std::uint32_t side) {
    const auto longest = std::max(in.size.width, in.size.height);
    if (longest <= side) return in;
    Pixels out{{std::max(1u, in.size.width * side / longest), std::max(1u, in.size.height * side / longest)}, {}};
    out.rgb.resize(static_cast<std::size_t>(out.size.width) * out.size.height * 3);
    for (std::uint32_t y = 0; y < out.size.height; ++y) {
        for (std::uint32_t x = 0; x < out.size.width; ++x) {
            std::uint32_t sum[3] = {}, count = 0;
            const auto y1 =
                std::max(y * in.size.height / out.size.height + 1, (y + 1) * in.size.height / out.size.height);
            const auto x1 = std::max(x * in.size.width / out.size.width + 1, (x + 1) * in.size.width / out.size.width);
            for (auto v = y * in.size.height / out.size.height; v < y1; ++v)
                for (auto u = x * in.size.width / out.size.width; u < x1; ++u, ++count)
                    for (int c = 0; c < 3; ++c) sum[c] += in.at(u, v)[c];
            for (int c = 0; c < 3; ++c)
                out.rgb[(static_cast<std::size_t>(y) * out.size.width + x) * 3 + static_cast<std::size_t>(c)] =
                    static_cast<std::uint8_t>(sum[c] / count);
        }
    }
    return out;
}

int lossless_operation(int orientation) {
    constexpr int kOperations[] = {TJXOP_NONE,      TJXOP_NONE,  TJXOP_HFLIP,      TJXOP_ROT180, TJXOP_VFLIP,
                                   TJXOP_TRANSPOSE, TJXOP_ROT90, TJXOP_TRANSVERSE, TJXOP_ROT270};
    return kOperations[orientation];
}

}  // namespace

Result<Size> judge_jpeg(ByteView jpeg, const PhotoLimits& limits, bool whole) {
    const Handle handle(tjInitDecompress());
    auto size = read_head(handle.get(), jpeg);
    if (!size) return size;
    const auto pixels = std::uint64_t{size->width} * size->height;
    if (size->width > limits.max_side || size->height > limits.max_side ||
        pixels > (whole ? limits.max_pixels_whole : limits.max_pixels))
        return fail(Errc::too_large, "the picture has too many pixels");
    if (auto all = decode(jpeg, 1); !all) return pass(all);
    return size;
}

Result<Bytes> turn_jpeg(ByteView jpeg, int orientation) {
    const Handle handle(tjInitTransform());
    tjtransform transform{};
    transform.op = lossless_operation(orientation);
    transform.options = TJXOPT_PERFECT | TJXOPT_COPYNONE;
    unsigned char* bytes = nullptr;
    unsigned long size = 0;
    const int failed = tjTransform(handle.get(), jpeg.data(), length(jpeg), 1, &bytes, &size, &transform, 0);
    const std::unique_ptr<unsigned char, Freer> owned(bytes);
    if (failed == 0) return Bytes(bytes, bytes + size);
    auto pixels = decode(jpeg, ~0u);
    if (!pixels) return pass(pixels);
    return encode(turned(*pixels, orientation), kQuality, TJSAMP_444);
}

Result<Bytes> shrink_jpeg(ByteView jpeg, std::uint32_t side, int quality) {
    const auto pixels = decode(jpeg, side);
    if (!pixels) return fail(pixels.error().code, pixels.error().detail);
    return encode(smaller(*pixels, side), quality, TJSAMP_420);
}

Bytes preview_of(ByteView jpeg, std::size_t limit) {
    const auto pixels = decode(jpeg, 256);
    if (!pixels) return {};
    for (const std::uint32_t side : {96u, 80u, 64u, 48u, 32u}) {
        const auto small = smaller(*pixels, side);
        for (const int quality : {50, 35, 20, 10})
            if (auto out = encode(small, quality, TJSAMP_420); out && out->size() <= limit) return *out;
    }
    return {};
}

}  // namespace nimes::agent::media
