// A photo's way out: prepare, seal, compose, upload, send.
#include "engine/impl.hpp"
#include "engine/put_back.hpp"
#include "media/incoming.hpp"
#include "media/outgoing.hpp"
#include "media/passing_hash.hpp"
#include "media/prepare.hpp"

namespace nimes::agent::engine {
namespace {

conversation::Meaning meaning_of(const media::BlobReference& reference, const media::Prepared& prepared,
                                 const std::filesystem::path& file, MediaWish wish, const ConversationInfo& info) {
    conversation::MediaRef ref{reference.key.copy(), reference.blob, reference.plain_length, reference.padded_length,
                               reference.digest};
    if (wish.group_picture) return conversation::Info{info.title, std::move(ref), info.expires_after_s};
    conversation::Media out;
    out.ref = std::move(ref);
    out.caption = std::move(wish.caption);
    out.duration_ms = wish.duration_ms != 0 ? wish.duration_ms : prepared.duration_ms;
    out.lifetime = wish.lifetime;
    out.preview = prepared.photo.preview;
    out.media_type = wish.media_type.empty() ? prepared.media_type : wish.media_type;
    out.width = prepared.photo.width;
    out.height = prepared.photo.height;
    out.captured = prepared.photo.captured.value_or(0);
    out.file_name = file.filename().string();
    return out;
}

Result<SealedMedium> seal_medium(Variants& variants, media::Prepared& prepared, const std::filesystem::path& file,
                                 Variant wanted, SentPhoto& out, const media::Progress& progress,
                                 const std::stop_token& stop) {
    if (!prepared.photo.jpeg.empty()) return variants.choose(prepared.photo, wanted, out, progress, stop);
    out.original_bytes = prepared.file_size;
    out.video_without_frame = prepared.media_type.starts_with("video/") && prepared.photo.preview.empty();
    const auto source = media::source_without(file, prepared.omissions);
    if (!source) return fail(source.error().code, source.error().detail);
    return variants.seal(*source, prepared.file_size);
}

struct Repeat {
    SentPhoto out;
    media::BlobReference reference;
};

// Zero where its file is gone.
Digest digest_of(const std::filesystem::path& folder, const media::BlobReference& reference) {
    media::PassingHash hash;
    const auto read = media::open(folder, reference, [&](ByteView plain) -> Result<void> {
        hash.update(plain);
        return {};
    });
    return read ? hash.finish().value_or(Digest{}) : Digest{};
}

// A repeat, of a command whose owner died before it answered: the message stands, and its medium is the one it names.
Result<std::optional<Repeat>> sent_before(Core& core, const MessageId& id, bool as_it_is) {
    auto tx = core.box->begin();
    if (!tx) return pass(tx);
    auto row = find_message(*tx, core.own().device, id);
    if (!row) return pass(row);
    if (!*row) return std::optional<Repeat>{};
    const auto& message = (*row)->message;
    const auto meaning = conversation::decode(message.kind, message.body);
    const auto* info = meaning ? std::get_if<conversation::Info>(&*meaning) : nullptr;
    const auto* medium = meaning ? std::get_if<conversation::Media>(&*meaning) : nullptr;
    if (medium == nullptr && (info == nullptr || !info->picture))
        return fail(Errc::exists, "it was sent, and is gone since");
    const auto& ref = medium != nullptr ? medium->ref : *info->picture;
    SentPhoto out;
    out.message = {id, (*row)->row, {}, {}, message.state == MessageState::sent};
    out.blob = ref.blob;
    out.bytes = out.original_bytes = ref.plain_length;
    out.stripped = !as_it_is && medium != nullptr && media::is_cleaned(medium->media_type);
    return std::optional(
        Repeat{std::move(out),
               {ref.blob, message.conversation, ref.key.copy(), ref.plain_length, ref.padded_length, ref.digest}});
}

}  // namespace

Result<SentPhoto> Agent::send_photo(const std::string& to, const std::filesystem::path& file, MediaWish wish,
                                    const MessageId& id, Millis patience, const media::Progress& progress,
                                    const std::stop_token& stop, Candidates& candidates) {
    if (auto ok = go_online(); !ok) return pass(ok);
    Impl::Visit lock(*impl_);
    if (auto ok = impl_->ready_to_say(); !ok) return pass(ok);
    auto before = sent_before(impl_->core, id, wish.as_it_is);
    if (!before) return pass(before);
    if (*before) {
        auto& [out, reference] = **before;
        const auto folder = impl_->core.box->home() / "media";
        lock.unlock();
        out.sha256 = digest_of(folder, reference);
        lock.lock();
        if (out.message.accepted) return std::move(out);
        return impl_->post_photo(lock, std::move(out), patience, progress, stop);
    }
    lock.unlock();
    auto prepared = media::prepare(file, wish.as_it_is ? media::Cleaning::none : media::Cleaning::all);
    if (!prepared) return pass(prepared);
    lock.lock();
    const auto conversation = impl_->people->conversation(lock, to, candidates);
    if (!conversation) return fail(conversation.error().code, conversation.error().detail);
    auto composed = impl_->compose_photo(lock, *conversation, *prepared, file, std::move(wish), id, progress, stop);
    if (!composed) return composed;
    return impl_->post_photo(lock, std::move(*composed), patience, progress, stop);
}

Result<SentPhoto> Agent::Impl::compose_photo(Lock& lock, const ConversationId& conversation, media::Prepared& prepared,
                                             const std::filesystem::path& file, MediaWish wish, const MessageId& id,
                                             const media::Progress& progress, const std::stop_token& stop) {
    const auto member = core.conversations.at(conversation).member(core.own().user);
    if (wish.group_picture && (core.conversations.at(conversation).is_pair() || member == nullptr ||
                               member->role != MemberRole::administrator))
        return fail(Errc::forbidden, "only administrators of a group set its picture");
    Variants variants(core.box->home() / "media", conversation, *network, rate, core.clock, core.random);
    lock.unlock();
    SentPhoto out;
    auto sealed = seal_medium(variants, prepared, file, wish.variant, out, progress, stop);
    lock.lock();
    if (!sealed) return pass(sealed);
    const auto& reference = sealed->reference;
    if (auto ok = ready_to_seal(lock, core, *sync, compose, conversation); !ok) return pass(ok);
    const bool picture = wish.group_picture;
    auto composed = compose.message(conversation, id,
                                    meaning_of(reference, prepared, file, std::move(wish), core.infos[conversation]),
                                    reference.blob);
    if (!composed) return pass(composed);
    if (picture) {
        auto stored = core.transact([&](container::Transaction& tx) {
            put_back_if_lost(tx, core.infos, conversation);
            core.infos[conversation].picture = reference.blob;
            return core.put_conversation(tx, core.conversations.at(conversation));
        });
        if (!stored) return pass(stored);
    }
    out.message = {id, composed->sequence, composed->devices, composed->stale, true};
    out.blob = reference.blob;
    out.sha256 = sealed->sha256;
    out.bytes = sealed->bytes;
    out.stripped = prepared.stripped;
    return out;
}

// The message is in the outbox, and waits there for its medium.
Result<SentPhoto> Agent::Impl::post_photo(Lock& lock, SentPhoto out, Millis patience, const media::Progress& progress,
                                          const std::stop_token& stop) {
    if (auto ok = link->outbox().load(); !ok) return pass(ok);
    // The link must not begin it, too. One that it has gone on with is waited for; what it did is not done again.
    while (!core.uploading.insert(out.blob).second) {
        out.message.accepted = false;
        if (stop.stop_requested()) return out;
        core.changed.wait_for(lock, std::chrono::milliseconds(200));
    }
    Variants variants(core.box->home() / "media", {}, *network, rate, core.clock, core.random);
    lock.unlock();
    const auto uploaded = variants.upload(out.blob, progress, stop);
    lock.lock();
    core.uploading.erase(out.blob);
    if (!uploaded) {
        // It stays in the outbox: the link goes on with the upload when the network is back.
        if (core.shut_out) return fail(*core.shut_out);
        if (!uploaded.error().row().retry) return fail(uploaded.error().code, uploaded.error().detail);
        out.message.accepted = false;
        return out;
    }
    link->outbox().uploaded(out.blob);
    const auto sent = send_and_wait(lock, out.message.id, patience);
    if (!sent && sent.error().code != Errc::timed_out) return fail(sent.error().code, sent.error().detail);
    out.message.accepted = sent.has_value();
    return out;
}

}  // namespace nimes::agent::engine
