// The primitives as NM1 uses them, against vectors of others (external/README.md): every case, and none forgotten.
#include <catch2/catch.hpp>
#include <set>

#include "golden.hpp"
#include "nimes/control.hpp"

using namespace nimes;

namespace {

nlohmann::json external(const std::string& name) {
    std::ifstream in(std::string(NIMES_EXTERNAL_VECTORS) + "/" + name);
    return nlohmann::json::parse(in);
}

bool flagged(const nlohmann::json& test, std::string_view flag) {
    for (const auto& f : test["flags"])
        if (f == flag) return true;
    return false;
}

Bytes repeated(std::uint8_t value, std::size_t n) { return Bytes(n, value); }

}  // namespace

TEST_CASE("X25519: every shared value of Wycheproof, and none that is zero", "[wycheproof]") {
    const auto file = external("x25519.json");
    std::size_t shared = 0, zero = 0;
    for (const auto& t : file["tests"]) {
        CAPTURE(t["tcId"]);
        const auto their = test::bytes(t["public"]), own = test::bytes(t["private"]);
        REQUIRE(their.size() == crypto_scalarmult_BYTES);
        REQUIRE(own.size() == crypto_scalarmult_SCALARBYTES);
        ByteArray<32> out{}, key{}, expected{};
        const bool done = crypto_scalarmult(out.data(), own.data(), their.data()) == 0;
        const bool box = crypto_box_beforenm(key.data(), their.data(), own.data()) == 0;
        if (flagged(t, "ZeroSharedSecret")) {
            ++zero;
            CHECK_FALSE(done);
            CHECK_FALSE(box);
            continue;
        }
        ++shared;
        REQUIRE(done);
        REQUIRE(box);
        CHECK(to_hex(out) == t["shared"]);
        // The key of a box is HSalsa20 of it, as FORMATS.md 2.1 says of sealed boxes.
        const ByteArray<16> nothing{};
        crypto_core_hsalsa20(expected.data(), nothing.data(), out.data(), nullptr);
        CHECK(key == expected);
    }
    CHECK(shared == 487);
    CHECK(zero == 31);
}

TEST_CASE("X25519: nothing is sealed to a point of low order, and nothing that came from one opens", "[wycheproof]") {
    const auto file = external("x25519.json");
    const Bytes record = repeated(7, KeyRequest::kBytes);
    SealSecretKey secret(repeated(9, 32));
    SealPublicKey own;
    crypto_scalarmult_base(own.bytes.data(), secret.data());
    const auto honest = seal_control(ControlType::key_request, {}, 1, own, record);
    REQUIRE(open_control(SealedControl::parse(honest).value(), own, secret).value() == record);

    std::set<Bytes> points;
    for (const auto& t : file["tests"])
        if (flagged(t, "ZeroSharedSecret")) points.insert(test::bytes(t["public"]));
    for (const auto& point : points) {
        CAPTURE(to_hex(point));
        CHECK(seal_control(ControlType::key_request, {}, 1, SealPublicKey::from(point), record).empty());

        // What anybody could make who knows that the shared value is zero: everything fits but the point.
        const ByteArray<32> zero{};
        const ByteArray<16> nothing{};
        ByteArray<32> key{};
        ByteArray<24> nonce{};
        crypto_core_hsalsa20(key.data(), nothing.data(), zero.data(), nullptr);
        crypto_generichash_state state;
        crypto_generichash_init(&state, nullptr, 0, nonce.size());
        crypto_generichash_update(&state, point.data(), point.size());
        crypto_generichash_update(&state, own.bytes.data(), own.bytes.size());
        crypto_generichash_final(&state, nonce.data(), nonce.size());
        Bytes box(record.size() + crypto_secretbox_MACBYTES);
        crypto_secretbox_easy(box.data(), record.data(), record.size(), nonce.data(), key.data());
        const auto wire =
            std::move(Writer().bytes(ByteView(honest).first(SealedControl::kHeader)).bytes(point).bytes(box)).take();
        REQUIRE(wire.size() == honest.size());
        CHECK_FALSE(open_control(SealedControl::parse(wire).value(), own, secret));
    }
    CHECK(points.size() == 14);
}

TEST_CASE("Ed25519: every signature of Wycheproof, taken or refused as it says", "[wycheproof]") {
    const auto file = external("ed25519.json");
    std::size_t valid = 0, invalid = 0;
    for (const auto& t : file["tests"]) {
        CAPTURE(t["tcId"]);
        const auto message = test::bytes(t["msg"]), bytes = test::bytes(t["sig"]);
        const auto key = test::id<PublicKey>(t["pk"]);
        Reader in(bytes);
        const auto signature = in.id<Signature>();
        const bool taken = in.done() && crypto_sign_verify_detached(signature.bytes.data(), message.data(),
                                                                    message.size(), key.bytes.data()) == 0;
        CHECK(taken == (t["result"] == "valid"));
        ++(taken ? valid : invalid);
    }
    CHECK(valid == 88);
    CHECK(invalid == 63);
}

TEST_CASE("XChaCha20-Poly1305: every case of Wycheproof, sealed and opened", "[wycheproof]") {
    const auto file = external("xchacha20_poly1305.json");
    std::size_t valid = 0, invalid = 0;
    for (const auto& t : file["tests"]) {
        CAPTURE(t["tcId"]);
        const auto key = test::bytes(t["key"]), nonce = test::bytes(t["iv"]), aad = test::bytes(t["aad"]);
        const auto plain = test::bytes(t["msg"]);
        const auto sealed = std::move(Writer().bytes(test::bytes(t["ct"])).bytes(test::bytes(t["tag"]))).take();
        const auto opened = aead_open(key, nonce, sealed, aad);
        if (t["result"] == "valid") {
            ++valid;
            REQUIRE(opened);
            CHECK(*opened == plain);
            CHECK(aead_seal(key, nonce, plain, aad) == sealed);
        } else {
            ++invalid;
            CHECK_FALSE(opened);
            if (flagged(t, "InvalidNonceSize")) CHECK(aead_seal(key, nonce, plain, aad).empty());
        }
    }
    CHECK(valid == 246);
    CHECK(invalid == 69);
}

TEST_CASE("BLAKE2b: every keyed answer of the reference", "[blake2b]") {
    const auto file = external("blake2b_keyed.json");
    Bytes key(64), input;
    for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(i);
    const ByteArray<16> nothing{};
    for (std::size_t n = 0; n < file.size(); ++n) {
        CAPTURE(n);
        // The call that H(label, …, key) makes, with an empty label, in two parts as records come.
        crypto_generichash_blake2b_state state;
        crypto_generichash_blake2b_init_salt_personal(&state, key.data(), key.size(), 64, nothing.data(),
                                                      nothing.data());
        crypto_generichash_blake2b_update(&state, input.data(), n / 2);
        crypto_generichash_blake2b_update(&state, input.data() + n / 2, n - n / 2);
        ByteArray<64> out{};
        crypto_generichash_blake2b_final(&state, out.data(), out.size());
        CHECK(to_hex(out) == file[n]);
        input.push_back(static_cast<std::uint8_t>(n));
    }
    CHECK(file.size() == 256);
}
