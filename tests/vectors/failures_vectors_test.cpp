// What must be refused, asked as the peer of the second implementation is asked.
#include <catch2/catch.hpp>

#include "golden.hpp"
#include "nimes/blob.hpp"
#include "nimes/message.hpp"
#include "peer/operations.hpp"

using namespace nimes;
using namespace nimes::test;

namespace {

nlohmann::json rows(const char* kind) { return golden("failures.json")[kind]; }

nlohmann::json ask(const peer::Operations& operations, const nlohmann::json& row) {
    return operations.at(row["op"].get<std::string>())(row);
}

bool was_refused(const nlohmann::json& answer) { return answer.contains("refused"); }

Bytes flipped(Bytes bytes, std::size_t at) {
    bytes[at] ^= 1;
    return bytes;
}

}  // namespace

TEST_CASE("golden: grants that do not open, each by its rule", "[vectors]") {
    for (const auto& row : rows("grants")) {
        INFO(row["why"].get<std::string>());
        const auto answer = ask(peer::sealing_operations(), row);
        const auto rule = was_refused(answer) ? answer["detail"].get<std::string>().substr(0, 2) : "opened";
        CHECK(rule == row["want"].get<std::string>());
    }
}

TEST_CASE("golden: grants that are judged, each by one fact", "[vectors]") {
    for (const auto& row : rows("judgements")) {
        INFO(row["why"].get<std::string>());
        const auto answer = ask(peer::judging_operations(), row);
        CHECK(answer["outcome"] == row["want"]);
        CHECK(answer["rule"] == row["rule"]);
    }
}

TEST_CASE("golden: messages that are refused, and those that use up their index", "[vectors]") {
    for (const auto& row : rows("messages")) {
        INFO(row["why"].get<std::string>());
        const auto answer = ask(peer::sealing_operations(), row);
        auto came = nlohmann::json::array();
        for (const auto& one : answer["messages"])
            came.push_back(was_refused(one) ? "refused" : one["content"].is_null() ? "unreadable" : "opened");
        CHECK(came == row["want"]);
    }
}

TEST_CASE("golden: entries, each with one thing wrong", "[vectors]") {
    for (const auto& row : rows("entries")) {
        INFO(row["why"].get<std::string>());
        CHECK((was_refused(ask(peer::record_operations(), row)) ? "refused" : "taken") == row["want"]);
    }
}

TEST_CASE("golden: heads that do not follow", "[vectors]") {
    for (const auto& row : rows("heads")) {
        INFO(row["why"].get<std::string>());
        const auto answer = ask(peer::directory_operations(), row);
        const auto* verdict = !was_refused(answer)                        ? "taken"
                              : answer["refused"] == "ERR_DIRECTORY_FORK" ? "fork"
                                                                          : "refused";
        CHECK(verdict == row["want"]);
    }
}

TEST_CASE("golden: proofs of presence and absence that do not hold", "[vectors]") {
    for (const auto& row : rows("maps")) {
        INFO(row["why"].get<std::string>());
        const auto answer = ask(peer::directory_operations(), row);
        CHECK((!was_refused(answer) && answer["holds"].get<bool>()) == row["want"].get<bool>());
    }
}

TEST_CASE("golden: a medium that was changed on its way", "[vectors]") {
    const auto v = golden("conversation.json");
    Bytes plain(v["blob"]["plain_length"].get<std::size_t>());
    for (std::size_t i = 0; i < plain.size(); ++i) plain[i] = static_cast<std::uint8_t>(i * 7 % 251);
    const nlohmann::json sealing{{"blob", v["blob"]["blob"]},
                                 {"conversation", v["event"]["conversation"]},
                                 {"key", v["blob"]["key"]},
                                 {"plain", to_hex(plain)}};
    const auto operations = peer::sealing_operations();
    const auto made = operations.at("blob_seal")(sealing);
    const auto sealed = bytes(made["sealed"]);
    CHECK(made["digest"] == v["blob"]["digest"]);
    constexpr std::ptrdiff_t kOne = kBlobChunk + kBlobTag;
    for (const auto& row : rows("media")) {
        INFO(row["why"].get<std::string>());
        auto q = sealing;
        q["plain_length"] = plain.size();
        q["sealed"] = made["sealed"];
        q["digest"] = made["digest"];
        const auto what = row["do"].get<std::string>();
        auto changed = sealed;
        if (what == "flip") {
            const auto at = row["at"].get<int>();
            changed = flipped(sealed, at < 0 ? sealed.size() - 1 : static_cast<std::size_t>(at));
        }
        if (what == "swap") std::swap_ranges(changed.begin(), changed.begin() + kOne, changed.begin() + kOne);
        if (what == "cut") changed.resize(2 * kOne);
        q["sealed"] = to_hex(changed);
        const std::map<std::string, const char*> fields{
            {"conversation", "conversation"}, {"name", "blob"}, {"key", "key"}, {"digest", "digest"}};
        if (const auto at = fields.find(what); at != fields.end())
            q[at->second] = to_hex(flipped(bytes(q[at->second]), 0));
        CHECK((was_refused(operations.at("blob_open")(q)) ? "refused" : "opened") == row["want"]);
    }
}
