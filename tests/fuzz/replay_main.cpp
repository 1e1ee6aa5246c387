// Feeds a fuzz target without libFuzzer: each file of the corpus folder, every file cut and flipped in turn, and bytes
// from a fixed pseudo-random sequence. So gcc and its sanitizers see the same inputs that clang's fuzzers start from.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Input = std::vector<std::uint8_t>;

void feed(const Input& in) { LLVMFuzzerTestOneInput(in.data(), in.size()); }

void feed_with_neighbours(const Input& in, std::mt19937& rng) {
    feed(in);
    for (std::size_t cut = 0; cut < in.size() && cut < 64; ++cut)
        feed({in.begin(), in.end() - 1 - static_cast<long>(cut)});
    for (int i = 0; i < 200 && !in.empty(); ++i) {
        auto flipped = in;
        flipped[rng() % flipped.size()] ^= static_cast<std::uint8_t>(1U << rng() % 8);
        feed(flipped);
    }
}

}  // namespace

int main(int argc, char** argv) {
    std::mt19937 rng(20260701);
    std::size_t files = 0;
    for (int i = 1; i < argc; ++i) {
        if (!std::filesystem::is_directory(argv[i])) continue;
        for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
            std::ifstream file(entry.path(), std::ios::binary);
            feed_with_neighbours({std::istreambuf_iterator<char>(file), {}}, rng);
            ++files;
        }
    }
    for (int i = 0; i < 1'000; ++i) {
        Input in(rng() % 600);
        for (auto& b : in) b = static_cast<std::uint8_t>(rng());
        feed(in);
    }
    std::printf("%zu corpus files\n", files);
    return files > 0 ? 0 : 1;  // a fuzz target without a corpus is an oversight
}
