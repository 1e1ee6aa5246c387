// The socket of an upload, sent no faster than UploadPace finds right: reads TCP_INFO, sets SO_MAX_PACING_RATE
// (socket(7), tcp(7)). Where the kernel knows neither, uploads run unpaced. Does not own the socket. Threads: one.
#pragma once

#include "transport/upload_pace.hpp"

namespace nimes::agent::transport {

class PacedSocket {
  public:
    void opened(int fd);
    void closed(int fd);
    // To be called again and again while the upload runs.
    void steer(Millis boot);

  private:
    int fd_ = -1;
    UploadPace pace_;
};

}  // namespace nimes::agent::transport
