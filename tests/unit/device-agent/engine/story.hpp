// Two people, two days, everything that writes: sending, receiving, answering out of order, a photo, the first opening
// of a new day, a grant that gets lost and is asked for. Told in steps; a process that dies in one is followed by
// another that repeats it, as a person would who does not know what became of a message.
//
// What must hold is judged by look() right after such a process opened the homes, and by judge() at the end. Both
// answer what is wrong, in words; nothing when all is well. Threads: one.
#pragma once

#include <functional>

#include "handset.hpp"
#include "post.hpp"

namespace nimes::test {

class Story {
  public:
    // Homes, post and shadow folder lie in `place`.
    Story(const Town& town, const std::filesystem::path& place);

    static std::filesystem::path homes(const std::filesystem::path& place) { return place / "homes"; }
    static std::filesystem::path shadow(const std::filesystem::path& place) { return place / "shadow"; }
    // Enrolled homes of both, before anything happened.
    static void begin(const Town& town, const std::filesystem::path& place);

    // Opens the homes at the time of the first step that is not done.
    void open();
    // The steps that are not done; ends the process when one fails.
    void go_on();

    [[nodiscard]] std::vector<std::string> look();
    [[nodiscard]] std::vector<std::string> judge();

  private:
    static constexpr std::size_t kAnna = 0, kBernd = 1;
    static constexpr std::uint8_t kTexts = 8;  // messages 1 to 8
    static MessageId id_of(std::uint8_t n);
    static std::string text_of(std::uint8_t n);
    static std::size_t sender_of(std::uint8_t n) { return n == 2 || n == 6 || n == 8 ? kBernd : kAnna; }
    struct Step;
    static const std::vector<Step>& steps();

    void say(std::size_t from, std::uint8_t n);
    void say_photo(std::size_t from, std::uint8_t n);
    void mail(std::size_t from, std::uint8_t held_back = 0);
    void fetch(std::size_t to);
    void retry(std::size_t who);
    void learn();
    void reopen();
    void lose_grants(bool on) { post_.loses_grants = on; }

    void look_at_sent(std::size_t who, std::vector<std::string>& wrong);
    void look_at_received(std::size_t who, std::vector<std::string>& wrong);
    void look_at_chains(std::size_t who, std::vector<std::string>& wrong);
    void look_at_keys(std::size_t who, std::vector<std::string>& wrong);
    void look_at_medium(std::vector<std::string>& wrong);
    void look_at_wire(std::vector<std::string>& wrong);

    const Town& town_;
    TownClock clock_;
    SystemRandom random_;
    Handset handsets_[2];
    Post post_;
};

}  // namespace nimes::test
