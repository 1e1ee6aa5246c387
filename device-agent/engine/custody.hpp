// What a locked or revoked handset may still ask of the gateway: its share, and a farewell (FORMATS.md 2.13).
//
// CustodyClient is the real one, with a connection of its own, so that nothing waits behind a lookup; tests have a
// twin. Threads: one at a time. Errors: what the gateway's problem+json names; Errc::offline, timed_out, malformed.
#pragma once

#include <functional>
#include <stop_token>

#include "container/lease.hpp"
#include "engine/provisioning.hpp"
#include "nimes/v1/custody.pb.h"
#include "transport/https_client.hpp"

namespace nimes::agent::engine {

class Custody {
  public:
    virtual ~Custody() = default;
    virtual Result<container::Share> share(const std::stop_token& stop) = 0;
    virtual Result<void> put_share(const container::Share& share, const std::stop_token& stop) = 0;
    // Wants no token beside the request's own.
    virtual Result<v1::FarewellAnswer> farewell(const v1::Farewell& request, const std::stop_token& stop) = 0;
};

class CustodyClient final : public Custody {
  public:
    // `on_time` hears the server's clock, ms, when it refused a token because of ours: then it is asked once more.
    CustodyClient(std::string gateway, std::string ca_pem, transport::TokenSource token,
                  std::function<void(Millis)> on_time = {});
    Result<container::Share> share(const std::stop_token& stop) override;
    Result<void> put_share(const container::Share& share, const std::stop_token& stop) override;
    Result<v1::FarewellAnswer> farewell(const v1::Farewell& request, const std::stop_token& stop) override;

  private:
    Result<transport::HttpsAnswer> ask(const char* method, const char* path, ByteView body, bool with_token,
                                       const std::stop_token& stop);
    bool clock_was_wrong(Errc code);
    transport::HttpsClient client_;
    std::function<void(Millis)> on_time_;
};

}  // namespace nimes::agent::engine
