#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>

#include "nimes/crypto.hpp"

// Paho C 1.3.12 keeps what a client had queued when that client is destroyed while it connects; not ours to mend.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:libpaho-mqtt3as"; }

int main(int argc, char** argv) {
    if (!nimes::crypto_init()) return 1;
    return Catch::Session().run(argc, argv);
}
