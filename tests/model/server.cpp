#include "server.hpp"

#include "nimes/topics.hpp"

namespace nimes::model {
namespace {

using namespace gateway;

SigningKeyPair key_pair(std::uint8_t seed) {
    ByteArray<32> bytes{};
    bytes.fill(seed);
    return signing_key_from_seed(bytes);
}

v1::Envelope envelope_of(const mailbox::Entry& entry, const mailbox::Body& body) {
    mailbox::DeliverPacket packet;
    packet.add(entry, body, entry.sequence - 1, topic::kMaxPacket);
    const auto bytes = packet.take();
    v1::Down down;
    if (!down.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) throw std::runtime_error("envelope");
    return down.deliver().envelopes(0);
}

}  // namespace

directory::OrgSecrets organisation() {
    directory::OrgSecrets out;
    out.organisation = "model";
    out.org = org_id(out.organisation);
    out.ea = key_pair(1);
    out.directory = key_pair(2);
    out.administrator = key_pair(3);
    out.gateway = key_pair(4);
    out.address_secret = Key(ByteArray<32>{9});
    return out;
}

Result<std::vector<mailbox::Target>> People::devices_of(const UserId& user) const {
    const auto targets = directory_.targets_of(user);
    if (!targets) return fail(targets.error().code);
    std::vector<mailbox::Target> out;
    for (const auto& t : *targets) out.push_back({t.device, t.user, t.dev_no});
    return out;
}

mailbox::HeadHint People::head_since(std::uint64_t revision) const {
    auto changes = directory_.changes_since(revision);
    return {changes.revision, std::move(changes.users), changes.too_many};
}

Server::Server(const ModelClock& clock, Chance& chance) : clock_(clock), events_(store_) {
    directory_ = must(directory::Directory::open(store_, organisation(), clock, chance), "directory");
    people_.emplace(*directory_);
    options_.max_entries = 1'000'000;
    committer_.emplace(store_, *people_, media_, options_);
}

Bytes Server::provisioning() {
    directory::ProvisioningInput input;
    input.brokers = {"mqtts://broker.example:8883"};
    input.gateway = "https://gateway.example:8443";
    input.policy.set_retention_days(7);
    input.policy.set_device_hold_seconds(0);
    input.head = directory_->newest_head();
    return directory::make_provisioning(organisation(), input);
}

UserId Server::person(int number) {
    const auto at = must(ServiceAddress::parse(address(number)), "address");
    must(directory_->put_person({at, "Person " + std::to_string(number), "PK", "Celle"}), "person");
    return directory_->person(at)->user;
}

void Server::up(const DeviceId& device, ByteView packet) {
    auto decoded = mailbox::decode_up(device, packet);
    if (auto* refused = std::get_if<mailbox::Refused>(&decoded)) {
        if (refused->id) bag(device).answers.push_back(mailbox::encode_refused(*refused->id, refused->error));
        return;
    }
    auto& command = std::get<mailbox::Command>(decoded);
    if (std::holds_alternative<mailbox::Hello>(command)) {
        mailbox::WelcomeFacts facts;
        facts.server = clock_.now();
        facts.head = people_->head_since(std::get<mailbox::Hello>(command).head_revision);
        facts.seal_batch = directory_->seal_batch(device);
        facts.gaps = committer_->gaps();
        return bag(device).answers.push_back(mailbox::encode_welcome(facts));
    }
    if (auto* sent = std::get_if<mailbox::Submit>(&command)) submit(device, std::move(*sent));
}

void Server::note_head(const std::string& head160) {
    const auto head = must(DirectoryHead::parse(as_bytes(head160)), "head");
    heads[head.revision] = head.hash();
}

void Server::note_keys(const v1::SealKeyBatch& batch) {
    for (const auto* list : {&batch.keys(), &batch.one_time_keys()})
        for (const auto& bytes : *list) {
            const auto key = must(SealKey::parse(as_bytes(bytes)), "seal key");
            batches[{key.device, key.key_id}] = key.batch_no;
        }
}

void Server::submit(const DeviceId& device, mailbox::Submit s) {
    if (s.kind == mailbox::Payload::message) {
        const auto header = WireMessage::parse(s.payload)->header;
        const auto [at, fresh] = sealed.emplace(std::pair{header.chain, header.index}, s.payload);
        if (!fresh && at->second != s.payload) ++reused;
    }
    if (s.kind == mailbox::Payload::grant) {
        const auto upload = GrantUpload::parse(s.payload);
        if (upload && grants_.insert(upload->header.dk_commit).second) {
            chains.emplace(upload->header.chain, device);
            if (granted) granted(device, *upload);
        }
    }
    const auto event = s.kind == mailbox::Payload::event ? s.payload : Bytes{};
    if (const auto parsed = ConvEvent::parse(event); parsed && changed) changed(*parsed);
    const bool is_message = s.kind == mailbox::Payload::message && s.device.is_zero();
    const auto id = s.id;
    const mailbox::Waiting waiting{device, std::move(s)};
    const auto outcomes = committer_->commit({&waiting, 1}, clock_.now());
    const auto& outcome = outcomes.front();
    if (outcome.accepted && !outcome.repeated && is_message) accepted[{device, id}] = ++order_;
    if (!outcome.accepted && outcome.accepted.error().code == Errc::epoch_conflict) outrun.push_back(event);
    bag(device).answers.push_back(mailbox::encode_outcome(outcome));
    for (const auto& to : outcome.delivered) fill_bag(to);
}

void Server::fill_bag(const DeviceId& device) {
    auto& into = bag(device);
    for (const auto lane : mailbox::kLanes) {
        if (lane != mailbox::Lane::chat) continue;  // the engine uses this one alone
        auto entries = must(committer_->mailboxes().entries(device, lane, into.taken + 1, 1'000), "mailbox");
        for (const auto& entry : entries) {
            const auto stored = must(store_.get(entry.body.partition(), entry.body.key()), "body");
            if (stored) into.waiting.push_back(envelope_of(entry, must(mailbox::Body::parse(*stored), "body")));
            into.taken = entry.sequence;
        }
        must(committer_->mailboxes().acknowledge(device, {lane, into.taken}), "acknowledge");
    }
}

std::optional<v1::Envelope> Server::hand_out(const DeviceId& device) {
    auto& from = bag(device);
    if (from.waiting.empty()) return std::nullopt;
    auto out = std::move(from.waiting.front());
    from.waiting.pop_front();
    out.set_sequence(from.handed.size() + 1);
    from.handed.push_back(out);
    return out;
}

}  // namespace nimes::model
