#include "identity/mirror_table.hpp"

namespace nimes::plugin {

MirrorTable::Applied MirrorTable::apply(const MirrorPart& part) {
    return part.kind == MirrorPart::Kind::delta ? apply_delta(part) : apply_full(part);
}

const MirrorItem* MirrorTable::find(const DeviceId& device) const {
    const auto at = items_.find(device);
    return at == items_.end() ? nullptr : &at->second;
}

MirrorTable::Applied MirrorTable::apply_delta(const MirrorPart& part) {
    if (part.issued < issued_ || part.to < revision_) return {Outcome::outdated, {}};
    if (!loaded_ || part.from != revision_) {
        gap_ = true;
        return {Outcome::unfit, {}};
    }
    Applied out{Outcome::applied, {}};
    for (const auto& item : part.items) {
        auto& slot = items_[item.device];
        const bool was_open = slot.state == MirrorState::active && !slot.device.is_zero();
        if (was_open && item.state != MirrorState::active) out.shut.push_back(item.device);
        slot = item;
    }
    revision_ = part.to;
    issued_ = part.issued;
    return out;
}

MirrorTable::Applied MirrorTable::apply_full(const MirrorPart& part) {
    // Its time decides, not its revision: a gateway restored from a backup counts from a lower one.
    if (part.issued < issued_ || part.issued < assembly_.issued) return {Outcome::outdated, {}};
    if (part.issued != assembly_.issued || part.to != assembly_.to || part.parts != assembly_.parts)
        assembly_ = {part.issued, part.to, part.parts, {}};
    assembly_.got[part.part] = part.items;
    if (assembly_.got.size() < assembly_.parts) return {Outcome::partial, {}};

    Items fresh;
    for (auto& [number, items] : assembly_.got)
        for (auto& item : items) fresh[item.device] = item;
    Applied out{Outcome::applied, {}};
    for (const auto& [device, item] : items_) {
        const auto at = fresh.find(device);
        const bool open = at != fresh.end() && at->second.state == MirrorState::active;
        if (item.state == MirrorState::active && !open) out.shut.push_back(device);
    }
    items_ = std::move(fresh);
    revision_ = part.to;
    issued_ = part.issued;
    loaded_ = true;
    gap_ = false;
    assembly_ = {};
    return out;
}

}  // namespace nimes::plugin
