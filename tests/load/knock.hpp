// Clients that come and go: TCP, a TLS handshake of its own, CONNECT, CONNACK, DISCONNECT, one after the other as fast
// as a broker lets them in. The client is the same for every broker; who it says it is comes from outside.
//
// Threads: one. Errors: Errc::timed_out when a broker stops answering. Who is refused, or fails, is counted.
#pragma once

#include "accounts.hpp"
#include "connection.hpp"
#include "report.hpp"
#include "workload.hpp"

namespace nimes::load {

struct Credential {
    std::string client, user, password;
};
// `count` tokens of these devices in turn, of now: a token is used once.
std::vector<Credential> tokens_of(const std::vector<Account>& accounts, const Audience& audience, std::size_t count);
// Lines "user:password", as `mosquitto_passwd -U` takes them; `count` of them in turn. Errc::usage.
Result<std::vector<Credential>> users_in(const std::string& file, std::size_t count);

struct KnockPlan {
    std::string host;
    std::uint16_t port = 0;
    std::string ca;  // empty: plain TCP
    unsigned sources = 8;
    std::size_t handshakes = 45;  // at once: Mosquitto's backlog is 100
    double patience_seconds = 60;
};

struct Knocks {
    std::uint64_t admitted = 0, refused = 0, failed = 0;
    double seconds = 0, cpu_seconds = 0;
    Histogram connect_time;  // connect() → CONNACK
    [[nodiscard]] nlohmann::json json() const;
};
Result<Knocks> run_knocks(const KnockPlan& plan, const std::vector<Credential>& credentials);

}  // namespace nimes::load
