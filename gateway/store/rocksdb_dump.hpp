// Every record of a store's folder, also while a gateway has it open: column by column, keys as stored (LAYOUT.md).
//
// What was committed before the call is seen. Nothing is written, no lock is taken. Errors: Errc::storage.
#pragma once

#include <filesystem>
#include <functional>

#include "store/store.hpp"

namespace nimes::gateway::store {

// `visit` returning false ends it.
Result<void> visit_all(
    const std::filesystem::path& folder,
    const std::function<bool(std::string_view column, std::string_view key, std::string_view value)>& visit);

}  // namespace nimes::gateway::store
