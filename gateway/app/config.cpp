#include "app/config.hpp"

#include <toml++/toml.h>
#include <algorithm>
#include <charconv>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <sstream>

#include "enrolment/mailer.hpp"
#include "nimes/mirror.hpp"
#include "nimes/token.hpp"
#include "nimes/version.hpp"

namespace nimes::gateway::app {
namespace {

using Path = std::filesystem::path;
// Takes a value; answers what would be right when it is not.
using Setter = std::function<std::string(const toml::node&)>;
using Section = std::map<std::string, Setter, std::less<>>;

Setter text(std::string& out) {
    return [&out](const toml::node& node) -> std::string {
        const auto value = node.value_exact<std::string>();
        if (!value) return "must be a string";
        out = *value;
        return {};
    };
}

// What handsets are told of policy has at most 16,384 bytes.
constexpr std::size_t kMaxTexts = 200, kMaxText = 64;

Setter texts(std::vector<std::string>& out) {
    return [&out](const toml::node& node) -> std::string {
        const auto* list = node.as_array();
        if (list == nullptr) return "must be a list of strings";
        out.clear();
        if (list->size() > kMaxTexts) return "has at most 200 entries";
        for (const auto& one : *list) {
            const auto value = one.value_exact<std::string>();
            if (!value || value->empty() || value->size() > kMaxText)
                return "must be a list of strings, each of 1 to 64 bytes";
            out.push_back(*value);
        }
        return {};
    };
}

Setter one_of(std::string& out, std::vector<std::string> words) {
    return [&out, words = std::move(words)](const toml::node& node) -> std::string {
        const auto value = node.value_exact<std::string>();
        if (value && std::find(words.begin(), words.end(), *value) != words.end()) {
            out = *value;
            return {};
        }
        std::string wanted = "must be";
        for (const auto& word : words) wanted += (word == words.front() ? " \"" : " or \"") + word + "\"";
        return wanted;
    };
}

Setter version(std::string& out) {
    return [&out](const toml::node& node) -> std::string {
        const auto value = node.value_exact<std::string>();
        if (!value || (!value->empty() && !Version::parse(*value))) return "must be a version, \"1.2.3\"";
        out = *value;
        return {};
    };
}

Setter path(Path& out, const Path& folder) {
    return [&out, folder](const toml::node& node) -> std::string {
        const auto value = node.value_exact<std::string>();
        if (!value) return "must be a path";
        if (!value->empty()) out = folder / *value;
        return {};
    };
}

template <class Flag>
Setter flag(Flag& out) {
    return [&out](const toml::node& node) -> std::string {
        const auto value = node.value_exact<bool>();
        if (!value) return "must be true or false";
        out = *value;
        return {};
    };
}

template <class Number>
Setter number(Number& out, Number least, Number most) {
    return [&out, least, most](const toml::node& node) -> std::string {
        const auto value = node.value_exact<std::int64_t>();
        if (!value || *value < 0 || static_cast<std::uint64_t>(*value) < least ||
            static_cast<std::uint64_t>(*value) > most)
            return "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most);
        out = static_cast<Number>(*value);
        return {};
    };
}

Setter endpoint(Endpoint& out) {
    return [&out](const toml::node& node) -> std::string {
        const std::string wanted = "must be \"ADDRESS:PORT\"";
        const auto value = node.value_exact<std::string>();
        const auto colon = value ? value->rfind(':') : std::string::npos;
        if (colon == std::string::npos || colon == 0) return wanted;
        unsigned port = 0;
        const auto* const end = value->data() + value->size();
        const auto [at, error] = std::from_chars(value->data() + colon + 1, end, port);
        if (error != std::errc{} || at != end || port > 65'535) return wanted;
        out = {value->substr(0, colon), static_cast<std::uint16_t>(port)};
        return {};
    };
}

Setter audience(std::string& out, std::string_view scheme) {
    return [&out, scheme](const toml::node& node) -> std::string {
        const auto value = node.value_exact<std::string>();
        if (!value || !value->starts_with(scheme) || !audience_of(*value))
            return "must be \"" + std::string(scheme) + "host:port\", in lower case, with the port";
        out = *value;
        return {};
    };
}

Section of_broker(Config::Broker& broker, const Path& folder) {
    return {{"name", text(broker.name)},
            {"url", audience(broker.url, "mqtts://")},
            {"dial", text(broker.dial)},
            {"ca", path(broker.ca, folder)}};
}

Setter brokers(std::vector<Config::Broker>& out, const Path& folder) {
    return [&out, folder](const toml::node& node) -> std::string {
        const auto* list = node.as_array();
        if (list == nullptr) return "must be tables, [[broker.more]]";
        for (const auto& one : *list) {
            const auto* table = one.as_table();
            if (table == nullptr) return "must be tables, [[broker.more]]";
            auto& broker = out.emplace_back();
            broker.name.clear();
            const auto known = of_broker(broker, folder);
            for (const auto& [key, value] : *table) {
                const auto at = known.find(key.str());
                if (at == known.end()) return "has an unknown key " + std::string(key.str());
                if (const auto wrong = at->second(value); !wrong.empty()) return std::string(key.str()) + " " + wrong;
            }
        }
        return {};
    };
}

std::map<std::string, Section, std::less<>> schema(Config& c) {
    auto broker = of_broker(c.broker, c.folder);
    broker.emplace("more", brokers(c.more_brokers, c.folder));
    const auto& f = c.folder;
    return {
        {"", {{"organisation", text(c.organisation)}, {"keys", path(c.keys, f)}}},
        {"http",
         {{"listen", endpoint(c.http.listen)},
          {"public_url", audience(c.http.public_url, "https://")},
          {"certificate", path(c.http.certificate, f)},
          {"key", path(c.http.key, f)},
          {"ca", path(c.http.ca, f)},
          {"head_seconds", number<std::uint32_t>(c.http.head_seconds, 1, 600)},
          {"idle_seconds", number<std::uint32_t>(c.http.idle_seconds, 1, 3'600)}}},
        {"operations", {{"listen", endpoint(c.operations.listen)}, {"log_level", text(c.operations.log_level)}}},
        {"admin", {{"socket", path(c.admin.socket, f)}, {"open_to_group", flag(c.admin.open_to_group)}}},
        {"store",
         {{"path", path(c.store.path, f)},
          {"floor_bytes", number<std::uint64_t>(c.store.floor_bytes, 0, 1ull << 50)},
          {"reserve_bytes", number<std::uint64_t>(c.store.reserve_bytes, 0, 1ull << 40)},
          {"cache_bytes", number<std::uint64_t>(c.store.cache_bytes, 1u << 20, 1ull << 40)}}},
        {"broker", broker},
        {"smtp",
         {{"url", text(c.smtp.url)},
          {"sender", text(c.smtp.sender)},
          {"user", text(c.smtp.user)},
          {"password_file", path(c.smtp.password_file, f)},
          {"ca", path(c.smtp.ca, f)}}},
        {"wake",
         {{"enabled", flag(c.wake.enabled)},
          {"allow_http", flag(c.wake.allow_http)},
          {"allow_private", flag(c.wake.allow_private)},
          {"min_interval_seconds", number<std::uint32_t>(c.wake.min_interval_seconds, 1, 3'600)}}},
        {"policy",
         {{"retention_days", number<std::uint32_t>(c.policy.retention_days, 1, 90)},
          {"offline_grace_hours", number<std::uint32_t>(c.policy.offline_grace_hours, 1, 72)},
          {"offline_grace_minutes", number<std::uint32_t>(c.policy.offline_grace_minutes, 15, 4'320)},
          {"restart_without_network", flag(c.policy.restart_without_network)},
          {"lock_after_seconds", number<std::uint32_t>(c.policy.lock_after_seconds, 10, 86'400)},
          {"device_hold_seconds", number<std::uint32_t>(c.policy.device_hold_seconds, 0, 86'400)},
          {"export_allowed", flag(c.policy.export_allowed)},
          {"viewer_allowed", flag(c.policy.viewer_allowed)},
          {"history_allowed", flag(c.policy.history_allowed)},
          {"further_device", one_of(c.policy.further_device, {"voucher", "approval"})},
          {"minimum_agent", version(c.policy.minimum_agent)},
          {"private_devices_allowed", flag(c.policy.private_devices_allowed)},
          {"media_quota_bytes", number<std::uint64_t>(c.policy.media_quota_bytes, 1, 1ull << 50)},
          {"media_user_quota_bytes", number<std::uint64_t>(c.policy.media_user_quota_bytes, 1, 1ull << 50)},
          {"media_organisation_quota_bytes",
           number<std::uint64_t>(c.policy.media_organisation_quota_bytes, 1, 1ull << 50)},
          {"media_open_uploads", number<std::uint64_t>(c.policy.media_open_uploads, 1, 10'000)},
          {"media_max_bytes", number<std::uint64_t>(c.policy.media_max_bytes, 1, 1ull << 40)}}},
        {"pilot",
         {{"units", texts(c.pilot.units)},
          {"export_allowed", flag(c.pilot.export_allowed)},
          {"viewer_allowed", flag(c.pilot.viewer_allowed)},
          {"history_allowed", flag(c.pilot.history_allowed)}}},
    };
}

std::string at_line(const toml::node& node) { return "line " + std::to_string(node.source().begin.line) + ": "; }

void read_section(const std::string& name, const toml::table& table, const Section& section, std::string& mistakes) {
    for (const auto& [key, node] : table) {
        if (name.empty() && node.is_table()) continue;
        const auto full = (name.empty() ? "" : name + ".") + std::string(key.str());
        const auto known = section.find(key.str());
        if (known == section.end()) {
            mistakes += at_line(node) + "unknown key " + full + "\n";
        } else if (const auto wrong = known->second(node); !wrong.empty()) {
            mistakes += at_line(node) + full + " " + wrong + "\n";
        }
    }
}

void check_whole(const Config& c, std::string& mistakes) {
    const auto need = [&](bool there, const char* key) {
        if (!there) mistakes += std::string(key) + " is missing\n";
    };
    need(!c.organisation.empty(), "organisation");
    need(!c.http.public_url.empty(), "http.public_url");
    need(!c.http.certificate.empty(), "http.certificate");
    need(!c.http.key.empty(), "http.key");
    need(!c.http.ca.empty(), "http.ca");
    std::set<std::string> names, urls, dialled;
    for (const auto& broker : brokers_of(c)) {
        need(!broker.url.empty(), "broker.url");
        need(!broker.ca.empty(), "broker.ca");
        if (!is_broker_name(broker.name)) mistakes += "broker.name has 1 to 16 of a-z, 0-9 and -\n";
        const bool own_address = dialled.insert(broker.dial.empty() ? broker.url : broker.dial).second;
        if (!names.insert(broker.name).second || !urls.insert(broker.url).second || !own_address)
            mistakes += "each broker has a name and a url (and a dial) of its own\n";
    }
    need(!c.smtp.url.empty(), "smtp.url");
    need(!c.smtp.sender.empty(), "smtp.sender");
    if (!c.smtp.url.empty() && !c.smtp.sender.empty())
        if (const auto ok = enrolment::check({c.smtp.url, c.smtp.sender, {}, {}, {}}); !ok)
            mistakes += ok.error().detail + "\n";
    for (const auto& level : {"debug", "info", "warning", "error"})
        if (c.operations.log_level == level) return;
    mistakes += "operations.log_level must be debug, info, warning or error\n";
}

}  // namespace

Result<Config> parse_config(std::string_view toml_text, const Path& folder) {
    Config config;
    config.folder = folder;
    for (auto* p : {&config.keys, &config.admin.socket, &config.store.path}) *p = folder / *p;
    std::string mistakes;
    try {
        const auto root = toml::parse(toml_text);
        const auto known = schema(config);
        for (const auto& [key, node] : root) {
            if (!node.is_table()) continue;
            const auto section = known.find(key.str());
            if (key.str().empty() || section == known.end())
                mistakes += at_line(node) + "unknown section [" + std::string(key.str()) + "]\n";
            else read_section(section->first, *node.as_table(), section->second, mistakes);
        }
        read_section("", root, known.at(""), mistakes);
    } catch (const toml::parse_error& error) {
        return fail(Errc::bad_config,
                    "line " + std::to_string(error.source().begin.line) + ": " + std::string(error.description()));
    }
    if (mistakes.empty()) check_whole(config, mistakes);
    if (mistakes.empty()) return config;
    mistakes.pop_back();
    return fail(Errc::bad_config, mistakes);
}

std::vector<Config::Broker> brokers_of(const Config& config) {
    std::vector<Config::Broker> out{config.broker};
    out.insert(out.end(), config.more_brokers.begin(), config.more_brokers.end());
    return out;
}

Result<Config> load_config(const Path& file) {
    std::ifstream in(file);
    std::ostringstream text;
    text << in.rdbuf();
    if (!in) return fail(Errc::bad_config, "cannot read the configuration file");
    std::error_code ignored;
    return parse_config(text.str(), std::filesystem::absolute(file, ignored).parent_path());
}

}  // namespace nimes::gateway::app
