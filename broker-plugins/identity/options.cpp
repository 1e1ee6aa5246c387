#include "identity/options.hpp"

#include <charconv>
#include <functional>
#include <map>
#include <set>

#include "nimes/crypto.hpp"
#include "nimes/encoding.hpp"
#include "nimes/mirror.hpp"

namespace nimes::plugin {
namespace {

Result<void> wrong(const std::string& name, std::string_view what) {
    return fail(Errc::bad_config, "plugin_opt_" + name + ": " + std::string(what));
}

Result<std::uint32_t> number(std::string_view text, std::uint32_t low, std::uint32_t high) {
    std::uint32_t out = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc() || end != text.data() + text.size() || out < low || out > high)
        return fail(Errc::bad_config, std::to_string(low) + " to " + std::to_string(high) + " is wanted");
    return out;
}

Result<std::vector<Audience>> audiences(std::string_view list) {
    std::vector<Audience> out;
    while (!list.empty()) {
        const auto comma = list.find(',');
        auto one = audience_of(list.substr(0, comma));
        if (!one) return pass(one);
        out.push_back(*one);
        list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
    }
    if (out.empty()) return fail(Errc::bad_config, "empty");
    return out;
}

template <class T>
Result<void> assign(T& into, Result<T> value) {
    if (!value) return pass(value);
    into = std::move(*value);
    return {};
}

using Setter = std::function<Result<void>(Options&, const std::string&)>;

const std::map<std::string, Setter, std::less<>>& setters() {
    static const std::map<std::string, Setter, std::less<>> kSetters = {
        {"broker",
         [](Options& o, const std::string& v) -> Result<void> {
             if (!is_broker_name(v)) return fail(Errc::bad_config, "1 to 16 of [a-z0-9-] are wanted");
             o.broker = v;
             return {};
         }},
        {"organisation",
         [](Options& o, const std::string& v) -> Result<void> {
             if (v.empty()) return fail(Errc::bad_config, "empty");
             o.org = org_id(v);
             return {};
         }},
        {"directory_key",
         [](Options& o, const std::string& v) { return assign(o.directory_key, id_from_hex<PublicKey>(v)); }},
        {"gateway_key",
         [](Options& o, const std::string& v) { return assign(o.gateway_key, id_from_hex<PublicKey>(v)); }},
        {"audience", [](Options& o, const std::string& v) { return assign(o.audiences, audiences(v)); }},
        {"snapshot",
         [](Options& o, const std::string& v) -> Result<void> {
             if (!v.starts_with('/')) return fail(Errc::bad_config, "an absolute path is wanted");
             o.snapshot = v;
             return {};
         }},
        {"snapshot_max_age_hours",
         [](Options& o, const std::string& v) -> Result<void> {
             auto n = number(v, 1, 168);
             if (!n) return pass(n);
             o.snapshot_max_age = *n * kHour;
             return {};
         }},
        {"rate_per_second",
         [](Options& o, const std::string& v) { return assign(o.rate_per_second, number(v, 1, 100'000)); }},
        {"rate_burst", [](Options& o, const std::string& v) { return assign(o.rate_burst, number(v, 1, 1'000'000)); }},
        {"relay_mib", [](Options& o, const std::string& v) { return assign(o.relay_mib, number(v, 8, 4'096)); }},
    };
    return kSetters;
}

constexpr std::string_view kRequired[] = {"broker",      "organisation", "directory_key",
                                          "gateway_key", "audience",     "snapshot"};

}  // namespace

Result<Options> parse_options(const OptionPairs& pairs) {
    Options out;
    std::set<std::string, std::less<>> seen;
    for (const auto& [name, value] : pairs) {
        const auto setter = setters().find(name);
        if (setter == setters().end()) {
            auto error = wrong(name, "unknown option");
            return pass(error);
        }
        if (!seen.insert(name).second) {
            auto error = wrong(name, "given twice");
            return pass(error);
        }
        if (auto set = setter->second(out, value); !set) {
            auto error = wrong(name, set.error().detail);
            return pass(error);
        }
    }
    for (const auto name : kRequired)
        if (!seen.contains(name)) {
            auto error = wrong(std::string(name), "missing");
            return pass(error);
        }
    return out;
}

}  // namespace nimes::plugin
