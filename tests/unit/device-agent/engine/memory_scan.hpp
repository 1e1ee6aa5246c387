// Looks for secrets in all memory of this process, and is none of the places where they are found: what it looks for
// is kept masked, and what it reads is wiped.
//
// Threads: one. It sees what the kernel shows in /proc/self/mem: heap, stacks, arenas, data; not registers.
#pragma once

#include <string>
#include <vector>

#include "nimes/crypto.hpp"
#include "nimes/time.hpp"

namespace nimes::test {

class MemoryScan {
  public:
    // A secret of 32 bytes that is to be looked for.
    void want(std::string name, ByteView secret32);
    // How often each is found now, in the order in which they were wanted.
    [[nodiscard]] std::vector<std::size_t> count() const;
    // Names of those that are found now.
    [[nodiscard]] std::vector<std::string> found() const;
    [[nodiscard]] std::size_t wanted() const { return needles_.size(); }

  private:
    struct Needle {
        std::string name;
        ByteArray<32> masked{};
    };
    std::vector<Needle> needles_;
};

// Randomness that tells a scan of each secret it gives out: whatever asks for 32 bytes makes a key of them.
class ToldRandom final : public RandomSource {
  public:
    ToldRandom(MemoryScan& scan, std::string owner) : scan_(scan), owner_(std::move(owner)) {}
    void fill(std::span<std::uint8_t> out) override {
        system_.fill(out);
        if (out.size() == 32) scan_.want(owner_ + "'s key " + std::to_string(++given_), out);
    }

  private:
    MemoryScan& scan_;
    const std::string owner_;
    std::size_t given_ = 0;
    SystemRandom system_;
};

}  // namespace nimes::test
