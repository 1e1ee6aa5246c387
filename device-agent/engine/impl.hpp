// What the Agent is made of; private to the engine.
#pragma once

#include "engine/agent.hpp"
#include "engine/enrol.hpp"
#include "engine/guard.hpp"
#include "engine/history.hpp"
#include "engine/https_network.hpp"
#include "engine/link.hpp"
#include "engine/ready.hpp"
#include "engine/variant.hpp"
#include "media/sealed_file.hpp"

namespace nimes::agent::engine {

// Everybody in the conversation; empty for one not known.
std::vector<UserId> users_of(const Core& core, const ConversationId& id);

struct Agent::Impl {
    Impl(const std::filesystem::path& home, const Clock& clock, RandomSource& random)
        : keystore(home / "keystore"), core(clock, random), compose(core) {}

    // A call that is inside: what it refers to stays until it has left, though the container is locked meanwhile.
    class Visit : public Lock {
      public:
        explicit Visit(Impl& impl) : Lock(impl.core.mutex), impl_(impl) { ++impl_.inside; }
        ~Visit() {
            if (!owns_lock()) lock();
            if (--impl_.inside == 0) impl_.core.changed.notify_all();
        }
        Visit(const Visit&) = delete;
        Visit& operator=(const Visit&) = delete;

      private:
        Impl& impl_;
    };

    // Locking, see locking.cpp. make_guard() once, when it is known whom this device belongs to. Lock held.
    void make_guard();
    Result<void> open_door(ByteView passphrase);
    Result<void> raise(Lock& lock);
    [[nodiscard]] std::unique_ptr<transport::PacketSession> make_session(transport::MqttSink sink);
    [[nodiscard]] std::unique_ptr<DoorLink> make_door_link();
    [[nodiscard]] transport::TokenSource token_source();

    // Makes what talks to the gateway, once there is a provisioning file. Lock held.
    void make_network();
    Result<void> start_link();
    // Sends what was composed and waits. Lock held.
    Result<void> send_and_wait(Lock& lock, const MessageId& id, Millis patience);
    Result<void> ready() const;
    // The same, for who wants to send: not by an agent that policy calls too old.
    Result<void> ready_to_say() const;
    Result<SentMessage> say(Lock& lock, const ConversationId& conversation, conversation::Meaning meaning,
                            const MessageId& id, Millis patience);
    // Signs, sends, waits until the gateway took it. Lock held.
    Result<void> change(Lock& lock, const Result<ConvEvent>& event, Millis patience);
    // Title, life and picture once more, for who came late. Lock held.
    Result<SentMessage> tell_info(Lock& lock, const ConversationId& group, const MessageId& id, Millis patience);

    // A photo's way out, see photo.cpp. Lock held.
    Result<SentPhoto> compose_photo(Lock& lock, const ConversationId& conversation, media::Prepared& prepared,
                                    const std::filesystem::path& file, MediaWish wish, const MessageId& id,
                                    const media::Progress& progress, const std::stop_token& stop);
    Result<SentPhoto> post_photo(Lock& lock, SentPhoto out, Millis patience, const media::Progress& progress,
                                 const std::stop_token& stop);
    // Errc::upload_gone. Lock not held, before and after.
    Result<void> still_named(Lock& lock, const BlobId& blob, MediaUse use);
    void alarm_if_changed(Lock& lock, const Result<void>& opened);
    [[nodiscard]] std::vector<PersonDevice> devices_of(const directory::HeldEntry& held) const;
    // A history, see history_agent.cpp. Lock held.
    Result<void> fresh_own_entry(Lock& lock);
    Result<MessageId> post_offer(Lock& lock, const media::BlobReference& blob, const conversation::HistoryHead& head,
                                 const HistoryPeer& peer);
    Result<TakenHistory> take(Lock& lock, HistoryItem& item, const media::Progress& progress,
                              const std::stop_token& stop);
    Result<TakenHistory> import_all(Lock& lock, HistoryItem& item, const media::BlobReference& reference,
                                    const std::stop_token& stop);
    Result<void> forget(HistoryItem& item, HistoryItem::Stage stage);

    container::FileKeystore keystore;
    Core core;
    Compose compose;
    std::mutex starting;  // one go_online() at a time
    std::optional<HttpsNetwork> network;
    std::optional<Sync> sync;
    std::optional<People> people;
    std::optional<Link> link;

    KnownRate rate;  // of uploads

    std::size_t inside = 0;
    bool online = false;  // the network is wanted
    std::optional<CustodyClient> custody;
    std::optional<Keeper> keeper;
    std::optional<Guard> guard;  // dies first
};

}  // namespace nimes::agent::engine
