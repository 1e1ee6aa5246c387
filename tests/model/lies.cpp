// What the gateway answers to look-ups, for the next two of them.
#include <algorithm>

#include "hostile.hpp"

namespace nimes::model {
namespace {

using Lie = std::function<void(v1::LookupAnswer& answer, const v1::LookupAnswer& older)>;

// Of an entry of now, or of an own one under an older head.
constexpr const char* kNotBorneOut = "does not bear out";

bool of_same_device(const v1::DeviceInfo& a, const v1::DeviceInfo& b) { return a.device() == b.device(); }

std::uint32_t newest_batch(const v1::DeviceInfo& device) {
    std::uint32_t newest = 0;
    for (const auto& bytes : device.seal_keys())
        if (const auto key = SealKey::parse(as_bytes(bytes))) newest = std::max(newest, key->batch_no);
    return newest;
}

// Where it would stand if it were in the tree: nothing but the proof is against it.
void insert_in_order(google::protobuf::RepeatedPtrField<std::string>& records, const DeviceCert& cert) {
    records.Add(std::string(as_text(cert.encode())));
    for (int i = records.size() - 1; i > 0; --i) {
        const auto before = DeviceCert::parse(as_bytes(records.Get(i - 1)));
        if (before && before->device < cert.device) return;
        records.SwapElements(i - 1, i);
    }
}

// Keys of a batch that was replaced since, and no one-time key to use instead; entry and proof as they are.
void old_batches(v1::LookupAnswer& answer, const v1::LookupAnswer& older) {
    for (auto& entry : *answer.mutable_entries())
        for (auto& device : *entry.mutable_devices())
            for (const auto& before : older.entries())
                for (const auto& old : before.devices()) {
                    if (!of_same_device(device, old) || newest_batch(old) >= newest_batch(device)) continue;
                    *device.mutable_seal_keys() = old.seal_keys();
                    device.clear_one_time_key();
                }
}

}  // namespace

std::string Hostile::forked(const std::string& head160) {
    auto head = must(DirectoryHead::parse(as_bytes(head160)), "head");
    head.map_root.bytes[0] ^= 1;
    const auto keys = organisation();
    return std::string(as_text(sign_head(head, keys.directory.secret, keys.org).encode()));
}

void Hostile::lie_to(Handset& at) {
    auto& network = at.network();
    // Until it took effect twice: what changes nothing is no lie.
    const auto twice = [this, &network](const char* harm, Lie lie) {
        network.lie = [this, harm, lie = std::move(lie), left = 2](auto& answer, const auto& older) mutable {
            if (left == 0 || answer.entries_size() == 0) return;
            const auto honest = answer.SerializeAsString();
            lie(answer, older);
            if (answer.SerializeAsString() == honest) return;
            did(harm);
            --left;
        };
    };
    // What is proof against the directory must be told to the person, when it was shown.
    const auto alarm = [this, &at](const char* text) { oracle_.expect_alarm(at, text); };
    switch (chance_.below(6)) {
        case 0:
            return twice("damaged a look-up", [this](auto& answer, const auto&) {
                auto bytes = answer.entries(0).SerializeAsString();
                bytes[chance_.below(bytes.size())] ^= 1;
                (void)answer.mutable_entries(0)->ParseFromString(bytes);
            });
        case 1:
            return twice("answered as before", [](auto& answer, const auto& older) {
                const auto old = older;
                answer = old;
            });
        case 2:
            return twice("served stale batches", old_batches);
        case 3:
            return twice("slipped a device into an answer", [this, alarm](auto& answer, const auto&) {
                auto& entry = *answer.mutable_entries(0);
                if (entry.records_size() == 0) return;
                SigningKeyPair key;
                auto cert = draft(UserId::from(as_bytes(entry.user())), Admission::approved, key);
                const auto keys = organisation();
                cert.ea_key = key_id(keys.ea.public_key);
                cert.ea_signature = sign_cert_ea(keys.ea.secret, keys.org, cert.body());
                insert_in_order(*entry.mutable_records(), cert);
                alarm(kNotBorneOut);
            });
        case 4:
            return twice("left a record out of an answer", [alarm](auto& answer, const auto&) {
                auto& records = *answer.mutable_entries(0)->mutable_records();
                if (records.size() < 2) return;
                records.RemoveLast();
                alarm(kNotBorneOut);
            });
        default:
            return twice("forked a head", [alarm, &network](auto& answer, const auto&) {
                if (network.looks_back) return;  // nobody takes a head from there
                auto head = must(DirectoryHead::parse(as_bytes(answer.head().head())), "head");
                ++head.revision;
                head.log_root.bytes[0] ^= 1;
                const auto keys = organisation();
                answer.mutable_head()->set_head(
                    std::string(as_text(sign_head(head, keys.directory.secret, keys.org).encode())));
                alarm("shows two histories");
            });
    }
}

// A notice that everybody's entry changed: the handset asks anew, at once for its own and before it sends for others.
void Hostile::stir(Handset& at) {
    server_.bag(at.device())
        .answers.push_back(gateway::mailbox::encode_head({server_.directory().newest_head().revision, {}, true}));
    at.settle();
}

}  // namespace nimes::model
