#include <benchmark/benchmark.h>

#include "nimes/crypto.hpp"

int main(int argc, char** argv) {
    if (!nimes::crypto_init()) return 1;
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
}
