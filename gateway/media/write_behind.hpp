// A few full blocks of uploads on their way to the store while their connections already receive the next ones: of one
// fast upload the network and the disk work at the same time. Where many run at once they overlap anyway, so a few are
// enough, and memory stays small.
//
// Threads: begin() from any thread; `write` runs on one of the threads in here. Ownership: the destructor waits for
// what is on its way. Private to this room.
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <optional>

#include "media/medium_head.hpp"

namespace nimes::gateway::media {

class WriteBehind {
  public:
    static constexpr std::size_t kBlocks = 4;

    WriteBehind();
    ~WriteBehind();
    WriteBehind(const WriteBehind&) = delete;
    WriteBehind& operator=(const WriteBehind&) = delete;

    using Write = std::function<Result<MediumHead>(ByteView block)>;
    // nullopt: kBlocks are on their way, and nothing happened. Otherwise `block` has become another one's buffer.
    std::optional<std::future<Result<MediumHead>>> begin(Bytes& block, Write write);

  private:
    struct State;
    struct Block;
    std::unique_ptr<State> state_;
};

}  // namespace nimes::gateway::media
