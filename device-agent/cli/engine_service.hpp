// The verbs, answered by the engine in this process.
#pragma once

#include "cli/service.hpp"
#include "engine/agent.hpp"

namespace nimes::agent::cli {

class EngineService final : public Service {
  public:
    explicit EngineService(std::unique_ptr<engine::Agent> agent) : agent_(std::move(agent)) {}
    Result<Json> call(const Request& request, const Emit& emit, const std::stop_token& stop) override;
    Result<void> check(const Passphrase& passphrase) override { return agent_->check_passphrase(passphrase.view()); }

  private:
    Result<Json> enrol(const Json& a);
    Result<Json> people(const Json& a, const Emit& emit);
    // nullopt: not one of these verbs.
    std::optional<Result<Json>> say_verb(const Request& request, const Emit& emit, const std::stop_token& stop);
    std::optional<Result<Json>> group_verb(const Request& request, const Emit& emit);
    std::optional<Result<Json>> history_verb(const Request& request, const Emit& emit, const std::stop_token& stop);
    std::optional<Result<Json>> trust_verb(const Request& request, const Emit& emit, const std::stop_token& stop);
    Result<Json> audit(const Json& a, const std::stop_token& stop);
    Result<Json> verify(const Json& a, const Emit& emit);
    Result<Json> history_codes(const Emit& emit);
    Result<Json> send_file(const Json& a, const MessageId& id, const Emit& emit, const std::stop_token& stop);
    Result<Json> lock();
    Result<void> wait_unlocked(const Emit& emit, const std::stop_token& stop);
    Result<Json> show(const Json& a);
    Result<Json> inbox(const Json& a, const Emit& emit, const std::stop_token& stop);
    Result<Json> watch(const Json& a, const Emit& emit, const std::stop_token& stop);
    Result<Json> media_get(const Json& a, const Emit& emit, const std::stop_token& stop);
    Result<Json> media_view(const Json& a, const Emit& emit, const std::stop_token& stop);
    Result<Json> devices_list(const Json& a, const Emit& emit);
    Result<Json> devices_pending(const Emit& emit);
    Result<Json> vouch(const Json& a);
    Result<Json> status();
    Result<Json> doctor(const Json& a, const Emit& emit, const std::stop_token& stop);
    // nullopt: not one of these verbs.
    std::optional<Result<Json>> health_verb(const Request& request);
    Result<std::uint64_t> show_new(std::uint64_t after, bool peek, const Emit& emit);

    std::unique_ptr<engine::Agent> agent_;
};

}  // namespace nimes::agent::cli
