#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>

#include "nimes/crypto.hpp"

int main(int argc, char** argv) {
    if (!nimes::crypto_init()) return 1;
    return Catch::Session().run(argc, argv);
}
