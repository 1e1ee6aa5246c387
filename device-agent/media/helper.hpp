// Another program that looks at a hostile file for us: by its own words, no shell, within limits.
//
// It gets nothing of this process but the words: no descriptor beside /dev/null and the pipe for its output, no
// environment but PATH, no terminal. Its time, memory, and what it says are bounded; it may write no file; when its
// time is over it is killed, with all that it started in its process group. Threads: one for each call. Errors:
// Errc::not_found (no such program), timed_out, too_large (it said more), malformed (it ended badly), internal.
#pragma once

#include <string>
#include <vector>

#include "nimes/bytes.hpp"
#include "nimes/error.hpp"
#include "nimes/time.hpp"

namespace nimes::agent::media {

struct HelperLimits {
    Millis time = 10 * kSecond;
    std::size_t output = 4 << 20;
    std::uint64_t memory = std::uint64_t{2} << 30;  // of its address space
};

// What it wrote to its standard output. words[0] is looked for in PATH.
Result<Bytes> run_helper(std::vector<std::string> words, const HelperLimits& limits = {});

}  // namespace nimes::agent::media
