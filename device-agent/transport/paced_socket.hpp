// The sockets of an upload, sent no faster than UploadPace finds right: reads TCP_INFO, sets SO_MAX_PACING_RATE
// (socket(7), tcp(7)). libcurl may open several and keep the first that connects. Where the kernel knows neither
// option, uploads run unpaced. Does not own the sockets. Threads: one.
#pragma once

#include <vector>

#include "transport/upload_pace.hpp"

namespace nimes::agent::transport {

class PacedSocket {
  public:
    void opened(int fd) { open_.push_back(fd); }
    void closed(int fd);
    // A request begins.
    void begin() { pace_.pause(); }
    // To be called again and again while the upload runs.
    void steer(Millis now);

  private:
    std::vector<int> open_;
    int steered_ = -1;
    UploadPace pace_;
};

}  // namespace nimes::agent::transport
