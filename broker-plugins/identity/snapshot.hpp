// The snapshot file: the mirror's signed parts as they were received, so that a restarted broker admits devices while
// the gateway is down, and believes nothing that the directory key did not sign.
//
// File: parts, each behind its u32 length. load_snapshot() verifies every part anew and answers the table, or why
// nobody may enter: Errc::not_found (no file), malformed (damaged), signature_invalid (foreign), head_stale (too old).
// SnapshotLog keeps what belongs into the next file. SnapshotWriter writes it aside, syncs and renames, on a thread of
// its own: the broker's thread never waits for the disk.
#pragma once

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <optional>
#include <thread>

#include "identity/mirror_table.hpp"
#include "identity/options.hpp"

namespace nimes::plugin {

class SnapshotLog {
  public:
    // Call with each part and what became of it.
    void add(ByteView signed_part, const MirrorPart& part, MirrorTable::Outcome outcome);
    [[nodiscard]] Bytes file() const;
    // Deltas have piled up: a full copy would make the file small again.
    [[nodiscard]] bool wants_full() const { return deltas_ > kMaxDeltas; }

  private:
    static constexpr std::size_t kMaxDeltas = 2'000;
    std::vector<Bytes> parts_;
    std::vector<Bytes> pending_full_;
    Millis pending_issued_ = 0;
    std::size_t deltas_ = 0;
    bool last_is_heartbeat_ = false;
};

Result<MirrorTable> load_snapshot(const Options& options, Millis now, SnapshotLog& log);

class SnapshotWriter {
  public:
    explicit SnapshotWriter(std::filesystem::path path);
    ~SnapshotWriter();  // writes what was handed in before
    SnapshotWriter(const SnapshotWriter&) = delete;
    SnapshotWriter& operator=(const SnapshotWriter&) = delete;

    void write(Bytes file);             // the newest wins
    [[nodiscard]] bool take_failure();  // true once after a write that failed

  private:
    void run();
    static bool write_file(const std::filesystem::path& path, ByteView bytes);

    const std::filesystem::path path_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::optional<Bytes> next_;
    bool failed_ = false;
    bool stop_ = false;
    std::thread thread_;
};

}  // namespace nimes::plugin
