// A service address, checked and normalised once: the very string that was checked is the one that mail goes to.
//
// Accepted: exactly one '@'; local part an ASCII dot-atom of at most 64 characters, without '%' and '!' (routes of mail
// servers) and no '-' in front; domain of LDH labels, at least two,
// at most 253 characters, no trailing dot. Upper case is folded to lower case, nothing else is changed. Refused:
// everything else, with Errc::bad_address. Whether a domain belongs to an organisation is equality, never "ends in".
// Threads: values.
#pragma once

#include <string>

#include "nimes/error.hpp"
#include "nimes/ids.hpp"

namespace nimes {

class ServiceAddress {
  public:
    static Result<ServiceAddress> parse(std::string_view text);

    [[nodiscard]] const std::string& text() const { return text_; }
    [[nodiscard]] std::string_view local() const { return std::string_view(text_).substr(0, at_); }
    [[nodiscard]] std::string_view domain() const { return std::string_view(text_).substr(at_ + 1); }
    bool operator==(const ServiceAddress&) const = default;

    // attest_hash32 = H("NM1/address", address, secret32): outsiders without secret32 cannot enumerate.
    [[nodiscard]] Digest hash(ByteView secret32) const;

  private:
    ServiceAddress(std::string text, std::size_t at) : text_(std::move(text)), at_(at) {}
    std::string text_;
    std::size_t at_;
};

}  // namespace nimes
