#include "media/write_behind.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <mutex>
#include <vector>

namespace nimes::gateway::media {

struct WriteBehind::State {
    std::mutex mutex;
    std::vector<Bytes> spares{kBlocks};
    boost::asio::thread_pool threads{kBlocks};  // dies first
};

// One of the spares, if there is one; it comes back, whatever becomes of the write.
struct WriteBehind::Block {
    explicit Block(State& s) : state(s) {
        const std::lock_guard lock(state.mutex);
        if (state.spares.empty()) return;
        bytes = std::move(state.spares.back());
        state.spares.pop_back();
        mine = true;
    }
    ~Block() {
        const std::lock_guard lock(state.mutex);
        if (mine) state.spares.push_back(std::move(bytes));  // there has been room for kBlocks since the beginning
    }
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;
    State& state;
    Bytes bytes;
    bool mine = false;
};

WriteBehind::WriteBehind() : state_(std::make_unique<State>()) {}
WriteBehind::~WriteBehind() { state_->threads.join(); }

std::optional<std::future<Result<MediumHead>>> WriteBehind::begin(Bytes& block, Write write) {
    auto spare = std::make_unique<Block>(*state_);
    if (!spare->mine) return std::nullopt;
    auto& bytes = spare->bytes;
    std::packaged_task<Result<MediumHead>()> task([spare = std::move(spare), write = std::move(write)]() mutable {
        const auto back = std::move(spare);
        return write(back->bytes);
    });
    auto out = task.get_future();
    std::swap(block, bytes);
    boost::asio::post(state_->threads, std::move(task));
    return out;
}

}  // namespace nimes::gateway::media
