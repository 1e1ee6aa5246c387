#include "nimes/service_address.hpp"

#include <algorithm>

#include "nimes/crypto.hpp"
#include "nimes/label.hpp"

namespace nimes {
namespace {

constexpr std::size_t kMaxLocal = 64;
constexpr std::size_t kMaxDomain = 253;
constexpr std::size_t kMaxLabel = 63;

bool is_alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
// RFC 5322 atext, after folding to lower case, but for % and !: mail servers read them as a route
// ("x%elsewhere.example", "elsewhere.example!x") and pass the mail on.
bool is_atext(char c) { return is_alnum(c) || std::string_view("#$&'*+-/=?^_`{|}~").find(c) != std::string_view::npos; }

// Splits at '.', and asks that every part is non-empty and passes `good`.
template <class Predicate>
std::size_t count_parts(std::string_view text, Predicate good) {
    std::size_t parts = 0;
    for (;;) {
        const auto dot = text.find('.');
        const auto part = text.substr(0, dot);
        if (part.empty() || !good(part)) return 0;
        ++parts;
        if (dot == std::string_view::npos) return parts;
        text.remove_prefix(dot + 1);
    }
}

bool is_dot_atom(std::string_view text) {
    // One that begins with - is an option on some mail server's command line.
    return text.size() <= kMaxLocal && !text.starts_with('-') &&
           count_parts(text, [](auto part) { return std::all_of(part.begin(), part.end(), is_atext); }) > 0;
}

bool is_domain(std::string_view text) {
    const auto good = [](std::string_view part) {
        return part.size() <= kMaxLabel && is_alnum(part.front()) && is_alnum(part.back()) &&
               std::all_of(part.begin(), part.end(), [](char c) { return is_alnum(c) || c == '-'; });
    };
    return text.size() <= kMaxDomain && count_parts(text, good) >= 2;
}

}  // namespace

Result<ServiceAddress> ServiceAddress::parse(std::string_view text) {
    if (text.size() > kMaxLocal + 1 + kMaxDomain) return fail(Errc::bad_address, "too long");
    if (std::count(text.begin(), text.end(), '@') != 1) return fail(Errc::bad_address, "exactly one @ is wanted");
    std::string folded(text);
    for (auto& c : folded)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    const auto at = folded.find('@');
    if (!is_dot_atom(std::string_view(folded).substr(0, at)))
        return fail(Errc::bad_address, "the part before the @ is not a plain name");
    if (!is_domain(std::string_view(folded).substr(at + 1)))
        return fail(Errc::bad_address, "the part after the @ is not a domain name");
    return ServiceAddress(std::move(folded), at);
}

Digest ServiceAddress::hash(ByteView secret32) const {
    return keyed_hash(label::kAddress, {as_bytes(text_)}, secret32);
}

}  // namespace nimes
