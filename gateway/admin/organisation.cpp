#include "admin/organisation.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "nimes/service_address.hpp"

namespace nimes::gateway::admin {
namespace {

constexpr std::size_t kMaxUnits = 10'000;
constexpr std::size_t kMaxName = 120;
const store::Partition& partition() {
    static const store::Partition where{store::Family::directory, "organisation"};
    return where;
}

bool printable(const std::string& text) {
    return !text.empty() && text.size() <= kMaxName &&
           nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::ignore).size() >=
               text.size() + 2 &&
           std::none_of(text.begin(), text.end(),
                        [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace

Result<std::unique_ptr<Organisation>> Organisation::open(store::Store& store) {
    std::unique_ptr<Organisation> out(new Organisation(store));
    if (auto ok = out->load(); !ok) return pass(ok);
    return out;
}

Result<void> Organisation::load() {
    auto stored = store_.get(partition(), "o");
    if (!stored) return pass(stored);
    if (*stored) {
        const auto json = nlohmann::json::parse(as_text(**stored), nullptr, false);
        if (!json.is_object()) return fail(Errc::storage, "the organisation's record is damaged");
        name_ = json.value("name", "");
        rules_.domains = json.value("domains", std::vector<std::string>{});
    }
    auto units = store_.scan(partition(), "u", "v", kMaxUnits);
    if (!units) return pass(units);
    for (const auto& unit : *units) rules_.units.push_back(unit.key.substr(1));
    return {};
}

Result<void> Organisation::create(const std::string& name, const std::string& domain, const store::Batch& row) {
    if (!printable(name)) return fail(Errc::malformed, "the organisation's name");
    const auto probe = ServiceAddress::parse("probe@" + domain);
    if (!probe) return fail(Errc::bad_address, "the mail domain");
    const std::lock_guard lock(mutex_);
    if (!name_.empty())
        return fail(Errc::exists, "this gateway has its organisation; a second one needs its own gateway");
    const std::vector<std::string> domains{std::string(probe->domain())};
    store::Batch batch(partition());
    batch.put("o", as_bytes(nlohmann::json{{"name", name}, {"domains", domains}}.dump()));
    if (auto ok = store_.commit(std::array{row, batch}, store::Sync::yes); !ok) return ok;
    name_ = name;
    rules_.domains = domains;
    return {};
}

Result<void> Organisation::add_unit(const std::string& name, const store::Batch& row) {
    if (!printable(name)) return fail(Errc::malformed, "the unit's name");
    const std::lock_guard lock(mutex_);
    if (name_.empty()) return fail(Errc::not_found, "create the organisation first");
    if (rules_.units.size() >= kMaxUnits) return fail(Errc::too_large, "too many units");
    if (std::find(rules_.units.begin(), rules_.units.end(), name) != rules_.units.end())
        return fail(Errc::exists, "a unit of that name");
    store::Batch batch(partition());
    batch.put("u" + name, {});
    if (auto ok = store_.commit(std::array{row, batch}, store::Sync::yes); !ok) return ok;
    rules_.units.push_back(name);
    return {};
}

bool Organisation::exists() const {
    const std::lock_guard lock(mutex_);
    return !name_.empty();
}

std::string Organisation::name() const {
    const std::lock_guard lock(mutex_);
    return name_;
}

RosterRules Organisation::rules() const {
    const std::lock_guard lock(mutex_);
    return rules_;
}

bool Organisation::has_domain(std::string_view domain) const {
    const std::lock_guard lock(mutex_);
    return std::find(rules_.domains.begin(), rules_.domains.end(), domain) != rules_.domains.end();
}

}  // namespace nimes::gateway::admin
