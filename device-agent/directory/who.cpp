#include "directory/who.hpp"

namespace nimes::agent::directory {
namespace {

std::string trimmed(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return std::string(text);
}

}  // namespace

bool is_address(std::string_view who) { return who.find('@') != std::string_view::npos; }

std::vector<NameQuery> name_queries(std::string_view who) {
    const auto comma = who.rfind(',');
    if (comma == std::string_view::npos) return {{trimmed(who), {}}};
    // 'Meyer, Celle' is a name and a unit; 'Meyer, Anna' is a name that has a comma.
    return {{trimmed(who.substr(0, comma)), trimmed(who.substr(comma + 1))}, {trimmed(who), {}}};
}

}  // namespace nimes::agent::directory
