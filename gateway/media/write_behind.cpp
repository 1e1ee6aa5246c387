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

// Comes back to the spares, whatever became of the write.
struct WriteBehind::Block {
    Block(State& s, Bytes b) : state(s), bytes(std::move(b)) {}
    ~Block() {
        const std::lock_guard lock(state.mutex);
        state.spares.push_back(std::move(bytes));  // it has had room for kBlocks since the beginning
    }
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;
    State& state;
    Bytes bytes;
};

WriteBehind::WriteBehind() : state_(std::make_unique<State>()) {}
WriteBehind::~WriteBehind() { state_->threads.join(); }

std::optional<std::future<Result<MediumHead>>> WriteBehind::begin(Bytes& block, Write write) {
    Bytes taken;
    {
        const std::lock_guard lock(state_->mutex);
        if (state_->spares.empty()) return std::nullopt;
        taken = std::move(state_->spares.back());
        state_->spares.pop_back();
    }
    std::swap(block, taken);
    std::packaged_task<Result<MediumHead>()> task(
        [block = std::make_unique<Block>(*state_, std::move(taken)), write = std::move(write)]() mutable {
            const auto back = std::move(block);
            return write(back->bytes);
        });
    auto out = task.get_future();
    boost::asio::post(state_->threads, std::move(task));
    return out;
}

}  // namespace nimes::gateway::media
