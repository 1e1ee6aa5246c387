// The whole gateway in one process: makes the rooms, joins them, runs them, ends them in the reverse order.
//
// open() brings nothing up but the store and what is kept in it; run() serves until SIGTERM or SIGINT, and reads
// certificates again at SIGHUP. Signals must be blocked in the calling thread before open(), or threads made meanwhile
// take them. Threads: one. Errors: Errc::bad_config, storage, unavailable (an address in use).
#pragma once

#include <memory>

#include "app/config.hpp"
#include "nimes/bytes.hpp"

namespace nimes::gateway::app {

class Gateway {
  public:
    static Result<std::unique_ptr<Gateway>> open(const Config& config);
    ~Gateway();

    Result<void> run();
    // A provisioning file with the newest head.
    Result<Bytes> provisioning() const;

    static void block_signals();
    static const char* version();  // of this program

  private:
    struct Impl;
    explicit Gateway(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

// Makes DIR/keys, DIR/gateway.toml and the store with the directory's first head. Errc::exists when keys are there.
Result<void> initialise(const std::filesystem::path& folder, const std::string& organisation);

}  // namespace nimes::gateway::app
