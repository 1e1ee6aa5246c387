// What a hostile server can do: to the post (hostile.cpp) drop, repeat, reorder, replay, hand to somebody else, splice,
// flip bits, lie about sender, place and id, withhold events; to the answers (lies.cpp) old ones, old batches of seal
// keys, forked heads, devices slipped in or left out; with the organisation's own keys (forgeries.cpp) invented devices
// and members.
#pragma once

#include "oracle.hpp"

namespace nimes::model {

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
    std::map<std::string, std::uint64_t> done;

  private:
    std::optional<v1::Envelope> any(const DeviceId& device);
    void slip_in(const DeviceId& device, v1::Envelope envelope);
    void tamper(const DeviceId& at, const DeviceId& other);
    void withhold_event(Handset& at);
    void lie_to(Handset& at);
    DeviceCert draft(const UserId& victim, Admission admission, SigningKeyPair& key);
    void forge_event(Handset& at);
    const Invented& stranger();

    Server& server_;
    Chance& chance_;
    Oracle& oracle_;
    std::optional<Invented> stranger_;
};

}  // namespace nimes::model
