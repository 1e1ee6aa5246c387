// One of each record: how a valid one is made, and how its decoder's answer is written down again.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "model/chance.hpp"
#include "nimes/error.hpp"

namespace nimes::test {

struct RecordKind {
    std::string name;
    std::function<Bytes(model::Chance&)> make;
    // nullopt: the decoder refused it; else what it understood, encoded.
    std::function<std::optional<Bytes>(ByteView)> again;
};
std::vector<RecordKind> record_kinds();
// What a device keeps in its container for itself.
std::vector<RecordKind> kept_kinds();

}  // namespace nimes::test
