#include "directory/dump_route.hpp"

#include <algorithm>
#include <charconv>

#include "http/problem.hpp"
#include "nimes/directory_dump.hpp"

namespace nimes::gateway::directory {
namespace {

using http::Request;
using http::Response;

// One of the places; free again when it dies.
class Place {
  public:
    static std::optional<Place> take(const std::shared_ptr<std::atomic<int>>& running) {
        if (running->fetch_add(1) < kDumpsAtOnce) return Place(running);
        running->fetch_sub(1);
        return std::nullopt;
    }
    Place(Place&&) noexcept = default;
    Place& operator=(Place&&) = delete;
    ~Place() {
        if (running_) running_->fetch_sub(1);
    }

  private:
    explicit Place(std::shared_ptr<std::atomic<int>> running) : running_(std::move(running)) {}
    std::shared_ptr<std::atomic<int>> running_;
};

class LeafSource final : public http::BodySource {
  public:
    LeafSource(Dump dump, Place place)
        : dump_(std::move(dump)), place_(std::move(place)), item_(encode_dump_head(dump_.head)) {}

    Result<std::size_t> read(std::span<std::uint8_t> into) override {
        std::size_t done = 0;
        while (done < into.size()) {
            if (at_ == item_.size() && !next()) break;
            const auto n = std::min(into.size() - done, item_.size() - at_);
            std::copy_n(item_.begin() + static_cast<std::ptrdiff_t>(at_), n,
                        into.begin() + static_cast<std::ptrdiff_t>(done));
            at_ += n;
            done += n;
        }
        return done;
    }

  private:
    bool next() {
        const auto* leaf = dump_.map.after(last_);
        if (leaf == nullptr) return false;
        last_ = leaf->key();
        item_ = encode_dump_leaf(*leaf);
        at_ = 0;
        return true;
    }

    const Dump dump_;
    const Place place_;
    std::optional<MapKey> last_;
    Bytes item_;
    std::size_t at_ = 0;
};

Result<std::uint64_t> revision_of(const Request& request) {
    const auto* value = request.query_value("revision");
    if (value == nullptr) return std::uint64_t{0};
    std::uint64_t out = 0;
    const auto [at, error] = std::from_chars(value->data(), value->data() + value->size(), out);
    if (error != std::errc{} || at != value->data() + value->size() || out == 0)
        return fail(Errc::malformed, "a revision is a whole number from 1 on");
    return out;
}

}  // namespace

Response Dumps::answer(const Request& request) const {
    const auto revision = revision_of(request);
    if (!revision) return http::problem(revision.error());
    auto place = Place::take(running_);
    if (!place) return http::problem(Errc::busy, "two dumps are being sent already");
    auto dump = directory_->dump(*revision);
    if (!dump) return http::problem(dump.error());
    const auto length = kDumpHead + dump->map.size() + dump->map.content_bytes();
    auto out = Response::stream(200, "application/octet-stream",
                                std::make_unique<LeafSource>(std::move(*dump), std::move(*place)), length);
    out.headers.set("Cache-Control", "private, no-store");
    return out;
}

}  // namespace nimes::gateway::directory
