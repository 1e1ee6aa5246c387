// tus concatenation: parts that were uploaded side by side become one medium, by reference.
#include <algorithm>

#include "media/media_store.hpp"

namespace nimes::gateway::media {

Result<MediumHead> MediaStore::compose(const BlobId& blob, const Uploader& who, const std::vector<BlobId>& parts) {
    if (parts.empty() || parts.size() > kMaxParts)
        return fail(Errc::malformed, "a concatenation has 1 to " + std::to_string(kMaxParts) + " parts");
    const auto slot = slot_of(blob);
    const std::lock_guard writing(slot->mutex);
    const auto now = needs_.clock.now();
    if (auto there = stored_head(blob)) {
        const auto same = [](const MediumPart& part, const BlobId& id) { return part.blob == id; };
        if (now < there->expires)
            return there->owner == who.device && std::ranges::equal(there->parts, parts, same)
                       ? there
                       : Result<MediumHead>(fail(Errc::exists));
        if (auto ok = erase(blob, *there, *slot); !ok) return pass(ok);
    }
    auto claimed = claim(blob, who.device, parts);
    if (!claimed) return pass(claimed);
    MediumHead head;
    head.user = who.user;
    head.owner = who.device;
    head.kind = MediumKind::composed;
    head.parts = std::move(*claimed);
    for (const auto& part : head.parts) head.length += part.length;
    head.offset = head.length;
    head.created = now;
    head.expires = now + limits_.unlinked_life;
    if (auto ok = make_room(blob, head); !ok) return pass(ok);
    // Another concatenation may have claimed a part before this one's head could be seen.
    for (const auto& part : head.parts)
        if (const auto still = stored_head(part.blob); !still || still->part_of != blob) {
            if (auto ok = erase(blob, head, *slot); !ok) return pass(ok);
            return fail(Errc::exists, "a part belongs to another medium");
        }
    return head;
}

// Each part says on disk whose it is before the whole is there: a crash between leaves parts that end with their own
// time, or a repeat that finds them claimed by itself.
Result<std::vector<MediumPart>> MediaStore::claim(const BlobId& blob, const DeviceId& owner,
                                                  const std::vector<BlobId>& parts) {
    std::vector<MediumPart> out;
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (std::count(parts.begin(), parts.end(), parts[i]) > 1) return fail(Errc::malformed, "a part is used once");
        const auto head = own_head(parts[i], owner);
        if (!head || head->kind != MediumKind::partial) return fail(Errc::not_found, "a part");
        if (!head->finished()) return fail(Errc::upload_length, "a part is not finished");
        if (head->part_of != BlobId{} && head->part_of != blob && stored_head(head->part_of))
            return fail(Errc::exists, "a part belongs to another medium");
        total += head->length;
        out.push_back({parts[i], head->length, head->created});
    }
    if (total > limits_.max_bytes) return fail(Errc::too_large, "all parts together");
    for (const auto& part : out) {
        const auto slot = slot_of(part.blob);
        const std::lock_guard writing(slot->mutex);
        auto head = own_head(part.blob, owner);
        if (!head) return fail(Errc::not_found, "a part");
        if (head->part_of != BlobId{} && head->part_of != blob && stored_head(head->part_of))
            return fail(Errc::exists, "a part belongs to another medium");  // two asked at once
        head->part_of = blob;
        ++slot->fence;
        if (auto ok = needs_.store.commit(head_batch(part.blob, *head), store::Sync::no); !ok) return pass(ok);
    }
    return out;
}

}  // namespace nimes::gateway::media
