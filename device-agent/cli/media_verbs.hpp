// Where the bytes of a medium go that the owner of the home hands out line by line (VERBS.md): standard output, or the
// standard input of a viewer. Nothing of them touches the disk here.
//
// The viewer is started with its own words (no shell reads them), has none of this process's other descriptors, and
// sees the medium through a pipe. Threads: one. Ownership: waits for the viewer before it dies. Errors: Errc::usage
// (no such program, or bytes for a terminal).
#pragma once

#include <sys/types.h>

#include "cli/verbs.hpp"

namespace nimes::agent::cli {

class MediaOut {
  public:
    // Of a command line that wants none: takes nothing, and nothing is given to it.
    static Result<MediaOut> open(const CommandLine& line);
    MediaOut(MediaOut&& other) noexcept;
    MediaOut& operator=(MediaOut&&) = delete;
    ~MediaOut();

    // One line {data}. False: nobody reads any more.
    bool take(const Json& line);
    // No more comes. The viewer's exit status, once it has ended; nullopt without a viewer.
    std::optional<int> finish();
    [[nodiscard]] bool over() const { return over_; }  // its reader had enough

  private:
    MediaOut(int fd, pid_t viewer) : fd_(fd), viewer_(viewer) {}
    int fd_ = -1;
    pid_t viewer_ = 0;
    bool over_ = false;
};

}  // namespace nimes::agent::cli
