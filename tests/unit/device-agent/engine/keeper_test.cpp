// When a handset opens, locks, shuts and ends: the keeper over a real container.
#include "desk.hpp"

namespace nimes::test {

TEST_CASE("an existing container takes a share at the first contact, and needs it from then on") {
    Desk desk;
    CHECK(desk.box_state() == State::open);
    CHECK(desk.core->box->share_number() == 0);
    REQUIRE(desk.contact());
    CHECK(desk.gate.puts == 1);
    CHECK(desk.core->box->share_number() == 1);
    desk.start();
    CHECK(desk.box_state() == State::open);
    desk.gate.refuses = Errc::offline;
    desk.start();
    CHECK(desk.box_state() == State::door);
    CHECK(desk.keeper->why() == Why::awaits_share);
    CHECK(refusal(desk.keeper->why()).code == Errc::offline);
    desk.gate.refuses.reset();
    desk.tick(std::nullopt, true);
    CHECK(desk.box_state() == State::door);  // asked a moment ago
    desk.clock.set(kMinute);
    desk.tick(std::nullopt, true);
    CHECK(desk.box_state() == State::open);
}

TEST_CASE("a gateway that keeps no shares, or fails at it, leaves a container as it is") {
    Desk desk;
    SECTION("older") { desk.gate.without_shares = true; }
    SECTION("offline") { desk.gate.refuses = Errc::offline; }
    (void)desk.contact();
    CHECK(desk.core->box->share_number() == 0);
    desk.start();
    CHECK(desk.box_state() == State::open);
}

TEST_CASE("cut off between the gateway's share and the slots, the number is put again") {
    Desk desk;
    REQUIRE(desk.gate.put_share({1, Secret<32>()}, {}));  // of a process that died
    REQUIRE(desk.contact());
    CHECK(desk.gate.puts == 2);
    desk.start();
    CHECK(desk.box_state() == State::open);
}

TEST_CASE("every contact renews the lease; without one it ends and shuts") {
    Desk desk;
    REQUIRE(desk.contact());
    desk.clock.set(11 * kHour);
    desk.tick();
    CHECK(desk.box_state() == State::open);
    REQUIRE(desk.contact());
    desk.clock.set(22 * kHour);
    desk.tick();
    CHECK(desk.box_state() == State::open);
    desk.clock.set(23 * kHour + kMinute);
    desk.tick();
    CHECK(desk.box_state() == State::shut);
    CHECK(desk.keeper->why() == Why::lease_over);
    CHECK(desk.core->box->arena().is_zero());
    REQUIRE(desk.unlock());
    CHECK(desk.box_state() == State::open);
}

TEST_CASE("a handset locks itself when it is not used, and not while it is") {
    Desk desk;
    REQUIRE(desk.contact());
    const auto idle_since = desk.clock.boot();
    desk.clock.set(5 * kMinute - 1);
    desk.tick(idle_since);
    CHECK(desk.box_state() == State::open);
    desk.clock.set(2 * kHour);
    desk.tick(std::nullopt);
    CHECK(desk.box_state() == State::open);
    desk.tick(idle_since);
    CHECK(desk.box_state() == State::door);
    CHECK(desk.keeper->why() == Why::idle);
    CHECK(desk.core->box->begin().error().code == Errc::locked);
    CHECK(desk.unlock("falsch").error().code == Errc::passphrase_wrong);
    CHECK(desk.box_state() == State::door);
    desk.gate.refuses = Errc::offline;
    REQUIRE(desk.unlock());  // the lease runs
    CHECK(desk.box_state() == State::open);
}

TEST_CASE("a share that is withheld or missing locks at once and ends the lease, and destroys nothing") {
    Desk desk;
    REQUIRE(desk.contact());
    Why why = Why::none;
    SECTION("suspended") {
        desk.gate.refuses = Errc::device_suspended;
        why = Why::suspended;
    }
    SECTION("missing") {
        desk.gate.refuses = Errc::not_found;
        why = Why::share_missing;
    }
    (void)desk.contact();
    CHECK(desk.box_state() == State::door);
    CHECK(desk.keeper->why() == why);
    CHECK_FALSE(desk.core->box->lease_left());
    REQUIRE(desk.unlock());
    CHECK(desk.box_state() == State::door);
    CHECK(desk.keeper->why() == why);
    desk.gate.refuses.reset();
    REQUIRE(desk.unlock());
    CHECK(desk.box_state() == State::open);
}

TEST_CASE("what the link hears of a suspension locks in the next look") {
    Desk desk;
    REQUIRE(desk.contact());
    desk.core->shut_out = Errc::device_suspended;
    desk.gate.refuses = Errc::device_suspended;
    desk.tick();
    CHECK(desk.box_state() == State::door);
    CHECK(desk.keeper->why() == Why::suspended);
}

TEST_CASE("a planted share is no renewal, and an alarm") {
    Desk desk;
    REQUIRE(desk.contact());
    const auto left = desk.core->box->lease_left();
    desk.clock.set(kHour);
    desk.gate.kept->bytes.edit()[0] ^= 1U;
    CHECK(desk.contact().error().code == Errc::proof_invalid);
    desk.tick();
    CHECK(desk.core->box->lease_left() < left);
    auto tx = desk.core->box->begin();
    REQUIRE(tx);
    CHECK(tx->scan(Table::alarms)->size() == 1);
}

TEST_CASE("a server that merely says revoked shuts the handset and destroys nothing") {
    Desk desk;
    REQUIRE(desk.contact());
    SECTION("without an entry") { desk.gate.refuses = Errc::device_revoked; }
    SECTION("with an entry in which it is not") {
        desk.revoke(RevokeReason::stolen);
        *desk.gate.answer.mutable_entry()->mutable_entries(0) = desk.town.entry(desk.anna(), desk.clock.now());
    }
    SECTION("with a revocation that its head does not bear out") {
        desk.revoke(RevokeReason::stolen);
        auto& path = *desk.gate.answer.mutable_entry()->mutable_entries(0)->mutable_path();
        path.back() = static_cast<char>(path.back() ^ 1);
    }
    desk.give(desk.order());
    CHECK_FALSE(desk.contact());
    CHECK(desk.box_state() == State::door);
    CHECK(desk.file_there("container.db"));
    CHECK_FALSE(desk.core->box->lease_left());
    desk.gate.refuses.reset();
    REQUIRE(desk.unlock());
    CHECK(desk.box_state() == State::open);
}

TEST_CASE("a proven revocation locks and ends the lease; only an order or theft wipes") {
    Desk desk;
    REQUIRE(desk.contact());
    SECTION("lost, no order") {
        desk.revoke(RevokeReason::lost);
        CHECK(desk.contact().error().code == Errc::device_revoked);
        CHECK(desk.keeper->why() == Why::revoked);
        CHECK(desk.box_state() == State::door);
        CHECK(desk.file_there("container.db"));
        REQUIRE(desk.gate.farewells.size() == 1);
        CHECK(desk.gate.farewells[0].token() == "a token");
    }
    SECTION("stolen, by an administrator: no order is needed, and no receipt is owed") {
        desk.revoke(RevokeReason::stolen);
        (void)desk.contact();
        CHECK(desk.is_wiped());
        CHECK_FALSE(desk.file_there("receipt"));
    }
    SECTION("stolen, as its own person says: no administrator, no wipe") {
        desk.revoke(RevokeReason::stolen, false);
        (void)desk.contact();
        CHECK(desk.keeper->why() == Why::revoked);
        CHECK(desk.file_there("container.db"));
    }
    SECTION("lost, with an order") {
        desk.revoke(RevokeReason::lost);
        const auto order = desk.order();
        desk.give(order);
        (void)desk.contact();
        CHECK(desk.is_wiped());
        CHECK(desk.core->box->arena().is_zero());
        const auto kept = file_bytes(desk.home() / "receipt");
        const auto receipt = WipeReceipt::parse(ByteView(kept).first(WipeReceipt::kBytes)).value();
        CHECK(receipt.verify(desk.anna().key.public_key));
        CHECK(receipt.order == order.id);
        CHECK(receipt.result == WipeResult::complete);
        REQUIRE(desk.gate.farewells.size() == 2);
        CHECK(desk.gate.farewells[1].receipt() == raw(receipt.encode()));
        desk.gate.takes_receipts = true;  // the network is back
        send_kept_receipt(desk.home(), desk.gate, {});
        CHECK_FALSE(desk.file_there("receipt"));
        CHECK(desk.unlock().error().code == Errc::not_enrolled);
    }
    SECTION("lost, with an order that is forged") {
        desk.revoke(RevokeReason::lost);
        auto order = desk.order();
        SECTION("by the gateway alone") {
            order.sign(desk.town.directory.org.directory, desk.town.directory.org.directory.secret,
                       desk.town.directory.org.keys.org);
        }
        SECTION("for another device") {
            order.device = DeviceId{};
            order.sign(desk.town.directory.org.admin, desk.town.directory.org.directory.secret,
                       desk.town.directory.org.keys.org);
        }
        SECTION("expired") {
            order.issued -= 2 * kDay;
            order.expires -= 2 * kDay;
            order.sign(desk.town.directory.org.admin, desk.town.directory.org.directory.secret,
                       desk.town.directory.org.keys.org);
        }
        desk.give(order);
        (void)desk.contact();
        CHECK(desk.keeper->why() == Why::revoked);
        CHECK(desk.file_there("container.db"));
    }
}

TEST_CASE("a revoked handset that was locked learns it at the door, too") {
    Desk desk;
    REQUIRE(desk.contact());
    {
        const Lock lock(desk.core->mutex);
        desk.keeper->close(Why::asked);
    }
    desk.revoke(RevokeReason::lost);
    desk.give(desk.order());
    desk.tick(std::nullopt, true, true);
    CHECK(desk.is_wiped());
}

TEST_CASE("ten wrong passphrases at an open home end it") {
    Desk desk;
    REQUIRE(desk.contact());
    REQUIRE(desk.keystore.store_tries({9, 0}));
    desk.clock.set(kHour);
    CHECK(desk.unlock("falsch").error().code == Errc::not_enrolled);
    CHECK(desk.is_wiped());
}

}  // namespace nimes::test
