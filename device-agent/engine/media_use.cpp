// A medium's way in, and out of the container as far as policy lets it: fetch, verify, open, export, show.
#include "engine/impl.hpp"
#include "media/passing_hash.hpp"
#include "media/seek.hpp"

namespace nimes::agent::engine {
namespace {

using container::Table;

Result<media::BlobReference> reference_of(Core& core, const BlobId& blob) {
    auto tx = core.box->begin();
    if (!tx) return pass(tx);
    auto row = tx->get(Table::media, to_bytes(blob.view()));
    if (!row) return pass(row);
    if (!*row) return fail(Errc::not_found, "no message names this medium");
    auto item = MediumItem::parse((*row)->value);
    if (!item) return pass(item);
    return media::BlobReference{
        blob, item->conversation, std::move(item->key), item->plain_length, item->padded_length, item->digest};
}

Result<void> allowed(const ContentRules& rules, MediaUse use) {
    if (use == MediaUse::save && !rules.export_allowed) return fail(Errc::export_forbidden);
    if (use == MediaUse::show && !rules.export_allowed && !rules.viewer_allowed)
        return fail(Errc::export_forbidden, "nor to be shown by another program");
    return {};
}

}  // namespace

// It may have been recalled while it came, and policy may have changed: then nobody sees it.
Result<void> Agent::Impl::still_named(Lock& lock, const BlobId& blob, MediaUse use) {
    lock.lock();
    const auto may = allowed(core.rules(), use);
    const auto named = reference_of(core, blob);
    const auto folder = core.box->home() / "media";
    lock.unlock();
    if (named) return may;
    if (named.error().code != Errc::not_found) return fail(named.error().code);
    (void)media::erase(folder, blob);
    return fail(Errc::upload_gone, "it was deleted meanwhile");
}

void Agent::Impl::alarm_if_changed(Lock& lock, const Result<void>& opened) {
    if (opened || opened.error().code != Errc::undecryptable) return;
    lock.lock();
    (void)core.transact([&](container::Transaction& tx) {
        return core.raise_alarm(tx, "a medium was not what its message says: somebody changed it on its way");
    });
    lock.unlock();
}

Result<FetchedMedia> Agent::fetch_media(const BlobId& blob, MediaUse use, const std::filesystem::path& file,
                                        const media::Sink& sink, const media::Progress& progress,
                                        const std::stop_token& stop) {
    auto& core = impl_->core;
    Impl::Visit lock(*impl_);
    if (!core.enrolled()) return fail(Errc::not_enrolled);
    if (auto ok = allowed(core.rules(), use); !ok) return pass(ok);
    const auto reference = reference_of(core, blob);
    if (!reference) return fail(reference.error().code, reference.error().detail);
    const auto folder = core.box->home() / "media";
    lock.unlock();
    auto fetched = media::fetch(folder, *reference, *impl_->network, progress, stop);
    impl_->alarm_if_changed(lock, fetched);
    if (!fetched) return pass(fetched);
    if (auto ok = impl_->still_named(lock, blob, use); !ok) return pass(ok);
    FetchedMedia out{blob, reference->plain_length, {}};
    media::PassingHash hashing;
    auto read = media::open(folder, *reference, [&](ByteView plain) -> Result<void> {
        hashing.update(plain);
        return sink && !stop.stop_requested() ? sink(plain) : Result<void>();
    });
    if (!read) return pass(read);
    auto digest = hashing.finish();
    if (!digest) return pass(digest);
    out.sha256 = *digest;
    if (!file.empty())
        if (auto ok = media::export_to(folder, *reference, file, use == MediaUse::save); !ok) return pass(ok);
    return out;
}

Result<void> Agent::show_part(const BlobId& blob, media::Part part, const media::Sink& sink,
                              const std::stop_token& stop) {
    auto& core = impl_->core;
    Impl::Visit lock(*impl_);
    if (!core.enrolled()) return fail(Errc::not_enrolled);
    if (auto ok = allowed(core.rules(), MediaUse::show); !ok) return ok;
    const auto reference = reference_of(core, blob);
    if (!reference) return fail(reference.error().code, reference.error().detail);
    const auto folder = core.box->home() / "media";
    lock.unlock();
    const auto shown = media::open_part(folder, *reference, part, *impl_->network, sink, stop);
    impl_->alarm_if_changed(lock, shown);
    return shown;
}

}  // namespace nimes::agent::engine
