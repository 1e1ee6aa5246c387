// Old maps and dumps: what a head said stays provable for nine days, across restarts, to the byte.
#include "directory/dump_route.hpp"
#include "directory/state.hpp"
#include "nimes/directory_dump.hpp"
#include "office.hpp"

using namespace nimes;
using namespace nimes::gateway;
using namespace nimes::gateway::directory;

namespace {

constexpr std::size_t kPiece = 97;  // no leaf ends there

struct Read {
    std::vector<MapLeaf> leaves;
    Result<DirectoryHead> head = fail(Errc::internal);
};

Read read_dump(ByteView bytes) {
    Read out;
    DumpReader reader([&](const MapLeaf& leaf) -> Result<void> {
        out.leaves.push_back(leaf);
        return {};
    });
    for (std::size_t at = 0; at < bytes.size(); at += kPiece)
        if (auto ok = reader.feed(bytes.subspan(at, std::min(kPiece, bytes.size() - at))); !ok) {
            out.head = fail(ok.error().code, ok.error().detail);
            return out;
        }
    out.head = reader.finish();
    return out;
}

http::Response ask(const Dumps& dumps, const std::string& revision = {}) {
    http::Request request;
    if (!revision.empty()) request.query.emplace_back("revision", revision);
    return dumps.answer(request);
}

Bytes body_of(http::Response response) {
    REQUIRE(response.status == 200);
    Bytes out, piece(1'000);
    for (;;) {
        const auto n = response.source->read(piece).value();
        if (n == 0) break;
        out.insert(out.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(n));
    }
    REQUIRE(out.size() == response.source_length);
    return out;
}

v1::LookupRequest under(const UserId& user, std::uint64_t revision) {
    v1::LookupRequest out;
    out.add_users(std::string(as_text(user.view())));
    out.set_under_revision(revision);
    return out;
}

// What the answer shows of one user, proven under the head it names.
Result<DirectoryEntry> shown(const Office& office, const UserId& user, std::uint64_t revision) {
    const auto answer = office.directory->lookup(under(user, revision));
    if (!answer) return fail(answer.error().code);
    const auto head = DirectoryHead::parse(as_bytes(answer->under_head())).value();
    REQUIRE(head.revision == revision);
    const auto& in = answer->entries(0);
    if (in.records_size() == 0) {
        const auto path = parse_absence(as_bytes(in.absence())).value();
        REQUIRE(verify_absence(user.bytes, path, head.map_root));
        return DirectoryEntry{user, {}, {}};
    }
    std::vector<Bytes> records;
    for (const auto& record : in.records()) records.push_back(to_bytes(as_bytes(record)));
    auto entry = parse_entry(user, records, secrets().public_keys());
    REQUIRE(check_presence(*entry, parse_path(as_bytes(in.path())).value(), head));
    return entry;
}

}  // namespace

TEST_CASE("a dump is the map of its head, whole, in pieces of any size", "[dump]") {
    Office office;
    for (int i = 0; i < 40; ++i) office.enrol(office.person(i));
    const Dumps dumps(*office.directory);
    const auto read = read_dump(body_of(ask(dumps)));
    REQUIRE(read.head);
    CHECK(*read.head == office.directory->newest_head());
    CHECK(read.leaves.size() == 80);  // forty users, forty addresses

    const auto head = office.directory->newest_head();
    office.enrol(office.person(41));
    const auto older = read_dump(body_of(ask(dumps, std::to_string(head.revision))));
    REQUIRE(older.head);
    CHECK(*older.head == head);
    CHECK(older.leaves == read.leaves);
    CHECK(ask(dumps, "0").status == 400);
    CHECK(ask(dumps, "x").status == 400);
    CHECK(ask(dumps, "4711").status == 404);
}

TEST_CASE("a dump does not change while it is sent, and two are sent at a time", "[dump]") {
    Office office;
    for (int i = 0; i < 10; ++i) office.enrol(office.person(i));
    const Dumps dumps(*office.directory);
    auto first = ask(dumps);
    auto second = ask(dumps);
    CHECK(ask(dumps).status == 503);
    const auto head = office.directory->newest_head();
    for (int i = 10; i < 20; ++i) office.enrol(office.person(i));
    CHECK(*read_dump(body_of(std::move(first))).head == head);
    first = {};
    CHECK(ask(dumps).status == 200);
    CHECK(*read_dump(body_of(std::move(second))).head == head);
}

TEST_CASE("a lying dump is found out", "[dump]") {
    Office office;
    std::vector<MapLeaf> leaves;
    for (int i = 0; i < 9; ++i) office.enrol(office.person(i));
    const auto honest = body_of(ask(Dumps(*office.directory)));
    leaves = read_dump(honest).leaves;
    const auto head = office.directory->newest_head();
    const auto dump = [](const DirectoryHead& of, const std::vector<MapLeaf>& what) {
        auto out = encode_dump_head(of);
        for (const auto& leaf : what) {
            const auto bytes = encode_dump_leaf(leaf);
            out.insert(out.end(), bytes.begin(), bytes.end());
        }
        return out;
    };
    const auto code = [](ByteView bytes) {
        const auto read = read_dump(bytes);
        return read.head ? Errc::internal : read.head.error().code;
    };
    REQUIRE(dump(head, leaves) == honest);

    auto missing = leaves;
    missing.erase(missing.begin() + 3);
    CHECK(code(dump(head, missing)) == Errc::proof_invalid);
    auto fewer = head;
    fewer.n_leaves--;  // the count and the leaves agree: the root tells
    CHECK(code(dump(fewer, missing)) == Errc::proof_invalid);
    auto changed = leaves;
    changed[4].content.back() ^= 1;
    CHECK(code(dump(head, changed)) == Errc::proof_invalid);
    auto twice = leaves;
    twice[5] = twice[4];
    CHECK(code(dump(head, twice)) == Errc::malformed);
    auto swapped = leaves;
    std::swap(swapped[1], swapped[2]);
    CHECK(code(dump(head, swapped)) == Errc::malformed);
    auto more = leaves;
    more.push_back(address_leaf(Digest{ByteArray<32>{0xff, 0xff, 0xff, 0xff}}, UserId{}));
    CHECK(code(dump(head, more)) == Errc::malformed);
    CHECK(code(ByteView(honest).first(honest.size() - 1)) == Errc::malformed);
    for (const auto at :
         std::vector<std::size_t>{0, 4, 5, 8 + 160}) {  // magic, version, reserved, the first leaf's kind
        auto broken = honest;
        broken[at] ^= 0x80;
        CHECK(code(broken) == Errc::malformed);
    }
}

TEST_CASE("an entry is shown as every kept head had it, before and after a restart", "[dump]") {
    Office office;
    const auto user = office.person(1);
    office.enrol(office.person(2));
    const auto before = office.directory->newest_head().revision;
    const auto first = office.enrol(user);
    const auto one = office.directory->newest_head().revision;
    const auto second = office.enrol(user, &first);
    const auto two = office.directory->newest_head().revision;
    office.enrol(office.person(3));
    REQUIRE(office.directory->revoke(second.cert.device, RevokeReason::lost));
    const auto gone = office.directory->newest_head().revision;

    for (const bool restarted : {false, true}) {
        if (restarted) office.reopen();
        CHECK(shown(office, user, before).value().certs.empty());
        CHECK(shown(office, user, one).value().certs.size() == 1);
        CHECK(shown(office, user, two).value().certs.size() == 2);
        CHECK(shown(office, user, two + 1).value().revokes.empty());
        CHECK(shown(office, user, gone).value().revokes.size() == 1);
        CHECK(office.directory->lookup(under(user, gone + 1)).error().code == Errc::not_found);
    }
}

TEST_CASE("a crash between a change and its head leaves the older maps as they were", "[dump]") {
    Office office;
    const auto user = office.person(1);
    const auto first = office.enrol(user);
    const auto one = office.directory->newest_head().revision;
    const auto draft = office.draft(user, &first);
    office.store.broken = "heads";
    CHECK_FALSE(office.directory->certify(draft.cert));
    office.store.broken.clear();
    office.reopen();
    CHECK(office.directory->newest_head().revision == one + 1);
    CHECK(shown(office, user, one).value().certs.size() == 1);
    CHECK(shown(office, user, one + 1).value().certs.size() == 2);
}

TEST_CASE("maps and entries of before go after nine days, also from the disk", "[dump]") {
    Office office;
    const auto user = office.person(1);
    const auto first = office.enrol(user);
    const auto one = office.directory->newest_head().revision;
    const auto second = office.enrol(user, &first);
    office.clock.time += kMapsKept - kHour;
    REQUIRE(office.directory->tick());
    CHECK(shown(office, user, one).value().certs.size() == 1);
    office.clock.time += 2 * kHour;
    REQUIRE(office.directory->tick());
    CHECK(office.directory->lookup(under(user, one)).error().code == Errc::not_found);
    REQUIRE(office.directory->revoke(second.cert.device, RevokeReason::lost));
    const auto rows = office.store.scan(user_partition(user), "a", "b", 10).value();
    CHECK(rows.size() == 1);  // what the revocation changed
    office.reopen();
    CHECK(office.directory->lookup(under(user, one)).error().code == Errc::not_found);
    CHECK(shown(office, user, office.directory->newest_head().revision).value().revokes.size() == 1);
}

TEST_CASE("a look-up under an older head is of users alone", "[dump]") {
    Office office;
    const auto user = office.person(1);
    office.enrol(user);
    auto request = under(user, 1);
    request.add_address_hashes(std::string(32, 'x'));
    CHECK(office.directory->lookup(request).error().code == Errc::malformed);
}
