// Properties: a rule, and rapidcheck's search for a case that breaks it. Each runs once in a Catch2 test case.
//
// The seed is printed; the same search again: RC_PARAMS="seed=N" agent_properties_test. What failed is printed smallest
// first, with a `reproduce=` that leads straight to it. `RC_PARAMS="max_success=10000"` searches longer.
#pragma once

#include <rapidcheck.h>

#include <catch2/catch.hpp>

#include "model/chance.hpp"

namespace nimes::test {

using model::Chance;

// `share`: of the usual number of cases, for what takes long.
template <class Testable>
void holds(const std::string& rule, Testable&& testable, double share = 1) {
    const auto& configured = rc::detail::configuration();
    auto params = configured.testParams;
    params.maxSuccess = std::max(1, static_cast<int>(params.maxSuccess * share));
    rc::detail::TestMetadata about;
    about.id = about.description = rule;
    const auto result = rc::detail::checkTestable(std::forward<Testable>(testable), about, params);
    std::ostringstream said;
    rc::detail::printResultMessage(result, said);
    INFO(rule << "\nagain: RC_PARAMS=\"seed=" << configured.testParams.seed << "\"\n" << said.str());
    CHECK(result.template is<rc::detail::SuccessResult>());
}

// All chance of a case hangs on one drawn number, so that a case is replayed whole.
inline Chance chance() { return Chance(*rc::gen::resize(100, rc::gen::arbitrary<std::uint64_t>())); }

}  // namespace nimes::test
