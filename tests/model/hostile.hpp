// What a hostile server can do: to the post (hostile.cpp) drop, bring back later, repeat, replay, reorder, hand to
// somebody else, splice, flip bits, lie about sender, place and id, withhold events; to the answers (lies.cpp) old
// ones, old batches of seal keys, forked heads, devices slipped in or left out; with the organisation's own keys, or
// with a member as accomplice (forgeries.cpp), invented devices, members and administrators.
//
// Each act is counted when it took effect, under one of kHarms. A full run in which one of them never happened has
// proven less than it says, and fails (model_main.cpp).
#pragma once

#include <array>

#include "oracle.hpp"

namespace nimes::model {

inline constexpr std::array kHarms = {
    "dropped",
    "brought back what was dropped",
    "repeated",
    "replayed",
    "reordered",
    "handed to another",
    "flipped bit",
    "lied about the sender",
    "lied about the conversation",
    "lied about the id",
    "spliced grant",
    "spliced message",
    "withheld an event",
    "damaged a look-up",
    "answered as before",
    "served stale batches",
    "slipped a device into an answer",
    "left a record out of an answer",
    "forked a head",
    "named another person",
    "invented a device",
    "invented a member",
    "let a member act as an administrator",
    "forked a roster",
    "forked the directory",
};
using Harms = std::map<std::string, std::uint64_t, std::less<>>;

class Hostile {
  public:
    Hostile(Server& server, Chance& chance, Oracle& oracle) : server_(server), chance_(chance), oracle_(oracle) {}
    // One act, at the post or the answers of this device.
    void act(Handset& at, std::vector<std::unique_ptr<Handset>>& all);
    // A device in this person's entry that its owner does not know.
    void invent(const UserId& victim);
    // One of two heads of one revision, both signed.
    static std::string forked(const std::string& head160);

    struct Invented {
        DeviceCert cert;
        SigningKeyPair key;
    };
    std::vector<Invented> invented;
    // Everything that was dropped lies in the post again, late.
    void bring_back();
    [[nodiscard]] bool robbed() const { return !dropped_.empty(); }
    void did(std::string_view harm);
    Harms done;

  private:
    std::optional<v1::Envelope> any(const DeviceId& device);
    void slip_in(const DeviceId& device, v1::Envelope envelope);
    void tamper(const DeviceId& at, const DeviceId& other);
    void splice(const DeviceId& at, v1::Envelope mine, const v1::Envelope& theirs);
    void drop(const DeviceId& device);
    void again(const DeviceId& device);
    void withhold_event(Handset& at);
    void lie_to(Handset& at);
    void stir(Handset& at);
    DeviceCert draft(const UserId& victim, Admission admission, SigningKeyPair& key);
    void forge_event(Handset& at, const std::vector<std::unique_ptr<Handset>>& all);
    void send_event(Handset& at, const ConvEvent& event);
    const Invented& stranger();

    Server& server_;
    Chance& chance_;
    Oracle& oracle_;
    std::optional<Invented> stranger_;
    std::vector<std::pair<DeviceId, v1::Envelope>> dropped_;
};

}  // namespace nimes::model
