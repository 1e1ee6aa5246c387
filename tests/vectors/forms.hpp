// Every record by name: what decoding and encoding make of bytes, or why they are refused in form.
// Pure; thread safe. Errors: those of the record's parse().
#pragma once

#include <map>
#include <string>

#include "nimes/error.hpp"
#include "nimes/ids.hpp"

namespace nimes::test {

using Recode = Result<Bytes> (*)(ByteView);
const std::map<std::string, Recode>& forms();

}  // namespace nimes::test
