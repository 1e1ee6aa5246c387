#include "handset.hpp"

#include "conversation/events.hpp"
#include "engine/confirm.hpp"

namespace nimes::model {

using namespace agent::engine;
using agent::conversation::Meaning;
using agent::transport::Expect;

namespace {

constexpr std::string_view kPassphrase = "a passphrase of the model";

}  // namespace

Result<v1::LookupAnswer> ModelNetwork::lookup(const v1::LookupRequest& request) {
    if (down) return fail(Errc::offline);
    auto& directory = server_.directory();
    auto out = directory.admit(device_) ? directory.lookup_for(device_, request) : directory.lookup(request);
    if (!out) return out;
    server_.note_head(out->head().head());
    std::string question;
    for (const auto* list : {&request.users(), &request.address_hashes()})
        for (const auto& asked : *list) question += asked;
    auto& older = older_[question];
    auto honest = *out;
    looks_back = request.under_revision() != 0;
    if (lie) lie(*out, older.entries_size() != 0 ? older : honest);
    if (older.entries_size() == 0 || ++asked_ % 8 == 0) older = std::move(honest);
    return out;
}
Result<v1::HeadAnswer> ModelNetwork::head(std::uint64_t held) {
    if (down) return fail(Errc::offline);
    auto out = server_.directory().head(held);
    if (out) server_.note_head(out->head());
    return out;
}
Result<v1::OldHeadAnswer> ModelNetwork::old_head(std::uint64_t revision, std::uint64_t under) {
    if (down) return fail(Errc::offline);
    return server_.directory().old_head(revision, under);
}
Result<v1::ConversationEvents> ModelNetwork::events(const ConversationId& id, std::uint64_t from) {
    if (down) return fail(Errc::offline);
    const auto page = server_.events().page(id, user_, from);
    if (!page) return fail(page.error().code);
    v1::ConversationEvents out;
    if (events_withheld > 0) {
        --events_withheld;
        return out;
    }
    out.set_newest_epoch(page->newest);
    for (const auto& e : page->events) out.add_events(std::string(as_text(e)));
    return out;
}
Result<void> ModelNetwork::seal_keys(const v1::SealKeyBatch& batch) {
    if (down) return fail(Errc::offline);
    std::vector<Bytes> keys, once;
    for (const auto& key : batch.keys()) keys.push_back(to_bytes(as_bytes(key)));
    for (const auto& key : batch.one_time_keys()) once.push_back(to_bytes(as_bytes(key)));
    server_.note_keys(batch);
    return server_.directory().put_seal_keys(device_, keys, once);
}
Result<v1::EnrolOffer> ModelNetwork::enrol_begin(const v1::EnrolBegin& request) {
    const auto person = server_.directory().person(*ServiceAddress::parse(request.address()));
    auto draft = server_.directory().draft(person->user, PublicKey::from(as_bytes(request.identity_key())),
                                           DeviceRole::service, admission, 1, server_.now());
    if (!draft) return pass(draft);
    draft_ = *draft;
    v1::EnrolOffer out;
    out.set_ticket(std::string(16, 't'));
    out.set_body(std::string(as_text(draft->body())));
    return out;
}
Result<v1::EnrolResult> ModelNetwork::enrol_finish(const v1::EnrolFinish& request) {
    auto cert = *draft_;
    cert.self_signature = Signature::from(as_bytes(request.self_signature()));
    if (admission == Admission::approved)
        std::tie(cert.voucher, cert.voucher_signature) = server_.directory().approve(cert);
    auto done = server_.directory().certify(cert);
    if (!done) return pass(done);
    caller(done->user, done->device);
    v1::EnrolResult out;
    out.set_certificate(std::string(as_text(done->encode())));
    return out;
}

struct Handset::Session final : agent::transport::PacketSession {
    Session(Server& s, const Core& c) : server(s), core(c) {}
    Result<void> start() override { return {}; }
    void stop() override {}
    Result<void> publish(Bytes up, Expect) override {
        server.up(core.own().device, up);
        return {};
    }
    void spread_next_connect(Millis) override {}
    [[nodiscard]] bool connected() const override { return true; }
    Server& server;
    const Core& core;
};

Handset::Handset(Server& server, const ModelClock& clock, Chance& chance, std::filesystem::path home, int person)
    : server_(server), clock_(clock), chance_(chance), home_(std::move(home)), person_(person), network_(server) {
    std::filesystem::create_directories(home_);
    std::filesystem::permissions(home_, std::filesystem::perms::owner_all);
    open(true);
}
Handset::~Handset() { close(); }

void Handset::open(bool create) {
    keystore_.emplace(home_ / "keystore");
    core_ = std::make_unique<Core>(clock_, chance_);
    auto lock = must(agent::container::HomeLock::acquire(home_), "home");
    const agent::container::Surroundings around{*keystore_, clock_, chance_};
    using agent::container::Container;
    if (create) {
        core_->box = must(Container::create(std::move(lock), as_bytes(kPassphrase),
                                            agent::container::PassphraseCost::least(), around),
                          "container");
    } else {
        core_->box = must(Container::open(std::move(lock), around), "container");
        must(core_->box->unlock(as_bytes(kPassphrase)), "unlock");
    }
    must(core_->load(), "load");
    compose_.emplace(*core_);
    sync_.emplace(*core_, network_);
    link_.emplace(*core_, network_, *sync_, *compose_,
                  [this](const auto&) { return std::make_unique<Session>(server_, *core_); });
    if (!core_->enrolled()) return;
    network_.caller(core_->own().user, core_->own().device);
    must(link_->load(), "outbox");
    link_->handle(agent::transport::Connected{});
    settle();
}

void Handset::close() {
    link_.reset();
    sync_.reset();
    compose_.reset();
    core_.reset();
    keystore_.reset();
}

void Handset::restart(const std::function<void(const std::filesystem::path&)>& meanwhile) {
    close();
    if (meanwhile) meanwhile(home_);
    open(false);
}

void Handset::reconnect() {
    link_->handle(agent::transport::Connected{});
    settle();
}

void Handset::enrol(Admission admission) {
    network_.admission = admission;
    auto file = server_.provisioning();
    must(Enrol::prepare(*core_, must(Provisioning::parse(file), "provisioning"), Server::address(person_)), "prepare");
    Lock lock(core_->mutex);
    Enrol enrol(*core_, network_);
    must(enrol.redeem(lock, "code"), "redeem");
    must(enrol.finish(lock), "finish");
    lock.unlock();
    link_->handle(agent::transport::Connected{});
    settle();
}

std::vector<UserId> Handset::users_of(const ConversationId& id) {
    std::vector<UserId> out;
    const auto at = core_->conversations.find(id);
    if (at == core_->conversations.end()) return out;
    for (const auto& m : at->second.now().roster) out.push_back(m.user);
    return out;
}

void Handset::flush() {
    must(link_->outbox().load(), "outbox");
    link_->outbox().flush();
}

Result<Composed> Handset::say(const ConversationId& to, Meaning meaning) {
    Lock lock(core_->mutex);
    if (core_->shut_out) return fail(*core_->shut_out);
    if (auto ok = sync_->bring_up(lock, users_of(to)); !ok) return pass(ok);
    auto done = compose_->message(to, chance_.id<MessageId>(), std::move(meaning));
    if (!done) return done;
    flush();
    return done;
}

ConversationId Handset::pair_with(const UserId& other) {
    const Lock lock(core_->mutex);
    return must(agent::engine::pair_with(*core_, other), "pair");
}

Result<ConversationId> Handset::create_group(const std::vector<UserId>& others) {
    Lock lock(core_->mutex);
    if (core_->shut_out) return fail(*core_->shut_out);
    if (auto ok = sync_->bring_up(lock, others); !ok) return pass(ok);
    const auto event = agent::conversation::create_group(*compose_->maker(), others, chance_);
    auto id = compose_->event(event);
    if (!id) return pass(id);
    flush();
    return event.conversation;
}

Result<void> Handset::change(const ConversationId& group, const UserId& who, RosterOp op, MemberRole role) {
    Lock lock(core_->mutex);
    if (core_->shut_out) return fail(*core_->shut_out);
    const auto at = core_->conversations.find(group);
    if (at == core_->conversations.end()) return fail(Errc::conversation_unknown);
    if (auto ok = sync_->bring_up(lock, {who}); !ok) return ok;
    if (op == RosterOp::remove) {
        const auto* member = at->second.member(who);
        if (member == nullptr) return fail(Errc::not_found);
        role = member->role;
    }
    const auto event = agent::conversation::change_group(*compose_->maker(), at->second, {{who, role, op}});
    if (!event) return fail(event.error().code);
    auto id = compose_->event(*event);
    if (!id) return pass(id);
    flush();
    return {};
}

Result<void> Handset::confirm(const ConversationId& group) {
    const Lock lock(core_->mutex);
    const auto doubt = core_->doubted.find(group);
    const auto seen = doubt != core_->doubted.end() ? std::optional(doubt->second.state.now().state) : std::nullopt;
    const auto event = agent::engine::confirm(*core_, *compose_, group, seen);
    if (!event) return fail(event.error().code, event.error().detail);
    auto id = compose_->event(*event);
    if (!id) return pass(id);
    flush();
    return {};
}

void Handset::take(const v1::Envelope& envelope) {
    if (server_.before) server_.before(device());
    v1::Down down;
    *down.mutable_deliver()->add_envelopes() = envelope;
    Bytes bytes(down.ByteSizeLong());
    (void)down.SerializeToArray(bytes.data(), static_cast<int>(bytes.size()));
    link_->handle(agent::transport::Packet{std::move(bytes)});
    settle();
}

void Handset::settle() {
    auto& answers = server_.bag(device()).answers;
    while (!answers.empty()) {
        auto bytes = std::move(answers.front());
        answers.pop_front();
        link_->handle(agent::transport::Packet{std::move(bytes)});
    }
}

void Handset::tick() {
    if (server_.before) server_.before(device());
    link_->tick();
    settle();
}

Result<UserId> Handset::find(const std::string& address) {
    Lock lock(core_->mutex);
    return sync_->by_address(lock, address);
}

bool Handset::alarmed_of(const std::string& text, std::uint64_t after) {
    const Lock lock(core_->mutex);
    for (const auto& alarm : must(alarms_after(*core_, after), "alarms"))
        if (alarm.text.find(text) != std::string::npos) return true;
    return false;
}

std::uint64_t Handset::newest_alarm() {
    const Lock lock(core_->mutex);
    const auto all = must(alarms_after(*core_, 0), "alarms");
    return all.empty() ? 0 : all.back().sequence;
}

std::vector<Shown> Handset::shown_after(std::uint64_t row) {
    const Lock lock(core_->mutex);
    return must(messages_after(*core_, row, 10'000), "messages");
}

}  // namespace nimes::model
