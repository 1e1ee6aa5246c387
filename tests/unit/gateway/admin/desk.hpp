// The administration's routes over a store in memory, and rooms that say what a test wants.
#pragma once

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "admin/routes.hpp"
#include "nimes/encoding.hpp"
#include "store/memory_store.hpp"

namespace nimes::gateway::admin {

using Json = nlohmann::json;

struct ARegistry final : Registry {
    std::vector<PersonLine> known;
    std::optional<PersonLine> owner;  // of every device
    std::vector<std::string> put;
    store::Store* store = nullptr;
    Result<Change> put_person(const PersonFields& person, const store::Batch& row) override {
        put.push_back(person.address.text());
        if (auto ok = store->commit(row, store::Sync::yes); !ok) return pass(ok);
        return Change::added;
    }
    std::vector<PersonLine> people() const override { return known; }
    std::vector<DeviceLine> lines;
    std::vector<DeviceLine> devices(const std::optional<ServiceAddress>&) const override { return lines; }
    std::optional<PersonLine> owner_of(const DeviceId&) const override { return owner; }
};

struct ASuspensions final : Suspensions {
    std::vector<std::string> suspended;
    std::string why;
    Result<std::uint64_t> suspend(const std::vector<std::string>& addresses, const std::string&,
                                  const std::string& reason) override {
        suspended = addresses;
        why = reason;
        return std::uint64_t{7};
    }
};

struct OneWaits final : Approvals {
    WaitingLine line{DeviceId{}, "a.meyer@polizei.example", "Meyer, Anna", "Celle", 7, false};
    std::vector<DeviceId> approved;
    OneWaits() { line.device.bytes.fill(5); }
    Result<std::vector<WaitingLine>> waiting() override { return std::vector{line}; }
    Result<void> approve(const DeviceId& device) override {
        if (device != line.device) return fail(Errc::not_found, "no such device waits for an approval");
        approved.push_back(device);
        return {};
    }
};

struct OneWipe final : Wipes {
    WipeLine line;
    Result<WipeLine> wipe(const DeviceId&) override { return line; }
};

// Everybody stands but who is named.
struct Roll final : rights::People {
    std::set<std::string> shut_out;
    Standing standing(const std::string& address) const override {
        return shut_out.contains(address) ? Standing::shut_out : Standing::stands;
    }
};

struct NoGroups final : Groups {
    Result<GroupLine> group(const ConversationId&) override { return fail(Errc::not_found); }
    Result<std::vector<GroupLine>> orphaned() override { return std::vector<GroupLine>{}; }
    Result<void> appoint(const ConversationId&, const ServiceAddress&) override { return fail(Errc::not_found); }
};

struct Desk {
    store::MemoryStore store;
    SystemClock clock;
    std::unique_ptr<Organisation> organisation = Organisation::open(store).value();
    ARegistry registry;
    ASuspensions suspensions;
    OneWaits approvals;
    OneWipe wipes;
    NoGroups groups;
    std::unique_ptr<audit::Log> log = audit::Log::open(store, clock).value();
    Roll roll;
    SystemRandom random;
    std::unique_ptr<rights::Administrators> administrators =
        rights::Administrators::open(store, roll, clock, random).value();
    operations::Metrics metrics{"test", "test"};
    rights::Door door{{*administrators, *log, metrics.admin_refusals, 998}};
    std::string token;  // whose the next request is; "": the local root's

    Desk() {
        registry.store = &store;
        add_routes(door, {*organisation, registry, suspensions, approvals, wipes, groups, *administrators, *log});
    }
    // From here on somebody of that role asks.
    void become(rights::Role role, std::vector<std::string> units = {}, const std::string& name = "frank") {
        rights::Administrator made{name, name + "@polizei.example", role, std::move(units), "test", 0, 0};
        token = administrators->add(made, store::Batch({store::Family::audit, "x"})).value();
    }
    http::Response ask(http::Method method, const std::string& path, const std::string& body = {},
                       const http::Request::Pairs& query = {}) const {
        auto match = door.router().find(method, path);
        REQUIRE(match.handler != nullptr);
        http::Request request;
        request.body = to_bytes(as_bytes(body));
        request.query = query;
        request.method = method;
        request.path = path;
        request.params = match.params;
        request.peer = "uid 998 login 1001";
        if (!token.empty()) request.headers.set("Authorization", "Bearer " + token);
        return (*match.handler)(request);
    }
    // "what" of each audit line.
    std::vector<std::string> audit() {
        std::vector<std::string> out;
        const auto lines = log->read(1, 100).value();
        for (const auto& line : lines) out.push_back(Json::parse(line).at("what"));
        return out;
    }
};

}  // namespace nimes::gateway::admin
