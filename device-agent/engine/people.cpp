#include "engine/people.hpp"

#include <algorithm>

#include "directory/who.hpp"
#include "nimes/encoding.hpp"
#include "nimes/opaque.hpp"

namespace nimes::agent::engine {
namespace {

using container::Transaction;
using directory::PersonInfo;

constexpr Millis kFoundFor = 10 * kMinute;
constexpr std::size_t kMostFound = 1'000;

std::string folded(std::string_view in) {
    std::string out(in);
    for (auto& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

bool matches(const PersonInfo& person, const std::string& name, const std::string& unit) {
    return folded(person.name).starts_with(folded(name)) && folded(person.unit).starts_with(folded(unit));
}

}  // namespace

Result<std::vector<PersonInfo>> People::ask(Lock& lock, const std::string& name, const std::string& unit) {
    lock.unlock();
    const auto answer = network_.people(name, unit);
    lock.lock();
    if (!answer) {
        auto known = held(name, unit);
        if (!known.empty()) return known;
        return fail(answer.error().code, answer.error().detail);
    }
    std::vector<PersonInfo> out;
    for (const auto& record : answer->persons()) {
        const auto bytes = open_person(core_.provisioning->keys.ea, core_.provisioning->keys.org, as_bytes(record));
        v1::Person in;
        if (!bytes || !in.ParseFromArray(bytes->data(), static_cast<int>(bytes->size())) ||
            in.user().size() != UserId::size)
            continue;
        PersonInfo person{UserId::from(as_bytes(in.user())), in.name(), in.rank(), in.unit(), in.address()};
        if (matches(person, name, unit)) out.push_back(std::move(person));
    }
    return out;
}

std::vector<PersonInfo> People::held(const std::string& name, const std::string& unit) const {
    std::vector<PersonInfo> out;
    for (const auto& [user, entry] : core_.directory->entries())
        if (entry.person && matches(*entry.person, name, unit)) out.push_back(*entry.person);
    return out;
}

Result<std::vector<PersonInfo>> People::search(Lock& lock, const std::string& query) {
    if (directory::is_address(query)) {
        const auto user = sync_.by_address(lock, query);
        if (!user) return fail(user.error().code, user.error().detail);
        const auto* entry = core_.directory->find(*user);
        if (entry == nullptr || !entry->person) return fail(Errc::not_found);
        return std::vector{*entry->person};
    }
    for (const auto& q : directory::name_queries(query)) {
        auto found = ask(lock, q.name, q.unit);
        if (!found || !found->empty()) return found;
    }
    return std::vector<PersonInfo>{};
}

Result<UserId> People::one(Lock& lock, const std::string& query, std::vector<PersonInfo>& candidates) {
    const auto known = core_.found_people.find(query);
    if (known != core_.found_people.end() && known->second.revision == core_.directory->head().revision &&
        core_.clock.boot() < known->second.until)
        return known->second.user;
    auto found = search(lock, query);
    if (!found) return pass(found);
    if (found->empty()) return fail(Errc::not_found, "nobody of that name or address");
    if (found->size() > 1) {
        candidates = std::move(*found);
        return fail(Errc::ambiguous);
    }
    const auto user = found->front().user;
    if (core_.found_people.size() >= kMostFound) core_.found_people.clear();
    core_.found_people[query] = {user, core_.directory->head().revision, core_.clock.boot() + kFoundFor};
    return user;
}

Result<ConversationId> People::conversation(Lock& lock, const std::string& to, std::vector<PersonInfo>& candidates) {
    std::vector<ConversationId> titled;
    if (const auto id = id_from_hex<ConversationId>(to); id && core_.conversations.contains(*id)) return *id;
    for (const auto& [id, info] : core_.infos)
        if (!info.title.empty() && info.title == to) titled.push_back(id);
    if (titled.size() > 1) return fail(Errc::ambiguous, "several groups have this title");
    if (titled.size() == 1) return titled.front();
    const auto user = one(lock, to, candidates);
    if (!user) return fail(user.error().code, user.error().detail);
    if (auto ok = sync_.bring_up(lock, {*user}); !ok) return pass(ok);
    if (core_.directory->find(*user) == nullptr) return fail(Errc::recipient_unknown, "this person has no handset yet");
    const auto pair = conversation::pair_conversation(core_.own().user, *user);
    if (core_.conversations.contains(pair.id)) return pair.id;
    auto stored = core_.transact([&](Transaction& tx) { return core_.put_conversation(tx, pair); });
    if (!stored) return pass(stored);
    return pair.id;
}

}  // namespace nimes::agent::engine
