// The end of a revoked handset: what it makes of the gateway's last answer, its wipe, and its receipt
// (FORMATS.md 2.13).
//
// The gateway's word alone destroys nothing: a revocation counts when it stands in the own entry, proven from the head
// of the provisioning file on; keys are destroyed on an order with two signatures, or when an administrator revoked for
// theft. judge() is pure. A receipt is kept as bytes in HOME/receipt until the gateway confirmed it, beside where to
// send it: after the wipe nothing else is known. Threads: one. Errors: Errc::proof_invalid, malformed, those of
// Custody.
#pragma once

#include <filesystem>

#include "engine/custody.hpp"
#include "nimes/wipe.hpp"

namespace nimes::agent::engine {

struct Judgement {
    bool revoked = false;            // proven
    bool wipe = false;               // and to be wiped
    std::optional<WipeOrder> order;  // by this order; none: an administrator revoked for theft
};
Result<Judgement> judge(const v1::FarewellAnswer& answer, const DeviceCert& own, const Provisioning& provisioning,
                        Millis local_now);

Result<void> keep_receipt(const std::filesystem::path& home, const WipeReceipt& receipt, const Provisioning& p);
// Sends it, and removes it when the gateway took it or wants it no more; nothing when there is none. The second one is
// for a start that finds what an earlier process left.
void send_kept_receipt(const std::filesystem::path& home, Custody& custody, const std::stop_token& stop);
void send_kept_receipt(const std::filesystem::path& home, const std::stop_token& stop);

}  // namespace nimes::agent::engine
