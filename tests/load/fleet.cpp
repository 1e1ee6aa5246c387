#include "fleet.hpp"

#include <sys/resource.h>

#include <algorithm>

#include "nimes/token.hpp"
#include "nimes/topics.hpp"

namespace nimes::load {
namespace {

constexpr Micros kTick = 1'000'000;
constexpr Micros kConnectTimeout = 20'000'000;
constexpr unsigned kSpareFiles = 64;

// As many descriptors as may be had; false when these devices do not fit.
bool allow_files(std::size_t wanted) {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur >= wanted + kSpareFiles;
}

}  // namespace

class Fleet::Handset final : public Port, public Connection::Events {
  public:
    Handset(Fleet& fleet, std::uint32_t number, const Account& account)
        : logic(number, account, fleet.options_.device, fleet.ledger_, *this, fleet.random_),
          fleet_(fleet),
          connection_(fleet.loop_, fleet.tls_.get(), *this, fleet.traffic_),
          policy_(fleet.options_.reconnect),
          number_(number),
          up_(topic::up(account.device)) {}

    void connect() {
        const auto& o = fleet_.options_;
        began_ = last_sent_ = micros_now();
        shaking_ = true;
        Endpoint to{o.host, o.port, {}};
        if (o.sources > 0) to.source = "127.0.0." + std::to_string(2 + number_ % o.sources);
        if (const auto ok = connection_.open(to); !ok) {
            connection_.drop();
            on_closed(ok.error().text());
        }
    }

    void tick(Micros now) {
        if (shaking_ && now - began_ > kConnectTimeout) {
            connection_.drop();
            return on_closed("no answer to CONNECT");
        }
        if (!subscribed_) return;
        logic.tick(now);
        if (now - last_sent_ < Micros{fleet_.options_.keepalive_s} * 1'000'000) return;
        last_sent_ = now;
        mqtt::put_pingreq(connection_.out());
        connection_.flush_later();
    }

    void send(ByteView up) override {
        last_sent_ = micros_now();
        mqtt::put_publish(connection_.out(), up_, up, 0, 0);
        connection_.flush_later();
    }

    void spread(Millis spread) override { policy_.spread(spread); }

    void on_open() override {
        const auto& account = logic.account();
        mqtt::Connect connect;
        connect.client = connect.user = to_text(account.device);
        connect.password =
            mint_token(account.identity.secret, account.device, fleet_.audience_, fleet_.clock_.now(), fleet_.random_);
        connect.keepalive_s = fleet_.options_.keepalive_s;
        mqtt::put_connect(connection_.out(), connect);
        connection_.flush_later();
    }

    void on_frame(const mqtt::Frame& frame) override {
        switch (frame.type) {
            case mqtt::Type::connack:
            case mqtt::Type::suback: {
                const auto reason = mqtt::reason_of(frame);
                if (!reason || *reason != 0) return refused(reason ? *reason : std::uint8_t{0x82});
                if (frame.type == mqtt::Type::connack) admitted();
                if (frame.type == mqtt::Type::suback) return subscribed();
                mqtt::put_subscribe(connection_.out(), 1, topic::down(logic.account().device), 1);
                return connection_.flush_later();
            }
            case mqtt::Type::publish: {
                const auto publish = mqtt::parse_publish(frame);
                if (!publish) return refused(0x81);
                if (publish->qos > 0) {
                    mqtt::put_puback(connection_.out(), publish->id);
                    connection_.flush_later();
                }
                return logic.packet(publish->payload, micros_now());
            }
            case mqtt::Type::disconnect:
                if (const auto reason = mqtt::reason_of(frame)) cut_ = *reason == mqtt::kAdministrativeAction;
                return;
            default:
                return;
        }
    }

    void on_closed(const std::string& why) override {
        ++fleet_.failures_[why];
        if (std::exchange(admitted_, false)) changed(cut_ ? "cut" : "closed", cut_);
        if (subscribed_) ++fleet_.ledger_.counts.disconnects;
        const auto lived = subscribed_ ? static_cast<Millis>((micros_now() - began_) / 1'000) : 0;
        const auto wait =
            subscribed_ ? policy_.after_disconnect(lived, fleet_.random_) : policy_.after_failure(fleet_.random_);
        subscribed_ = false;
        logic.disconnected();
        connection_.out().clear();
        end_of_handshake();
        fleet_.loop_.after(static_cast<Micros>(wait) * 1'000, [this] { fleet_.want_connection(*this); });
    }

    Device logic;

  private:
    void refused(std::uint8_t reason) {
        ++fleet_.ledger_.counts.refused;
        admitted_ = false;
        changed("refused", reason == mqtt::kNotAuthorized);
        connection_.drop();
        on_closed("refused with reason " + std::to_string(reason));
    }

    void admitted() {
        admitted_ = true;
        cut_ = false;
        changed("in", false);
    }

    void changed(std::string_view what, bool shut_out) {
        if (!fleet_.options_.on_change) return;
        fleet_.options_.on_change(what, logic.account().device);
        if (shut_out) fleet_.ledger_.leave(number_);
    }

    void subscribed() {
        subscribed_ = true;
        ++fleet_.ledger_.counts.connects;
        ++fleet_.connects_by_second_[micros_now() / 1'000'000];
        fleet_.connect_time_.add(micros_now() - began_);
        end_of_handshake();
        logic.connected(micros_now());
    }

    void end_of_handshake() {
        if (std::exchange(shaking_, false)) fleet_.handshake_over();
    }

    Fleet& fleet_;
    Connection connection_;
    agent::transport::ReconnectPolicy policy_;
    const std::uint32_t number_;
    const std::string up_;
    Micros began_ = 0, last_sent_ = 0;
    bool shaking_ = false, admitted_ = false, subscribed_ = false, cut_ = false;
};

Fleet::Fleet(const std::vector<Account>& accounts, FleetOptions options, Ledger& ledger)
    : accounts_(accounts), options_(std::move(options)), ledger_(ledger) {}
Fleet::~Fleet() = default;

Result<void> Fleet::start() {
    if (!allow_files(accounts_.size()))
        return fail(Errc::bad_config, "not enough open files are allowed: raise `ulimit -Hn` above the devices");
    auto audience = audience_of(options_.audience);
    if (!audience) return fail(Errc::bad_config, "--audience must be mqtts://host:port, as in plugin_opt_audience");
    audience_ = *audience;
    if (!options_.ca.empty()) {
        auto tls = make_tls(options_.ca);
        if (!tls) return pass(tls);
        tls_ = std::move(*tls);
    }
    for (std::uint32_t i = 0; i < accounts_.size(); ++i) {
        handsets_.push_back(std::make_unique<Handset>(*this, i, accounts_[i]));
        waiting_.push_back(handsets_.back().get());
    }
    tick();
    return {};
}

void Fleet::want_connection(Handset& handset) {
    waiting_.push_back(&handset);
    connect_some();
}

void Fleet::connect_some() {
    while (shaking_ < options_.handshakes && !waiting_.empty()) {
        auto* next = waiting_.front();
        waiting_.pop_front();
        ++shaking_;
        next->connect();
    }
}

void Fleet::handshake_over() {
    --shaking_;
    loop_.after(0, [this] { connect_some(); });
}

void Fleet::tick() {
    const auto now = micros_now();
    for (const auto& handset : handsets_) handset->tick(now);
    loop_.after(kTick, [this] { tick(); });
}

bool Fleet::connect_all(Micros patience) {
    connect_some();
    return run([this] { return ledger_.counts.connects >= size() && welcomed() == size(); }, patience);
}

Device& Fleet::device(std::uint32_t number) { return handsets_[number]->logic; }
std::size_t Fleet::size() const { return handsets_.size(); }
std::size_t Fleet::welcomed() const {
    return static_cast<std::size_t>(
        std::count_if(handsets_.begin(), handsets_.end(), [](const auto& h) { return h->logic.welcomed(); }));
}
std::size_t Fleet::outstanding() const {
    std::size_t out = 0;
    for (std::uint32_t i = 0; i < handsets_.size(); ++i)
        if (!ledger_.has_left(i)) out += handsets_[i]->logic.outstanding();
    return out;
}

}  // namespace nimes::load
