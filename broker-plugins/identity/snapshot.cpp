#include "identity/snapshot.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "nimes/topics.hpp"

namespace nimes::plugin {
namespace {

constexpr std::uintmax_t kMaxFile = 64U << 20;

Result<Bytes> read_file(const std::filesystem::path& path) {
    std::error_code error;
    const auto size = std::filesystem::file_size(path, error);
    if (error) return fail(Errc::not_found, "no snapshot");
    if (size > kMaxFile) return fail(Errc::malformed, "the snapshot is damaged: too large");
    std::ifstream in(path, std::ios::binary);
    return Bytes(std::istreambuf_iterator<char>(in), {});
}

}  // namespace

void SnapshotLog::add(ByteView bytes, const MirrorPart& part, MirrorTable::Outcome outcome) {
    using Outcome = MirrorTable::Outcome;
    if (part.kind == MirrorPart::Kind::full && (outcome == Outcome::partial || outcome == Outcome::applied)) {
        if (part.issued != pending_issued_) pending_full_.clear();
        pending_issued_ = part.issued;
        pending_full_.push_back(to_bytes(bytes));
        if (outcome == Outcome::partial) return;
        parts_ = std::move(pending_full_);
        pending_full_.clear();
        deltas_ = 0;
        last_is_heartbeat_ = false;
    } else if (part.kind == MirrorPart::Kind::delta && outcome == Outcome::applied) {
        // Of heartbeats in a row only the newest says anything.
        if (last_is_heartbeat_ && part.items.empty()) {
            parts_.pop_back();
            --deltas_;
        }
        last_is_heartbeat_ = part.items.empty() && part.from == part.to;
        parts_.push_back(to_bytes(bytes));
        ++deltas_;
    }
}

Bytes SnapshotLog::file() const {
    Writer out;
    for (const auto& part : parts_) out.u32(static_cast<std::uint32_t>(part.size())).bytes(part);
    return std::move(out).take();
}

Result<MirrorTable> load_snapshot(const Options& options, Millis now, SnapshotLog& log) {
    auto bytes = read_file(options.snapshot);
    if (!bytes) return pass(bytes);
    MirrorTable table;
    SnapshotLog fresh;
    Reader in(*bytes);
    while (in.left() > 0) {
        const auto part_bytes = in.take(in.u32());
        if (in.failed()) return fail(Errc::malformed, "the snapshot is damaged: cut off");
        auto part = MirrorPart::open(part_bytes, options.directory_key, options.org, options.broker);
        if (!part) return pass(part);
        const auto applied = table.apply(*part);
        fresh.add(part_bytes, *part, applied.outcome);
    }
    if (!table.loaded() || in.failed()) return fail(Errc::malformed, "the snapshot is damaged: incomplete");
    if (now > table.issued() + options.snapshot_max_age) return fail(Errc::head_stale, "the snapshot is too old");
    log = std::move(fresh);
    return table;
}

SnapshotWriter::SnapshotWriter(std::filesystem::path path) : path_(std::move(path)), thread_([this] { run(); }) {}

SnapshotWriter::~SnapshotWriter() {
    {
        const std::scoped_lock lock(mutex_);
        stop_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

void SnapshotWriter::write(Bytes file) {
    {
        const std::scoped_lock lock(mutex_);
        next_ = std::move(file);
    }
    wake_.notify_one();
}

bool SnapshotWriter::take_failure() {
    const std::scoped_lock lock(mutex_);
    return std::exchange(failed_, false);
}

void SnapshotWriter::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        wake_.wait(lock, [this] { return stop_ || next_; });
        if (!next_) return;
        const auto file = std::move(*next_);
        next_.reset();
        lock.unlock();
        const bool good = write_file(path_, file);
        lock.lock();
        failed_ = failed_ || !good;
    }
}

bool SnapshotWriter::write_file(const std::filesystem::path& path, ByteView bytes) {
    const auto aside = path.string() + ".new";
    const int fd = open(aside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return false;
    bool good = true;
    for (std::size_t done = 0; good && done < bytes.size();) {
        const auto n = ::write(fd, bytes.data() + done, bytes.size() - done);
        good = n > 0;
        if (good) done += static_cast<std::size_t>(n);
    }
    good = good && fsync(fd) == 0;
    good = close(fd) == 0 && good;
    return good && rename(aside.c_str(), path.c_str()) == 0;
}

}  // namespace nimes::plugin
