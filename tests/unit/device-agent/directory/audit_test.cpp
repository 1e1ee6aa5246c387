// The whole directory against a verified head and a roster.
#include "directory/audit.hpp"

#include <catch2/catch.hpp>

#include "fake_directory.hpp"

using namespace nimes;
using namespace nimes::agent::directory;

namespace {

Bytes dump_of(const DirectoryHead& head, const PrefixMap& map) {
    auto out = encode_dump_head(head);
    std::optional<MapKey> last;
    while (const auto* leaf = map.after(last)) {
        const auto bytes = encode_dump_leaf(*leaf);
        out.insert(out.end(), bytes.begin(), bytes.end());
        last = leaf->key();
    }
    return out;
}

struct Town {
    test::FakeDirectory directory;
    std::vector<std::string> roster;

    Town() {
        for (std::uint8_t n = 1; n <= 5; ++n) roster.push_back(settle(n));
        directory.publish();
    }
    std::string settle(std::uint8_t n) {
        const auto address = "p" + std::to_string(n) + "@polizei.example";
        const auto cert = directory.cert(test::user(n), test::key_pair(static_cast<std::uint8_t>(100 + n)), 1, address);
        directory.put({test::user(n), {cert}, {}});
        return address;
    }
    Bytes dump() const { return dump_of(directory.heads.back(), directory.map); }
    // Of the newest head.
    Result<AuditReport> audit(ByteView bytes, bool with_roster = true) const {
        Audit audit(directory.heads.back().hash());
        if (auto ok = audit.feed(bytes); !ok) return pass(ok);
        auto report = audit.finish();
        if (report && with_roster) audit.compare(*report, roster, directory.client());
        return report;
    }
};

}  // namespace

TEST_CASE("an honest directory has everybody of the roster and nobody else", "[audit]") {
    const Town town;
    const auto report = town.audit(town.dump()).value();
    CHECK(report.revision == town.directory.heads.back().revision);
    CHECK(report.people == 5);
    CHECK(report.reachable == 5);
    CHECK(report.strangers.empty());
    CHECK(report.without_devices.empty());
    CHECK_FALSE(town.audit(town.dump(), false)->compared);
}

TEST_CASE("an invented person is not on the roster, and who has no device is named", "[audit]") {
    Town town;
    const auto invented = town.settle(66);
    town.directory.publish();
    town.roster.push_back("neu@polizei.example");
    const auto report = town.audit(town.dump()).value();
    REQUIRE(report.strangers.size() == 1);
    CHECK(report.strangers[0] == town.directory.address(invented));
    CHECK(report.without_devices == std::vector<std::string>{"neu@polizei.example"});
}

TEST_CASE("a directory that leaves somebody out of the dump is found out", "[audit]") {
    Town town;
    const auto honest = town.directory.map;
    const auto invented = town.settle(66);
    const auto head = town.directory.publish();
    // The verified head counts the invented one; a dump without them is of no head that was verified.
    CHECK(town.audit(dump_of(head, honest)).error().code == Errc::proof_invalid);
    auto other = head;
    other.n_leaves = honest.size();
    other.map_root = honest.root();
    CHECK(town.audit(dump_of(town.directory.signed_head(other), honest)).error().code == Errc::proof_invalid);
    CHECK(town.audit(dump_of(town.directory.heads[1], honest)).error().code == Errc::proof_invalid);
    CHECK(town.audit(ByteView(town.dump()).first(200)).error().code == Errc::malformed);
    REQUIRE(town.audit(town.dump()));
}

TEST_CASE("a dump has at most what its head counts", "[audit]") {
    DirectoryHead head;
    head.n_leaves = 10;
    CHECK(Audit::most_bytes(head) == kDumpHead + 10 * (1 + 16 + 4 + 128 * 32));
    head.n_leaves = ~std::uint64_t{0};
    CHECK(Audit::most_bytes(head) < std::uint64_t{300} << 20);
}

TEST_CASE("a roster is a CSV file with a column of addresses", "[audit]") {
    using Addresses = std::vector<std::string>;
    CHECK(roster_addresses("address,name\na@b.de,\"Meyer, Anna\"\r\n\nC@D.de,x\n").value() ==
          Addresses{"a@b.de", "c@d.de"});
    CHECK(roster_addresses("\xef\xbb\xbfname;address\n\"x;y\";a@b.de").value() == Addresses{"a@b.de"});
    CHECK(roster_addresses("name\nx\n").error().code == Errc::usage);
    CHECK(roster_addresses("").error().code == Errc::usage);
    const auto bad = roster_addresses("address,name\na@b.de,x\nnobody,x\n");
    CHECK(bad.error().detail.find("line 3") != std::string::npos);
    CHECK(roster_addresses("name,address\nx\n").error().detail.find("line 2") != std::string::npos);
}
