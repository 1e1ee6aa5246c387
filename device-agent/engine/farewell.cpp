#include "engine/farewell.hpp"

#include <algorithm>

#include "directory/held_directory.hpp"
#include "directory/own_entry.hpp"
#include "media/sealed_file.hpp"

namespace nimes::agent::engine {
namespace {

constexpr std::size_t kMostKept = 64 * 1024;

std::filesystem::path receipt_file(const std::filesystem::path& home) { return home / "receipt"; }

bool by_administrator(const DeviceRevoke& revoke, const OrgKeys& keys) {
    return std::any_of(keys.administrators.begin(), keys.administrators.end(),
                       [&](const auto& key) { return key_actor(key) == revoke.actor; });
}

// Once: an order that was obeyed has ended the identity that it names.
std::optional<WipeOrder> order_in(const v1::FarewellAnswer& answer, const DeviceCert& own, const OrgKeys& keys,
                                  Millis now) {
    const auto order = WipeOrder::parse(as_bytes(answer.wipe_order()));
    if (!order || !judge_wipe(*order, own.user, own.device, keys, now)) return std::nullopt;
    return *order;
}

struct Kept {
    Bytes receipt;
    std::string gateway, ca_pem;
};

std::optional<Kept> read_kept(const std::filesystem::path& home) {
    auto file = media::File::read(receipt_file(home));
    if (!file) return std::nullopt;
    Bytes bytes(kMostKept);
    const auto got = file->read(bytes);
    if (!got) return std::nullopt;
    bytes.resize(*got);
    Reader in(bytes);
    Kept out;
    out.receipt = to_bytes(in.take(WipeReceipt::kBytes));
    out.gateway = std::string(as_text(in.take(in.u16())));
    out.ca_pem = std::string(as_text(in.take(in.left())));
    return in.failed() ? std::nullopt : std::optional(std::move(out));
}

}  // namespace

Result<Judgement> judge(const v1::FarewellAnswer& answer, const DeviceCert& own, const Provisioning& provisioning,
                        Millis local_now) {
    directory::HeldDirectory held(provisioning.keys, provisioning.address_secret.view(), provisioning.head);
    if (auto step = held.take_head(answer.entry().head(), local_now); !step) return pass(step);
    if (answer.entry().entries_size() != 1) return fail(Errc::malformed, "not the own entry");
    const auto now = std::max(local_now, held.head().ts);
    const auto entry = held.take_user(answer.entry().entries(0), own.user, now);
    if (!entry) return fail(entry.error().code, entry.error().detail);
    const auto verdict = directory::check_own_entry((*entry)->entry, own, {});
    Judgement out;
    if (verdict.revoked == nullptr) return out;
    out.revoked = true;
    out.order = order_in(answer, own, provisioning.keys, now);
    const bool theft =
        verdict.revoked->reason == RevokeReason::stolen && by_administrator(*verdict.revoked, provisioning.keys);
    out.wipe = out.order.has_value() || theft;
    return out;
}

Result<void> keep_receipt(const std::filesystem::path& home, const WipeReceipt& receipt, const Provisioning& p) {
    Writer out;
    out.bytes(receipt.encode()).u16(static_cast<std::uint16_t>(p.gateway.size())).text(p.gateway).text(p.ca_pem);
    return media::write_durably(receipt_file(home), out.view());
}

void send_kept_receipt(const std::filesystem::path& home, Custody& custody, const std::stop_token& stop) {
    const auto kept = read_kept(home);
    if (!kept) return;
    v1::Farewell request;
    request.set_receipt(std::string(as_text(kept->receipt)));
    const auto answer = custody.farewell(request, stop);
    std::error_code ignored;
    if (answer || !answer.error().row().retry) std::filesystem::remove(receipt_file(home), ignored);
}

void send_kept_receipt(const std::filesystem::path& home, const std::stop_token& stop) {
    const auto kept = read_kept(home);
    if (!kept) return;
    CustodyClient custody(kept->gateway, kept->ca_pem, {});
    send_kept_receipt(home, custody, stop);
}

}  // namespace nimes::agent::engine
