// What somebody asks for, in JSON, made an order: every wrong name is told, and then nothing is begun.
#include "revocation/drafts.hpp"
#include "nimes/encoding.hpp"

namespace nimes::gateway::revocation {
namespace {

using Json = nlohmann::json;
constexpr std::size_t kMaxNamed = 50'000;
constexpr std::size_t kMistakesShown = 20;
constexpr std::size_t kMaxWhy = 1'000;  // bytes

// Where, never what: an error holds no address.
class Mistakes {
  public:
    void note(const std::string& where, const std::string& what) {
        if (++count_ <= kMistakesShown) text_ += (text_.empty() ? "" : "\n") + where + ": " + what;
    }
    [[nodiscard]] Result<void> judge(Errc code) const {
        if (count_ == 0) return {};
        const auto more = count_ > kMistakesShown ? "\nand " + std::to_string(count_ - kMistakesShown) + " more" : "";
        return fail(code, text_ + more);
    }

  private:
    std::string text_;
    std::size_t count_ = 0;
};

Result<std::vector<std::string>> texts(const Json& body, const char* name) {
    std::vector<std::string> out;
    const auto at = body.find(name);
    if (at == body.end()) return out;
    if (!at->is_array() || at->size() > kMaxNamed)
        return fail(Errc::malformed, std::string(name) + " is a list of at most " + std::to_string(kMaxNamed));
    for (const auto& item : *at) {
        if (!item.is_string()) return fail(Errc::malformed, std::string(name) + " holds something that is no text");
        out.push_back(item);
    }
    return out;
}

std::string text(const Json& body, const char* name) {
    const auto at = body.find(name);
    return at != body.end() && at->is_string() ? at->get<std::string>() : std::string{};
}

Result<void> take_devices(Draft& draft, const std::vector<std::string>& named, const Names& names) {
    Mistakes unknown, final;
    for (std::size_t i = 0; i < named.size(); ++i) {
        const auto where = "device " + std::to_string(i + 1);
        const auto device = device_from_text(named[i]);
        if (!device) return fail(device.error().code, where);
        const auto state = names.state(*device);
        if (!state) unknown.note(where, "no such device");
        else if (*state == "revoked" && draft.kind != Kind::revoke) final.note(where, "revoked, and that is final");
        draft.devices.push_back(*device);
    }
    if (auto ok = unknown.judge(Errc::device_unknown); !ok) return ok;
    return final.judge(Errc::device_revoked);
}

Result<void> take_users(Draft& draft, const std::vector<std::string>& named, const Names& names) {
    Mistakes mistakes;
    for (std::size_t i = 0; i < named.size(); ++i) {
        const auto where = "user " + std::to_string(i + 1);
        const auto address = ServiceAddress::parse(named[i]);
        const auto user = address ? names.user(*address) : std::nullopt;
        if (!address) mistakes.note(where, "not one service address");
        else if (!user) mistakes.note(where, "nobody of that address");
        else draft.people.push_back(*user);
    }
    return mistakes.judge(Errc::not_found);
}

}  // namespace

Result<Draft> draft_of(ByteView bytes, std::string who, const Names& names) {
    const auto body = Json::parse(as_text(bytes), nullptr, false);
    if (!body.is_object()) return fail(Errc::malformed, "the body must be a JSON object");
    Draft out;
    const auto kind = kind_of(text(body, "kind"));
    if (!kind) return fail(Errc::usage, "the kind is suspend, revoke or reinstate");
    out.kind = *kind;
    out.reason = reason_of(text(body, "reason"));
    if (out.kind == Kind::revoke && !out.reason)
        return fail(Errc::usage, "the reason is replaced, lost, stolen or left");
    if (out.kind != Kind::revoke) out.reason.reset();
    out.wipe = out.reason == RevokeReason::lost || out.reason == RevokeReason::stolen;
    out.who = std::move(who);
    out.why = text(body, "why").substr(0, kMaxWhy);
    const auto devices = texts(body, "devices");
    const auto users = texts(body, "users");
    if (!devices) return fail(devices.error().code, devices.error().detail);
    if (!users) return fail(users.error().code, users.error().detail);
    if (auto ok = take_devices(out, *devices, names); !ok) return pass(ok);
    if (auto ok = take_users(out, *users, names); !ok) return pass(ok);
    const auto unit = text(body, "unit");
    const auto members = unit.empty() ? std::vector<UserId>{} : names.unit(unit);
    if (!unit.empty() && members.empty()) return fail(Errc::not_found, "nobody is in a unit of that name");
    out.people.insert(out.people.end(), members.begin(), members.end());
    if (out.people.empty() && out.devices.empty())
        return fail(Errc::usage, "name devices, users, or a unit: nobody is meant otherwise");
    out.scope = !unit.empty() && users->empty() && devices->empty() ? "unit " + unit
                : out.people.empty() && out.devices.size() == 1     ? "device"
                : out.devices.empty() && out.people.size() == 1     ? "user"
                                                                    : "list";
    return out;
}

}  // namespace nimes::gateway::revocation
