// The C++ side of the differential test: one JSON request a line on stdin, one answer a line on stdout.
// Ends with stdin. It knows no state: each request carries all that its operation needs.
#include <iostream>

#include "operations.hpp"

using namespace nimes::test::peer;

namespace {

Json answer(const Operations& operations, const std::string& line) {
    try {
        const auto request = Json::parse(line);
        return operations.at(request.at("op").get<std::string>())(request);
    } catch (const std::exception& e) {
        return {{"error", e.what()}};
    }
}

}  // namespace

int main() {
    if (!nimes::crypto_init()) return 1;
    auto operations = sealing_operations();
    operations.merge(judging_operations());
    operations.merge(record_operations());
    operations.merge(directory_operations());
    operations.merge(roster_operations());
    std::ios::sync_with_stdio(false);
    for (std::string line; std::getline(std::cin, line);)
        std::cout << answer(operations, line).dump() << '\n' << std::flush;
    return 0;
}
