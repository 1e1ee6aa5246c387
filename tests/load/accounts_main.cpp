// nimes-load-accounts: fills the directory of a gateway that does not run with people and devices, through the
// gateway's own directory room, and writes their keys to a file. What enrolment by mail does in minutes for thousands
// of devices takes seconds here; every certificate, head and seal key is checked as always.
// Exit status: 0, else that of the error table (schemas/src/error.cpp).
#include <CLI/CLI.hpp>
#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>

#include "accounts.hpp"
#include "directory/directory.hpp"
#include "store/rocksdb_store.hpp"
#include "unsynced.hpp"
#include "waiting.hpp"

namespace {

using namespace nimes;
using namespace nimes::load;
using gateway::directory::Directory;

struct Wish {
    std::string gateway, organisation = "polizei-nds", out;
    unsigned people = 0;
    unsigned devices_each = 1;
    std::string accounts;
    std::uint64_t waiting = 0;
};

// A further device is vouched for by its owner's first one, as policy wants it.
Result<DeviceCert> certify(Directory& directory, const UserId& user, const SigningKeyPair& key, const Account* first,
                           Millis now) {
    auto draft = directory.draft(user, key.public_key, DeviceRole::service,
                                 first == nullptr ? Admission::first : Admission::vouched, 1, now);
    if (!draft) return draft;
    draft->self_signature = sign_cert_self(key.secret, draft->body());
    if (first != nullptr) {
        draft->voucher = first->device;
        draft->voucher_signature = sign_cert_voucher_device(first->identity.secret, draft->body());
    }
    return directory.certify(*draft);
}

// One key, of today: a batch of 32 would be most of the time, and nobody in a load test lives until tomorrow.
agent::sealing::OwnSealKey make_seal_key(const Account& of, Millis now) {
    agent::sealing::OwnSealKey out;
    out.record.device = of.device;
    out.record.batch_no = utc_day(now);
    out.record.key_id = 1;
    out.record.not_before = now - now % kDay;
    out.record.not_after = out.record.not_before + kDay;
    crypto_box_keypair(out.record.key.bytes.data(), out.secret.data());
    out.record.signature = sign_seal_key(of.identity.secret, out.record.body());
    return out;
}

Result<Account> make_device(Directory& directory, const UserId& user, const Account* first, const Clock& clock,
                            RandomSource& random) {
    Account out;
    ByteArray<32> seed{};
    random.fill(seed);
    out.identity = signing_key_from_seed(seed);
    const auto now = clock.now();
    auto cert = certify(directory, user, out.identity, first, now);
    if (!cert) return pass(cert);
    out.user = user;
    out.device = cert->device;
    out.seal_key = make_seal_key(out, now);
    const std::vector<Bytes> records{out.seal_key.record.encode()};
    if (auto ok = directory.put_seal_keys(out.device, records); !ok) return pass(ok);
    return out;
}

Result<void> number_devices(const Directory& directory, std::vector<Account>& accounts) {
    for (auto& account : accounts) {
        const auto targets = directory.targets_of(account.user);
        if (!targets) return fail(targets.error().code, targets.error().detail);
        for (const auto& target : *targets)
            if (target.device == account.device) account.dev_no = target.dev_no;
    }
    return {};
}

Result<std::vector<Account>> make_people(Directory& directory, const Wish& wish, const Clock& clock,
                                         RandomSource& random) {
    std::vector<Account> accounts;
    for (unsigned i = 0; i < wish.people; ++i) {
        const auto address = ServiceAddress::parse("load" + std::to_string(i) + "@load.example");
        if (auto ok = directory.put_person({*address, "Load " + std::to_string(i), "PK", "Load"}); !ok) return pass(ok);
        const auto user = directory.person(*address)->user;
        const auto first = accounts.size();
        for (unsigned k = 0; k < wish.devices_each; ++k) {
            auto made = make_device(directory, user, k == 0 ? nullptr : &accounts[first], clock, random);
            if (!made) return pass(made);
            accounts.push_back(std::move(*made));
        }
    }
    if (auto ok = number_devices(directory, accounts); !ok) return pass(ok);
    return accounts;
}

Result<nlohmann::json> fill(Unsynced& store, Directory& directory, const Wish& wish, const Clock& clock,
                            RandomSource& random) {
    nlohmann::json out;
    std::vector<Account> accounts;
    if (wish.people > 0) {
        auto made = make_people(directory, wish, clock, random);
        if (!made) return pass(made);
        accounts = std::move(*made);
        if (auto ok = write_accounts(wish.out, accounts); !ok) return pass(ok);
        out["people"] = wish.people;
        out["devices"] = accounts.size();
    } else {
        auto read = read_accounts(wish.accounts);
        if (!read) return pass(read);
        accounts = std::move(*read);
    }
    if (wish.waiting > 0) {
        auto entries = fill_mailboxes(store, directory, accounts, wish.waiting, clock.now(), random);
        if (!entries) return pass(entries);
        out["entries"] = *entries;
    }
    if (auto ok = store.sync(); !ok) return pass(ok);
    return out;
}

Result<void> run(const Wish& wish) {
    SystemClock clock;
    SystemRandom random;
    const std::filesystem::path folder = wish.gateway;
    auto secrets = gateway::directory::load_org_keys(folder / "keys", wish.organisation);
    if (!secrets) return pass(secrets);
    auto opened = gateway::store::open_rocksdb(folder / "store", {});
    if (!opened) return pass(opened);
    Unsynced store(**opened);
    auto directory = Directory::open(store, std::move(*secrets), clock, random);
    if (!directory) return pass(directory);
    const auto began = std::chrono::steady_clock::now();
    auto done = fill(store, **directory, wish, clock, random);
    if (!done) return pass(done);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    (*done)["seconds"] = took.count();
    std::cout << *done << std::endl;
    return {};
}

}  // namespace

int main(int argc, char** argv) {
    Wish wish;
    CLI::App app(
        "Fills the directory of a gateway that is NOT running with people and devices for a load test.\n"
        "First `nimes-gateway init --dir DIR --organisation NAME`, then this, then `nimes-gateway run`.");
    app.add_option("--gateway", wish.gateway, "the gateway's folder, as `init` made it")->required();
    app.add_option("--organisation", wish.organisation, "its name, as given to `init`")->capture_default_str();
    auto* people = app.add_option("--people", wish.people, "how many to make")->check(CLI::Range(1, 100'000));
    app.add_option("--devices-each", wish.devices_each, "devices of each")
        ->capture_default_str()
        ->check(CLI::Range(1, 7));
    auto* out = app.add_option("--out", wish.out, "file for the devices' keys (mode 0600)");
    auto* accounts =
        app.add_option("--accounts", wish.accounts, "a file that this tool wrote, to fill their mailboxes");
    app.add_option("--waiting", wish.waiting,
                   "let so many entries wait in their mailboxes: messages to a group of all");
    people->needs(out);
    accounts->excludes(people);
    CLI11_PARSE(app, argc, argv);
    if (wish.people == 0 && wish.accounts.empty()) {
        std::cerr << "error: --people N --out FILE makes devices, --accounts FILE --waiting N fills their mailboxes\n";
        return row(Errc::usage).exit;
    }
    if (!crypto_init()) return 1;
    const auto done = run(wish);
    if (done) return 0;
    const auto& row = done.error().row();
    std::cerr << "error: " << done.error().text() << "\nhint: " << row.hint << '\n';
    return row.exit;
}
