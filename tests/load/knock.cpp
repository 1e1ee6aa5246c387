#include "knock.hpp"

#include <fstream>

#include "nimes/encoding.hpp"
#include "nimes/token.hpp"

namespace nimes::load {
namespace {

struct Queue {
    Loop& loop;
    SSL_CTX* tls;
    const KnockPlan& plan;
    const std::vector<Credential>& credentials;
    Knocks& knocks;
    Traffic traffic;
    std::size_t next = 0;
};

// One client after the other, until the queue is empty.
class Knocker final : public Connection::Events {
  public:
    explicit Knocker(Queue& queue) : queue_(queue), connection_(queue.loop, queue.tls, *this, queue.traffic) {}

    void knock() {
        if (queue_.next == queue_.credentials.size()) return;
        const auto number = queue_.next++;
        who_ = &queue_.credentials[number];
        answered_ = false;
        began_ = micros_now();
        Endpoint to{queue_.plan.host, queue_.plan.port, {}};
        if (queue_.plan.sources > 0) to.source = "127.0.0." + std::to_string(2 + number % queue_.plan.sources);
        if (connection_.open(to)) return;
        connection_.drop();
        on_closed({});
    }

  private:
    void on_open() override {
        mqtt::Connect connect;
        connect.client = who_->client;
        connect.user = who_->user;
        connect.password = who_->password;
        mqtt::put_connect(connection_.out(), connect);
        connection_.flush_later();
    }
    void on_frame(const mqtt::Frame& frame) override {
        if (frame.type != mqtt::Type::connack || answered_) return;
        answered_ = true;
        const auto reason = mqtt::reason_of(frame);
        if (!reason || *reason != 0) {
            ++queue_.knocks.refused;  // the broker closes
            return;
        }
        ++queue_.knocks.admitted;
        queue_.knocks.connect_time.add(micros_now() - began_);
        mqtt::put_disconnect(connection_.out());
        connection_.flush_later();
    }
    void on_closed(const std::string&) override {
        if (!answered_) ++queue_.knocks.failed;
        queue_.loop.after(0, [this] { knock(); });
    }

    Queue& queue_;
    Connection connection_;
    const Credential* who_ = nullptr;
    bool answered_ = false;
    Micros began_ = 0;
};

}  // namespace

std::vector<Credential> tokens_of(const std::vector<Account>& accounts, const Audience& audience, std::size_t count) {
    SystemClock clock;
    SystemRandom random;
    std::vector<Credential> out;
    for (std::size_t i = 0; i < count; ++i) {
        const auto& account = accounts[i % accounts.size()];
        const auto name = to_text(account.device);
        out.push_back({name, name, mint_token(account.identity.secret, account.device, audience, clock.now(), random)});
    }
    return out;
}

Result<std::vector<Credential>> users_in(const std::string& file, std::size_t count) {
    std::ifstream in(file);
    std::vector<Credential> users, out;
    for (std::string line; std::getline(in, line);) {
        const auto colon = line.find(':');
        if (colon == std::string::npos) return fail(Errc::usage, "--users: lines user:password");
        users.push_back({line.substr(0, colon), line.substr(0, colon), line.substr(colon + 1)});
    }
    if (users.empty()) return fail(Errc::usage, "--users: nobody is in " + file);
    for (std::size_t i = 0; i < count; ++i) out.push_back(users[i % users.size()]);
    return out;
}

nlohmann::json Knocks::json() const {
    return {{"admitted", admitted},
            {"refused", refused},
            {"failed", failed},
            {"seconds", seconds},
            {"connects_per_second", static_cast<double>(admitted) / seconds},
            {"connect_ms", connect_time.json()},
            {"cpu_seconds", cpu_seconds}};
}

Result<Knocks> run_knocks(const KnockPlan& plan, const std::vector<Credential>& credentials) {
    TlsContext tls;
    if (!plan.ca.empty()) {
        auto made = make_tls(plan.ca);
        if (!made) return pass(made);
        tls = std::move(*made);
    }
    Loop loop;
    Knocks out;
    Queue queue{loop, tls.get(), plan, credentials, out, {}};
    std::vector<std::unique_ptr<Knocker>> knockers;
    const auto cpu = load::cpu_seconds();
    const auto began = micros_now();
    for (std::size_t i = 0; i < plan.handshakes; ++i) {
        knockers.push_back(std::make_unique<Knocker>(queue));
        knockers.back()->knock();
    }
    const auto done = [&] { return out.admitted + out.refused + out.failed == credentials.size(); };
    if (!loop.run(done, began + micros(plan.patience_seconds)))
        return fail(Errc::timed_out, "the broker does not answer everybody");
    out.seconds = static_cast<double>(micros_now() - began) / 1e6;
    out.cpu_seconds = load::cpu_seconds() - cpu;
    return out;
}

}  // namespace nimes::load
