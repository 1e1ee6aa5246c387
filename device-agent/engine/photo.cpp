// A photo's way out and in: prepare, seal, compose, upload, send; fetch, verify, open.
#include "engine/impl.hpp"
#include "media/incoming.hpp"
#include "media/outgoing.hpp"
#include "media/prepare.hpp"

namespace nimes::agent::engine {
namespace {

media::BlobReference reference_of(const BlobId& blob, const MediumItem& item) {
    media::BlobReference out;
    out.blob = blob;
    out.conversation = item.conversation;
    out.key = item.key.copy();
    out.plain_length = item.plain_length;
    out.padded_length = item.padded_length;
    out.digest = item.digest;
    return out;
}

conversation::Meaning meaning_of(const media::BlobReference& reference, const media::Prepared& prepared,
                                 const std::filesystem::path& file, MediaWish wish, const ConversationInfo& info) {
    conversation::MediaRef ref{reference.key.copy(), reference.blob, reference.plain_length, reference.padded_length,
                               reference.digest};
    if (wish.group_picture) return conversation::Info{info.title, std::move(ref), info.expires_after_s};
    conversation::Media out;
    out.ref = std::move(ref);
    out.caption = std::move(wish.caption);
    out.duration_ms = wish.duration_ms;
    out.lifetime = wish.lifetime;
    out.preview = prepared.photo.preview;
    out.media_type = wish.media_type.empty() ? prepared.media_type : wish.media_type;
    out.width = prepared.photo.width;
    out.height = prepared.photo.height;
    out.captured = prepared.photo.captured.value_or(0);
    out.file_name = file.filename().string();
    return out;
}

// SHA-256 of the plaintext as it goes by.
class Hashing {
  public:
    Hashing() { crypto_hash_sha256_init(&state_); }
    void update(ByteView bytes) { crypto_hash_sha256_update(&state_, bytes.data(), bytes.size()); }
    Digest finish() {
        Digest out;
        crypto_hash_sha256_final(&state_, out.bytes.data());
        return out;
    }

  private:
    crypto_hash_sha256_state state_{};
};

}  // namespace

Result<SentPhoto> Agent::send_photo(const std::string& to, const std::filesystem::path& file, MediaWish wish,
                                    const MessageId& id, Millis patience, const media::Progress& progress,
                                    const std::stop_token& stop, Candidates& candidates) {
    auto prepared = media::prepare(file);
    if (!prepared) return pass(prepared);
    if (auto ok = go_online(); !ok) return pass(ok);
    auto& core = impl_->core;
    Impl::Visit lock(*impl_);
    if (auto ok = impl_->ready(); !ok) return pass(ok);
    const auto conversation = impl_->people->conversation(lock, to, candidates);
    if (!conversation) return fail(conversation.error().code, conversation.error().detail);
    const auto member = core.conversations.at(*conversation).member(core.own().user);
    if (wish.group_picture && (core.conversations.at(*conversation).is_pair() || member == nullptr ||
                               member->role != MemberRole::administrator))
        return fail(Errc::forbidden, "only administrators of a group set its picture");

    const auto folder = core.box->home() / "media";
    lock.unlock();
    Hashing hashing;
    auto inner = prepared->stripped ? Result<media::Source>(media::source_of(ByteView(prepared->photo.jpeg)))
                                    : media::source_of(file);
    if (!inner) return pass(inner);
    const media::Source source = [&](std::span<std::uint8_t> into) {
        auto n = (*inner)(into);
        if (n) hashing.update(into.first(*n));
        return n;
    };
    const auto length = prepared->stripped ? prepared->photo.jpeg.size() : prepared->file_size;
    auto reference = media::seal(folder, *conversation, source, length, core.random);
    if (!reference) return pass(reference);
    lock.lock();

    if (auto ok = ready_to_seal(lock, core, *impl_->sync, impl_->compose, *conversation); !ok) return pass(ok);
    core.uploading.insert(reference->blob);
    const bool picture = wish.group_picture;
    auto composed = impl_->compose.message(
        *conversation, id, meaning_of(*reference, *prepared, file, std::move(wish), core.infos[*conversation]),
        reference->blob);
    if (!composed) {
        core.uploading.erase(reference->blob);
        return pass(composed);
    }
    if (picture) {
        core.infos[*conversation].picture = reference->blob;
        auto stored = core.transact([&](container::Transaction& tx) {
            return core.put_conversation(tx, core.conversations.at(*conversation));
        });
        if (!stored) return pass(stored);
    }
    SentPhoto out{{id, composed->sequence, composed->devices, composed->stale, true},
                  reference->blob,
                  hashing.finish(),
                  length,
                  prepared->stripped};
    if (auto ok = impl_->link->outbox().load(); !ok) return pass(ok);
    lock.unlock();
    const auto uploaded = media::upload(folder, reference->blob, *impl_->network, progress, stop);
    lock.lock();
    core.uploading.erase(reference->blob);
    if (!uploaded) {
        // It stays in the outbox: the link goes on with the upload when the network is back.
        if (core.shut_out) return fail(*core.shut_out);
        if (!uploaded.error().row().retry) return fail(uploaded.error().code, uploaded.error().detail);
        out.message.accepted = false;
        return out;
    }
    impl_->link->outbox().uploaded(reference->blob);
    const auto sent = impl_->send_and_wait(lock, id, patience);
    if (!sent && sent.error().code != Errc::timed_out) return fail(sent.error().code, sent.error().detail);
    out.message.accepted = sent.has_value();
    return out;
}

Result<FetchedMedia> Agent::fetch_media(const BlobId& blob, const std::filesystem::path& file,
                                        const media::Progress& progress, const std::stop_token& stop) {
    auto& core = impl_->core;
    Impl::Visit lock(*impl_);
    if (!core.enrolled()) return fail(Errc::not_enrolled);
    std::optional<media::BlobReference> reference;
    {
        auto tx = core.box->begin();
        if (!tx) return pass(tx);
        auto row = tx->get(container::Table::media, to_bytes(blob.view()));
        if (!row) return pass(row);
        if (!*row) return fail(Errc::not_found, "no message names this medium");
        auto item = MediumItem::parse((*row)->value);
        if (!item) return pass(item);
        reference = reference_of(blob, *item);
    }
    const auto folder = core.box->home() / "media";
    const bool export_allowed = core.provisioning->export_allowed;
    lock.unlock();
    auto fetched = media::fetch(folder, *reference, *impl_->network, progress, stop);
    if (!fetched && fetched.error().code == Errc::undecryptable) {
        lock.lock();
        (void)core.transact([&](container::Transaction& tx) {
            return core.raise_alarm(tx, "a medium was not what its message says: somebody changed it on its way");
        });
        lock.unlock();
    }
    if (!fetched) return pass(fetched);
    FetchedMedia out{blob, reference->plain_length, {}};
    Hashing hashing;
    auto read = media::open(folder, *reference, [&](ByteView plain) -> Result<void> {
        hashing.update(plain);
        return {};
    });
    if (!read) return pass(read);
    out.sha256 = hashing.finish();
    if (!file.empty())
        if (auto ok = media::export_to(folder, *reference, file, export_allowed); !ok) return pass(ok);
    return out;
}

}  // namespace nimes::agent::engine
