// What a person types to name somebody: 'Meyer', 'Meyer, Celle', 'Meyer, Anna', 'a.meyer@police.example'. Pure.
#pragma once

#include <string>
#include <vector>

#include "directory/held_directory.hpp"

namespace nimes::agent::directory {

struct NameQuery {
    std::string name;  // prefix
    std::string unit;  // prefix
};

// An address (one '@') is looked up as such; else these are asked in order until one answers.
bool is_address(std::string_view who);
std::vector<NameQuery> name_queries(std::string_view who);

}  // namespace nimes::agent::directory
