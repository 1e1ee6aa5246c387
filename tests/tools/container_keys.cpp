// nimes-container-keys HOME --passphrase-fd N [STORE-DUMP SHARES-KEY]: every secret that a handset's container holds,
// one a line, as NAME<TAB>hex<TAB>DIGITS: what a search for leaks looks for. It opens a copy, so that the home may be
// in use. Where that needs the gateway's share, it is in what nimes-store-dump wrote, sealed under the gateway's
// keys/shares.key; without both the container stays shut.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>

#include "cli/terminal.hpp"
#include "container/container.hpp"
#include "engine/records.hpp"
#include "nimes/encoding.hpp"
#include "sealing/chain.hpp"
#include "sealing/seal_keys.hpp"
#include "shares/seal.hpp"
#include "store/rocksdb_key.hpp"

using namespace nimes;
using namespace nimes::agent;
using container::Table;

namespace {

// A copy of the home that goes with this object: database and log as a thief with the disk would have them.
struct Copy {
    explicit Copy(const std::filesystem::path& home) : path(::mkdtemp(name)) {
        for (const char* file : {"container.db", "container.db-wal"})
            if (std::filesystem::exists(home / file)) std::filesystem::copy_file(home / file, path / file);
        std::filesystem::copy(home / "keystore", path / "keystore", std::filesystem::copy_options::recursive);
    }
    ~Copy() { std::filesystem::remove_all(path); }
    Copy(const Copy&) = delete;
    Copy& operator=(const Copy&) = delete;

    char name[32] = "/tmp/nimes-keys-XXXXXX";
    std::filesystem::path path;
};

void print(std::string_view what, ByteView secret) { std::cout << what << "\thex\t" << to_hex(secret) << '\n'; }

Result<void> each(container::Transaction& tx, Table table, const std::function<void(ByteView)>& show) {
    auto rows = tx.scan(table);
    if (!rows) return pass(rows);
    for (const auto& row : *rows) show(row.value);
    return {};
}

Result<void> print_tables(container::Transaction& tx) {
    const auto seal_key = [](ByteView v) {
        const auto key = sealing::OwnSealKey::parse(v).value();
        print(key.record.kind == SealKeyKind::one_time ? "one-time seal key" : "seal key", key.secret.view());
    };
    const auto sending = [](ByteView v) {
        const auto chain = sealing::SendingChain::parse(v).value();
        print("sending chain", chain.chain_key.view());
        print("chain signing key", chain.signing.secret.view().first(32));
    };
    const auto receiving = [](ByteView v) {
        print("receiving chain", sealing::ReceivingChain::parse(v).value().chain_key.view());
    };
    const auto medium = [](ByteView v) { print("media key", engine::MediumItem::parse(v).value().key.view()); };
    if (auto ok = each(tx, Table::seal_keys, seal_key); !ok) return ok;
    if (auto ok = each(tx, Table::send_chains, sending); !ok) return ok;
    if (auto ok = each(tx, Table::recv_chains, receiving); !ok) return ok;
    return each(tx, Table::media, medium);
}

struct Stolen {
    std::string dump, key;  // files
};

// Of a line of the dump: column, key, value.
std::optional<gateway::shares::Share> share_in(const std::string& line, const gateway::shares::Seal& seal) {
    const auto first = line.find('\t'), last = line.rfind('\t');
    if (first == std::string::npos || first == last) return std::nullopt;
    const auto key = from_hex(line.substr(first + 1, last - first - 1)), value = from_hex(line.substr(last + 1));
    if (!key || !value) return std::nullopt;
    constexpr std::string_view kPrefix = "share";
    const auto name = gateway::store::partition_name(as_text(*key));
    if (!name.starts_with(kPrefix) || name.size() != kPrefix.size() + DeviceId::size) return std::nullopt;
    auto share = seal.open(DeviceId::from(as_bytes(name).subspan(kPrefix.size())), *value);
    return share ? std::optional(std::move(*share)) : std::nullopt;
}

// Tries every share of the dump: the commitment tells which one it is.
bool open_with_any(container::Container& box, const Stolen& stolen, RandomSource& random) {
    std::ifstream file(stolen.key, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), {});
    const gateway::shares::Seal seal(Key(as_bytes(bytes)), std::nullopt, random);
    std::ifstream in(stolen.dump);
    for (std::string line; std::getline(in, line) && box.waits_for_share();)
        if (auto share = share_in(line, seal)) (void)box.open_with({share->number, std::move(share->bytes)}, {});
    return box.state() == container::State::open;
}

Result<void> print_all(const std::filesystem::path& home, const cli::Passphrase& passphrase, const Stolen& stolen) {
    const SystemClock clock;
    SystemRandom random;
    container::FileKeystore keystore(home / "keystore");
    auto lock = container::HomeLock::acquire(home);
    if (!lock) return pass(lock);
    auto box = container::Container::open(std::move(*lock), {keystore, clock, random});
    if (!box) return pass(box);
    if (auto ok = (*box)->unlock(passphrase.view()); !ok) return ok;
    if ((*box)->state() != container::State::open && !open_with_any(**box, stolen, random))
        return fail(Errc::not_found);
    const auto identity = (*box)->identity();
    if (!identity) return fail(identity.error().code);
    print("identity seed", identity->secret.view().first(32));
    auto tx = (*box)->begin();
    if (!tx) return pass(tx);
    return print_tables(*tx);
}

}  // namespace

int main(int argc, char** argv) {
    if ((argc != 4 && argc != 6) || std::string_view(argv[2]) != "--passphrase-fd") {
        std::cerr << "usage: nimes-container-keys HOME --passphrase-fd N [STORE-DUMP SHARES-KEY]\n";
        return 2;
    }
    if (!crypto_init()) return 1;
    const auto passphrase = cli::read_passphrase(std::atoi(argv[3]), false);
    if (!passphrase) return 2;
    const Copy copy(argv[1]);
    const auto done = print_all(copy.path, *passphrase, argc == 6 ? Stolen{argv[4], argv[5]} : Stolen{});
    if (done) return 0;
    std::cerr << "nimes-container-keys: error: " << done.error().text() << '\n';
    return 1;
}
