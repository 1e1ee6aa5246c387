// A town of fabricated people, each with one device: directory, provisioning file and seal keys are made here, so the
// engine's steps can be driven directly over real containers, without gateway and network.
//
// Everything follows from the constructor but the seal keys' private halves; a process that is forked off has the same
// town. The directory has one head for each day. Threads: one.
#pragma once

#include <map>

#include "nimes/v1/provisioning.pb.h"
#include "sealing/seal_keys.hpp"
#include "unit/device-agent/directory/fake_directory.hpp"

namespace nimes::test {

struct TownClock final : Clock {
    Millis wall = kNow;
    Millis up = kHour;
    [[nodiscard]] Millis now() const override { return wall; }
    [[nodiscard]] Millis boot() const override { return up; }
    // To a time after kNow; both clocks.
    void set(Millis since) {
        wall = kNow + since;
        up = kHour + since;
    }
};

struct Person {
    UserId user;
    SigningKeyPair key;
    DeviceCert cert;
    std::string address;
    std::uint32_t dev_no = 0;
    DirectoryEntry entry;
    std::map<std::uint32_t, std::vector<agent::sealing::OwnSealKey>> batches;  // by the day of publication
};

class Town {
  public:
    static constexpr std::uint32_t kDays = 3;  // that it has heads and seal keys for

    explicit Town(const std::vector<std::string>& names) {
        for (const auto& name : names) settle(name);
        for (std::uint32_t day = 0; day < kDays; ++day) {
            directory.now = kNow + day * kDay;
            directory.publish();
        }
    }

    // The newest head that is out at that time, with its proof from the one held.
    [[nodiscard]] v1::HeadAnswer head(std::uint64_t held, Millis now) const {
        return directory.head_answer(held, directory.heads.at(1 + day_of(now)));
    }
    [[nodiscard]] v1::Entry entry(const Person& person, Millis now) const {
        auto out = directory.entry_answer(person.entry);
        auto& device = *out.add_devices();
        device.set_device(raw(person.cert.device.view()));
        device.set_dev_no(person.dev_no);
        for (const auto& key : person.batches.at(day_of(now)))
            if (key.record.not_before <= now && now < key.record.not_after)
                device.add_seal_keys(raw(key.record.encode()));
        return out;
    }
    [[nodiscard]] Bytes provisioning() const {
        v1::Provisioning p;
        p.set_organisation("polizei-test");
        p.set_version(1);
        p.set_ea_key(raw(directory.org.ea.public_key.view()));
        p.set_directory_key(raw(directory.org.directory.public_key.view()));
        p.add_administrator_keys(raw(directory.org.admin.public_key.view()));
        p.mutable_policy()->set_retention_days(7);
        p.add_brokers("mqtts://127.0.0.1:1");
        p.set_gateway("https://127.0.0.1:1");
        p.set_directory_head(raw(directory.heads.front().encode()));
        p.set_address_secret(raw(directory.secret.view()));
        ProvisioningFile file;
        const auto bytes = p.SerializeAsString();
        file.bytes = to_bytes(as_bytes(bytes));
        file.add_seal(directory.org.admin.secret, directory.org.admin.public_key, directory.org.keys.org);
        return file.encode();
    }
    [[nodiscard]] static std::uint32_t day_of(Millis now) { return static_cast<std::uint32_t>((now - kNow) / kDay); }

    FakeDirectory directory;
    std::vector<Person> people;

  private:
    void settle(const std::string& name) {
        const auto n = static_cast<std::uint8_t>(people.size() + 1);
        auto& p = people.emplace_back();
        p.user = user(n);
        p.key = key_pair(static_cast<std::uint8_t>(100 + n));
        p.address = name + "@polizei.example";
        p.cert = directory.cert(p.user, p.key, 1, p.address);
        p.dev_no = n;
        p.entry = parse_entry(p.user, records({p.cert}), directory.org.keys).value();
        directory.put(p.entry);
        std::uint32_t first = 1;
        for (std::uint32_t day = 0; day < kDays; ++day) {
            auto batch = agent::sealing::make_batch(p.key.secret, p.cert.device, first, kNow + day * kDay, random_);
            first += static_cast<std::uint32_t>(batch.size());
            p.batches.emplace(day, std::move(batch));
        }
    }

    SystemRandom random_;
};

}  // namespace nimes::test
