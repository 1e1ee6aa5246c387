// Shutting out and letting in again, on the command line: devices, people, a unit, a list at once.
#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <set>
#include <thread>

#include "cli/admin_parts.hpp"

namespace nimes::gateway::cli {
namespace {

const std::map<std::string, const char*> kSteps{
    {"recorded", "in the directory, on disk"},
    {"tokens_refused", "the gateway takes no token of it"},
    {"broker_told", "on its way to the brokers"},
    {"broker_obeyed", "the brokers that are there have cut it, and admit it no more"},
    {"requests_cut", "running HTTPS requests are cut"},
    {"mailbox_destroyed", "what waited for it is destroyed"},
    {"seal_keys_destroyed", "its keys are given to nobody"},
    {"share_withheld", "its store opens no more while it is suspended"},
    {"share_deleted", "its store opens never again"},
    {"wipe_ordered", "an order to wipe itself waits for it"},
    {"chains_listed", "it is known who must still leave it out"}};

// One a line: a device's id or an address; empty lines and those that begin with # are passed over.
Result<Json> named_in(const std::string& path) {
    std::ifstream in(path);
    if (!in) return fail(Errc::usage, "cannot read " + path);
    Json out{{"devices", Json::array()}, {"users", Json::array()}};
    for (std::string line; std::getline(in, line);) {
        while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
        if (line.empty() || line[0] == '#') continue;
        out[line.find('@') == std::string::npos ? "devices" : "users"].push_back(line);
    }
    return out;
}

Result<Json> body_of(const Admin& a, const char* kind) {
    Json out{{"devices", Json::array()}, {"users", Json::array()}};
    if (!a.list.empty()) {
        auto listed = named_in(a.list);
        if (!listed) return listed;
        out = std::move(*listed);
    }
    if (!a.device.empty()) out["devices"].push_back(a.device);
    if (!a.user.empty()) out["users"].push_back(a.user);
    if (!a.unit.empty()) out["unit"] = a.unit;
    out["kind"] = kind;
    out["why"] = a.why;
    if (!a.reason.empty()) out["reason"] = a.reason;
    return out;
}

void print_step(const Json& step) {
    const auto name = step.value("step", "");
    const auto at = kSteps.find(name);
    const auto of = step.value("of", 0), confirmed = step.value("confirmed", 0);
    const auto after = step.value("done", false) ? std::to_string(step.value("after_ms", 0)) + " ms"
                                                 : std::to_string(confirmed) + " of " + std::to_string(of);
    std::printf("  %-20s %10s  %s\n", name.c_str(), after.c_str(), at == kSteps.end() ? "" : at->second);
}

void print_end(const Json& order) {
    if (!order.value("complete", false)) return;
    if (const auto owed = order.value("chains_owed", 0); owed > 0)
        std::printf("  %d chains are still owed: `nimes-gateway admin revocations %d` names by whom\n", owed,
                    order.value("id", 0));
}

void print_head(const Json& order) {
    const auto reason = order.value("reason", "");
    std::printf("order %d: %s%s%s, %s, %d devices, %d people; by %s%s%s\n", order.value("id", 0),
                order.value("kind", "").c_str(), reason.empty() ? "" : " as ", reason.c_str(),
                order.value("scope", "").c_str(), order.value("devices", 0), order.value("people", 0),
                order.value("who", "").c_str(), order.value("why", "").empty() ? "" : ": ",
                order.value("why", "").c_str());
}

// Those that do not hold what was ordered.
void print_brokers(const Json& order) {
    for (const auto& b : order.value("brokers", Json::array())) {
        if (b.value("holds", false)) continue;
        const bool linked = b.value("linked", false), awaited = b.value("waited_for", false);
        std::printf("  %s %s: %s\n", b.value("name", "").c_str(), linked ? "has not obeyed yet" : "is not linked",
                    awaited ? "it is waited for" : "nothing passes there until it has obeyed");
    }
}

void print_order(const Json& order) {
    print_head(order);
    for (const auto& step : order["steps"]) print_step(step);
    print_brokers(order);
    print_end(order);
    for (const auto& target : order["targets"])
        std::printf("  %-8s %-26s  %s\n",
                    target.value("superseded_ms", 0ULL) != 0 ? "replaced"
                    : target.value("done", false)            ? "done"
                                                             : "open",
                    target.value("device", "").c_str(), target.value("address", "").c_str());
    for (const auto& owed : order["owed"])
        std::printf("  owed     %s  by %s\n", owed.value("conversation", "").c_str(),
                    owed.value("by", "somebody of another unit").c_str());
}

Result<void> show_revocations(const Admin& a) {
    if (a.order != 0)
        return show(
            a, [&](AdminClient& c) { return c.get("/v1/admin/revocations/" + std::to_string(a.order)); }, print_order);
    return show(
        a, [](AdminClient& c) { return c.get("/v1/admin/revocations"); },
        [](const Json& orders) {
            for (const auto& order : orders) {
                std::printf("%-8s ", order.value("complete", false) ? "done" : "open");
                print_head(order);
            }
            if (orders.empty()) print_line("no order was ever given");
        });
}

constexpr auto kBetween = std::chrono::milliseconds(100);
constexpr std::size_t kLong = 20;  // rounds after which somebody wonders

// Each step as it is done: what has not come yet is what hangs.
Result<void> watch(const Admin& a, AdminClient& client, std::uint64_t id) {
    std::set<std::string> printed;
    std::size_t rounds = 0;
    for (std::string before;; ++rounds) {
        auto order = client.get("/v1/admin/revocations/" + std::to_string(id));
        if (!order) return pass(order);
        if (a.json && (*order)["steps"].dump() != before) print_line(order->dump());
        before = (*order)["steps"].dump();
        for (const auto& step : (*order)["steps"])
            if (!a.json && step.value("done", false) && printed.insert(step.value("step", "")).second) print_step(step);
        if (!a.json && rounds == kLong) print_brokers(*order);
        std::fflush(stdout);
        if (order->value("complete", false)) {
            if (a.json) return {};
            print_end(*order);
            if (a.reason == "lost" || a.reason == "stolen")
                print_line("  `nimes-gateway admin devices wipe DEVICE` tells what became of the order to wipe");
            return {};
        }
        std::this_thread::sleep_for(kBetween);
    }
}

Result<void> give(const Admin& a, const char* kind, const char* now) {
    auto body = body_of(a, kind);
    if (!body) return pass(body);
    auto client = a.client();
    if (!client) return pass(client);
    auto order = client->post("/v1/admin/revocations", *body);
    if (!order) return pass(order);
    if (a.json && !a.watch) print_line(order->dump());
    if (!a.json) {
        const bool one = order->value("scope", "") == "device";
        print_line((one ? a.device : order->value("scope", "")) + (one ? " is " : ": all are ") + now + " (order " +
                   std::to_string(order->value("id", 0)) + ")");
    }
    if (!a.watch) return {};
    return watch(a, *client, order->value("id", std::uint64_t{0}));
}

Result<void> revoke(const Admin& a) { return give(a, "revoke", "revoked, for good"); }
Result<void> suspend(const Admin& a) { return give(a, "suspend", "suspended"); }
Result<void> reinstate(const Admin& a) { return give(a, "reinstate", "let in again"); }

void add_who(CLI::App* to, const Shared& a) {
    to->add_option("DEVICE", a->device, "26 characters, as `devices list` shows it");
    to->add_option("--user", a->user, "All devices of this address, which then enrols nothing new either");
    to->add_option("--unit", a->unit, "Everybody of a unit");
    to->add_option("--list", a->list, "A file of device ids and addresses, one a line; # begins a comment");
    to->add_flag("--watch", a->watch, "Show each step as it is confirmed, until all are");
}

}  // namespace

void add_revocation_verbs(CLI::App& admin, const Shared& a, Chosen& chosen) {
    add_who(verb(admin, a, chosen, "suspend", "Keep devices or people out until they are reinstated", suspend), a);
    auto* in = verb(admin, a, chosen, "reinstate", "Let the suspended in again; the revoked never", reinstate);
    in->alias("resume");
    add_who(in, a);
    auto* out = verb(admin, a, chosen, "revoke", "Shut devices or people out for good, now", revoke);
    add_who(out, a);
    out->add_option("--reason", a->reason, "stolen and lost also order the device to wipe itself")
        ->required()
        ->check(CLI::IsMember({"stolen", "lost", "replaced", "left"}));
    out->footer(
        "The order is on disk before this returns; its steps go on by themselves, also after a crash.\n"
        "Examples:\n  nimes-gateway admin revoke mfzwizltoq2gk3tumvzgs4dumu --reason stolen --watch\n"
        "  nimes-gateway admin revoke --user a.meyer@polizei.example --reason left --why 'retired'\n"
        "  nimes-gateway admin revoke --list lost.txt --reason lost");
    auto* list =
        verb(admin, a, chosen, "revocations", "Orders to shut out and let in, and how far each came", show_revocations);
    list->add_option("ORDER", a->order, "One order, with each of its devices, and who owes it a new chain");
}

}  // namespace nimes::gateway::cli
