#include "story.hpp"

#include <unistd.h>

#include <cstdio>

#include "engine/chains.hpp"
#include "media/outgoing.hpp"

namespace nimes::test {

using agent::container::Table;
using agent::container::Transaction;
using agent::conversation::Media;
using agent::conversation::Text;

namespace {

template <class T>
T must(Result<T> result, const char* what) {
    if (result) return std::move(*result);
    std::fprintf(stderr, "%s: %s\n", what, result.error().text().c_str());
    ::_exit(3);
}
void must(const Result<void>& result, const char* what) {
    if (result) return;
    std::fprintf(stderr, "%s: %s\n", what, result.error().text().c_str());
    ::_exit(3);
}

constexpr Millis kTomorrow = kDay + kHour;

}  // namespace

MessageId Story::id_of(std::uint8_t n) {
    MessageId out;
    out.bytes.fill(n);
    return out;
}
std::string Story::text_of(std::uint8_t n) { return "Lage " + std::to_string(n) + ": Zugriff um vier"; }

struct Story::Step {
    Millis at;  // since the beginning
    std::function<void(Story&)> act;
};

const std::vector<Story::Step>& Story::steps() {
    static const std::vector<Step> all{
        {0, [](Story& s) { s.learn(); }},
        {kMinute, [](Story& s) { s.say(kAnna, 1); }},
        {kMinute, [](Story& s) { s.mail(kAnna); }},
        {kMinute, [](Story& s) { s.fetch(kBernd); }},
        {2 * kMinute, [](Story& s) { s.say(kBernd, 2), s.mail(kBernd), s.fetch(kAnna); }},
        // The fourth overtakes the third: its key is derived past the other's, which is kept.
        {3 * kMinute, [](Story& s) { s.say(kAnna, 3), s.say(kAnna, 4), s.mail(kAnna, 3), s.fetch(kBernd); }},
        {4 * kMinute, [](Story& s) { s.mail(kAnna), s.fetch(kBernd); }},
        {5 * kMinute, [](Story& s) { s.say_photo(kAnna, 5), s.mail(kAnna), s.fetch(kBernd); }},
        // Sent on the first day, left in the outbox over midnight.
        {6 * kMinute, [](Story& s) { s.say(kBernd, 6); }},
        {kTomorrow, [](Story& s) { s.reopen(), s.learn(); }},
        {kTomorrow, [](Story& s) { s.mail(kBernd), s.fetch(kAnna); }},
        // A new chain, whose grant gets lost: what is said under it waits, and is asked for.
        {kTomorrow + kMinute, [](Story& s) { s.say(kAnna, 7), s.lose_grants(true), s.mail(kAnna), s.fetch(kBernd); }},
        {kTomorrow + 3 * kMinute,
         [](Story& s) { s.lose_grants(false), must(s.handsets_[kBernd].ask(), "ask"), s.mail(kBernd); }},
        // Who asks is looked up anew before it is answered.
        {kTomorrow + 4 * kMinute,
         [](Story& s) { s.fetch(kAnna), s.learn(), s.retry(kAnna), s.mail(kAnna), s.fetch(kBernd); }},
        {kTomorrow + 5 * kMinute, [](Story& s) { s.say(kBernd, 8), s.mail(kBernd), s.fetch(kAnna); }},
    };
    return all;
}

Story::Story(const Town& town, const std::filesystem::path& place)
    : town_(town),
      handsets_{{town, kAnna, homes(place) / "anna", clock_, random_},
                {town, kBernd, homes(place) / "bernd", clock_, random_}},
      post_(town, place / "post") {}

void Story::begin(const Town& town, const std::filesystem::path& place) {
    std::filesystem::create_directories(homes(place));
    std::filesystem::create_directories(shadow(place));
    Story story(town, place);
    for (auto& handset : story.handsets_) must(handset.make(), "make");
}

void Story::open() {
    for (std::size_t i = 0; i < steps().size(); ++i) {
        clock_.set(steps()[i].at);
        if (!post_.noted("done " + std::to_string(i))) break;
    }
    for (auto& handset : handsets_) must(handset.open(), "open");
}

void Story::go_on() {
    for (std::size_t i = 0; i < steps().size(); ++i) {
        const auto done = "done " + std::to_string(i);
        if (post_.noted(done)) continue;
        clock_.set(steps()[i].at);
        steps()[i].act(*this);
        post_.note(done);
    }
}

void Story::learn() {
    for (auto& handset : handsets_) must(handset.learn(), "learn");
}

void Story::retry(std::size_t who) { must(handsets_[who].retry(), "retry"); }

void Story::reopen() {
    for (auto& handset : handsets_) {
        handset.close();
        must(handset.open(), "reopen");
        must(handset.core().box->expire(clock_.now()), "expire");
    }
}

// Who was told that it is sent does not send it again.
void Story::say(std::size_t from, std::uint8_t n) {
    const auto told = "told " + std::to_string(n);
    if (post_.noted(told)) return;
    (void)must(handsets_[from].say(1 - from, id_of(n), Text{text_of(n)}), "say");
    post_.note(told);
}

void Story::say_photo(std::size_t from, std::uint8_t n) {
    const auto told = "told " + std::to_string(n);
    if (post_.noted(told)) return;
    auto& handset = handsets_[from];
    const Bytes photo(3'000, n);
    const auto sealed = must(agent::media::seal(handset.home() / "media", handset.with(1 - from),
                                                agent::media::source_of(ByteView(photo)), photo.size(), random_),
                             "seal");
    Media meaning;
    meaning.ref.key = sealed.key.copy();
    meaning.ref.blob = sealed.blob;
    meaning.ref.plain_length = sealed.plain_length;
    meaning.ref.padded_length = sealed.padded_length;
    meaning.ref.digest = sealed.digest;
    meaning.caption = text_of(n);
    meaning.media_type = "image/jpeg";
    (void)must(handset.say(1 - from, id_of(n), std::move(meaning), sealed.blob), "say");
    post_.note(told);
}

void Story::mail(std::size_t from, std::uint8_t held_back) {
    for (const auto& item : handsets_[from].waiting()) {
        if (item.id == id_of(held_back)) continue;
        if (!post_.submit(from, item.up, clock_.now())) post_.note("a retry sent other bytes");
        must(handsets_[from].accepted(item.id), "accepted");
    }
}

void Story::fetch(std::size_t to) {
    // The first alone, the others in one packet.
    const auto waiting = post_.mailbox(to);
    const auto take = [&](const std::vector<v1::Envelope>& some) {
        if (some.empty()) return;
        must(handsets_[to].take(some), "take");
        post_.acknowledge(to, handsets_[to].core().marks.at(static_cast<std::uint8_t>(some.back().lane())));
    };
    const auto first = waiting.begin() + (waiting.empty() ? 0 : 1);
    take({waiting.begin(), first});
    take({first, waiting.end()});
}

}  // namespace nimes::test
