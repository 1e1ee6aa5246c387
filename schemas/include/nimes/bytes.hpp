// Byte strings and the fixed-width, big-endian reader and writer that every record of FORMATS.md is coded with.
//
// Views do not own: whoever hands out a ByteView keeps the bytes alive while it is used.
// No function here throws but on exhausted memory. Reader never reads past its view: after the first short read it is
// failed, answers zeros, and done() is false; so a decoder may read all fields and check once at the end.
// Threads: values; share nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace nimes {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;
template <std::size_t N>
using ByteArray = std::array<std::uint8_t, N>;

inline ByteView as_bytes(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
inline Bytes to_bytes(ByteView view) { return {view.begin(), view.end()}; }

class Reader {
  public:
    explicit Reader(ByteView in) : in_(in) {}

    std::uint8_t u8() { return static_cast<std::uint8_t>(integer(1)); }
    std::uint16_t u16() { return static_cast<std::uint16_t>(integer(2)); }
    std::uint32_t u32() { return static_cast<std::uint32_t>(integer(4)); }
    std::uint64_t u64() { return integer(8); }

    ByteView take(std::size_t n) {
        if (failed_ || in_.size() < n) {
            failed_ = true;
            return {};
        }
        const auto out = in_.first(n);
        in_ = in_.subspan(n);
        return out;
    }
    template <std::size_t N>
    ByteArray<N> array() {
        ByteArray<N> out{};
        if (const auto v = take(N); v.size() == N) std::memcpy(out.data(), v.data(), N);
        return out;
    }
    template <class Id>
    Id id() {
        return Id{array<Id::size>()};
    }
    // Consumes text.size() bytes; failed unless they are exactly text.
    void expect(std::string_view text) {
        if (as_text(take(text.size())) != text) failed_ = true;
    }
    // Consumes one byte; failed unless it is value.
    void expect_u8(std::uint8_t value) {
        if (u8() != value) failed_ = true;
    }

    [[nodiscard]] std::size_t left() const { return failed_ ? 0 : in_.size(); }
    [[nodiscard]] bool failed() const { return failed_; }
    // True exactly when nothing failed and nothing is left: trailing bytes reject.
    [[nodiscard]] bool done() const { return !failed_ && in_.empty(); }

  private:
    std::uint64_t integer(std::size_t n) {
        std::uint64_t out = 0;
        for (const auto b : take(n)) out = out << 8 | b;
        return out;
    }
    ByteView in_;
    bool failed_ = false;
};

class Writer {
  public:
    Writer& u8(std::uint8_t v) { return integer(v, 1); }
    Writer& u16(std::uint16_t v) { return integer(v, 2); }
    Writer& u32(std::uint32_t v) { return integer(v, 4); }
    Writer& u64(std::uint64_t v) { return integer(v, 8); }
    Writer& bytes(ByteView v) {
        out_.insert(out_.end(), v.begin(), v.end());
        return *this;
    }
    Writer& text(std::string_view v) { return bytes(as_bytes(v)); }
    template <class Id>
    Writer& id(const Id& v) {
        return bytes(v.bytes);
    }
    Writer& zeros(std::size_t n) {
        out_.insert(out_.end(), n, 0);
        return *this;
    }
    [[nodiscard]] ByteView view() const { return out_; }
    [[nodiscard]] std::size_t size() const { return out_.size(); }
    [[nodiscard]] Bytes take() && { return std::move(out_); }

  private:
    Writer& integer(std::uint64_t v, std::size_t n) {
        while (n-- > 0) out_.push_back(static_cast<std::uint8_t>(v >> (8 * n)));
        return *this;
    }
    Bytes out_;
};

}  // namespace nimes
