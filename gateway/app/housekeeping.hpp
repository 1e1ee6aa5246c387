// Photo, step 8, expire. Here is also whatever else must be done from time to time though nobody asks: hourly heads,
// the end of codes and tickets. Threads: one of its own; start() and stop() from one.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "directory/directory.hpp"
#include "enrolment/enrolment.hpp"
#include "media/media_store.hpp"

namespace nimes::gateway::app {

class Housekeeping {
  public:
    struct Needs {
        directory::Directory& directory;
        enrolment::Enrolment& enrolment;
        media::MediaStore& media;
        const Clock& clock;
        const operations::Metrics& metrics;
        operations::Log& log;
    };
    explicit Housekeeping(const Needs& needs) : needs_(needs) {}
    ~Housekeeping() { stop(); }
    void start();
    void stop();

  private:
    void run();
    void sweep();

    const Needs needs_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace nimes::gateway::app
