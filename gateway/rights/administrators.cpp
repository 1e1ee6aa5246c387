#include "rights/administrators.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "nimes/encoding.hpp"
#include "nimes/service_address.hpp"

namespace nimes::gateway::rights {
namespace {

using Json = nlohmann::json;
constexpr std::size_t kMaxAdministrators = 10'000;
constexpr std::size_t kMaxName = 64;
constexpr std::string_view kPrefix = "nimes-admin-";  // for those who look for tokens where none should be
constexpr const char* kLastOwner =
    "the last owner stays: make another owner first (admin administrators add --role owner)";

const store::Partition& partition() {
    static const store::Partition where{store::Family::directory, "administrators"};
    return where;
}

// A fast hash is right here: what is hashed are 256 random bits, not something a person chose. There is no list of
// likely ones to try, and 2^256 are too many at any speed; a slow hash would cost the gateway at each request and the
// thief of the store nothing that they could have paid. For the same reason no salt.
Digest hash_of_token(ByteView secret) { return hash("nimes/admintoken", {secret}); }

std::optional<Bytes> secret_of(std::string_view token) {
    if (!token.starts_with(kPrefix)) return std::nullopt;
    auto bytes = from_hex(token.substr(kPrefix.size()));
    if (!bytes || bytes->size() != 32) return std::nullopt;
    return std::move(*bytes);
}

// It stands in the audit's "who", so it must not look like anything else that stands there.
bool good_name(const std::string& name) {
    return !name.empty() && name.size() <= kMaxName && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
               c == '-';
    });
}

Result<void> check(Administrator& a, const People& people) {
    if (!good_name(a.name)) return fail(Errc::malformed, "a name has 1 to 64 letters, digits, dots, - and _");
    const auto address = ServiceAddress::parse(a.address);
    if (!address) return fail(Errc::bad_address, "of the administrator");
    a.address = address->text();
    switch (people.standing(a.address)) {
        case People::Standing::unknown:
            return fail(Errc::not_found, "nobody of that address: an administrator stands on the roster");
        case People::Standing::shut_out:
            return fail(Errc::forbidden, "that person is shut out: reinstate them first (admin reinstate --user)");
        case People::Standing::stands:
            break;
    }
    if (always_whole(a.role) && !a.units.empty())
        return fail(Errc::malformed, "owners and auditors are of the whole organisation: name no unit");
    return {};
}

}  // namespace

Result<std::unique_ptr<Administrators>> Administrators::open(store::Store& store, const People& people,
                                                             const Clock& clock, RandomSource& random) {
    std::unique_ptr<Administrators> out(new Administrators(store, people, clock, random));
    if (auto ok = out->load(); !ok) return pass(ok);
    return out;
}

Result<void> Administrators::load() {
    auto rows = store_.scan(partition(), "a", "b", kMaxAdministrators);
    if (!rows) return pass(rows);
    for (const auto& row : *rows) {
        const auto name = row.key.substr(1);
        const auto json = Json::parse(as_text(row.value), nullptr, false);
        const auto role = json.is_object() ? role_of(json.value("role", "")) : std::nullopt;
        const auto digest = json.is_object() ? id_from_hex<Digest>(json.value("token", "")) : fail(Errc::malformed);
        if (!role || !digest) return fail(Errc::storage, "an administrator's record is damaged");
        Kept kept{{name, json.value("address", ""), *role, json.value("units", std::vector<std::string>{}),
                   json.value("made_by", ""), json.value("made_ms", Millis{0}), 0},
                  *digest};
        auto used = store_.get(partition(), "u" + name);
        if (!used) return pass(used);
        if (*used) kept.administrator.last_used = store::u64_of(as_text(**used)).value_or(0);
        by_token_[kept.token_hash] = name;
        by_name_.emplace(name, std::move(kept));
    }
    return {};
}

Result<std::string> Administrators::add(Administrator a, const store::Batch& row) {
    if (auto ok = check(a, people_); !ok) return pass(ok);
    const Key secret(random_.id<Digest>().view());
    const auto digest = hash_of_token(secret.view());
    a.made = clock_.now();
    a.last_used = 0;
    const Json json{{"address", a.address}, {"role", name(a.role)}, {"units", a.units},
                    {"made_by", a.made_by}, {"made_ms", a.made},    {"token", to_hex(digest.view())}};
    store::Batch batch(partition());
    batch.put("a" + a.name, as_bytes(json.dump()));
    const std::lock_guard lock(mutex_);
    if (by_name_.contains(a.name)) return fail(Errc::exists, "an administrator of that name: remove it first");
    if (by_name_.size() >= kMaxAdministrators) return fail(Errc::too_large, "too many administrators");
    if (auto ok = store_.commit(std::array{row, batch}, store::Sync::yes); !ok) return pass(ok);
    by_token_[digest] = a.name;
    by_name_[a.name] = {a, digest};
    return std::string(kPrefix) + to_hex(secret.view());
}

// Is there an owner whose person stands, besides that account and those people? mutex_ held.
bool Administrators::owner_is_left(const std::string& without, const std::set<std::string>& shut_out) const {
    return std::any_of(by_name_.begin(), by_name_.end(), [&](const auto& entry) {
        const auto& a = entry.second.administrator;
        return a.role == Role::owner && a.name != without && !shut_out.contains(a.address) &&
               people_.standing(a.address) == People::Standing::stands;
    });
}

Result<Administrators::Held> Administrators::may_remove(const std::string& name) {
    Held held(keeping_);
    const std::lock_guard lock(mutex_);
    const auto at = by_name_.find(name);
    if (at == by_name_.end()) return fail(Errc::not_found, "no administrator of that name");
    if (at->second.administrator.role == Role::owner && !owner_is_left(name, {}))
        return fail(Errc::forbidden, kLastOwner);
    return held;
}

// Where no owner was ever made, there is none to keep: whoever has the socket as its owner is the administrator.
Result<Administrators::Held> Administrators::may_shut_out(const std::set<std::string>& addresses) {
    Held held(keeping_);
    const std::lock_guard lock(mutex_);
    if (owner_is_left({}, {}) && !owner_is_left({}, addresses)) return fail(Errc::forbidden, kLastOwner);
    return held;
}

Result<void> Administrators::remove(const std::string& name, const store::Batch& row) {
    const std::lock_guard lock(mutex_);
    const auto at = by_name_.find(name);
    if (at == by_name_.end()) return fail(Errc::not_found, "no administrator of that name");
    store::Batch batch(partition());
    batch.erase("a" + name).erase("u" + name);
    if (auto ok = store_.commit(std::array{row, batch}, store::Sync::yes); !ok) return ok;
    by_token_.erase(at->second.token_hash);
    by_name_.erase(at);
    return {};
}

std::optional<Administrator> Administrators::by_token(std::string_view token) {
    const auto secret = secret_of(token);
    if (!secret) return std::nullopt;
    const auto digest = hash_of_token(*secret);
    const std::lock_guard lock(mutex_);
    // Found by its hash: how long the look takes says something of hashes, and nothing of a token that has one.
    const auto at = by_token_.find(digest);
    if (at == by_token_.end()) return std::nullopt;
    auto& administrator = by_name_.at(at->second).administrator;
    if (people_.standing(administrator.address) != People::Standing::stands) return std::nullopt;
    note_use(administrator);
    return administrator;
}

// For people who look, so once a minute is enough, and what a crash forgets of it is no loss.
void Administrators::note_use(Administrator& a) {
    const auto now = clock_.now();
    if (now < a.last_used + kMinute) return;
    a.last_used = now;
    store::Batch batch(partition());
    batch.put("u" + a.name, as_bytes(store::key_u64(static_cast<std::uint64_t>(now))));
    (void)store_.commit(batch, store::Sync::no);
}

std::vector<Administrator> Administrators::all() const {
    const std::lock_guard lock(mutex_);
    std::vector<Administrator> out;
    for (const auto& [name, kept] : by_name_) out.push_back(kept.administrator);
    return out;
}

bool Administrators::reaches_beyond(const std::string& address, const Asker& who) const {
    if (who.whole()) return false;
    const auto covered = [&](const std::string& unit) { return who.covers(unit); };
    const std::lock_guard lock(mutex_);
    return std::any_of(by_name_.begin(), by_name_.end(), [&](const auto& entry) {
        const auto& a = entry.second.administrator;
        return a.address == address && (a.units.empty() || !std::all_of(a.units.begin(), a.units.end(), covered));
    });
}

bool Administrators::is_owner(const std::string& address) const {
    const std::lock_guard lock(mutex_);
    return std::any_of(by_name_.begin(), by_name_.end(), [&](const auto& entry) {
        return entry.second.administrator.role == Role::owner && entry.second.administrator.address == address;
    });
}

}  // namespace nimes::gateway::rights
