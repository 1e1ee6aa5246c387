#include "nimes/error.hpp"

#include <algorithm>
#include <array>
#include <cassert>

namespace nimes {
namespace {

using enum Errc;

// exit: 1 unexpected, 2 usage, 3 not enrolled, 4 shut out, 5 passing (try again), 6 refused, 7 local storage,
//       8 locked or wrong passphrase, 9 not found or ambiguous
constexpr ErrorRow kRows[] = {
    {malformed, "ERR_MALFORMED", 400, 0x99, 6, false, "the input is not well-formed",
     "see FORMATS.md and openapi.yaml for the exact form"},
    {too_large, "ERR_TOO_LARGE", 413, 0x95, 6, false, "the input is too large",
     "send less; the limits stand in openapi.yaml and ARCHITECTURE.md"},
    {bad_address, "ERR_BAD_ADDRESS", 400, 0x99, 2, false, "not a service address",
     "use the form name@domain: one @, plain ASCII, no quotes"},
    {bad_config, "ERR_BAD_CONFIG", 500, 0x83, 2, false, "the configuration is wrong",
     "compare with the commented gateway.toml that is shipped"},
    {usage, "ERR_USAGE", 400, 0x83, 2, false, "the command line is wrong", "see --help"},
    {bad_roster_line, "ERR_BAD_ROSTER_LINE", 400, 0x99, 6, false, "a roster line is wrong",
     "columns: address,name,rank,unit; nothing was imported"},
    {unknown_version, "ERR_UNKNOWN_VERSION", 400, 0x84, 6, false, "a version that this program does not know",
     "update the older side"},

    {token_missing, "ERR_TOKEN_MISSING", 401, 0x86, 6, false, "no connection token",
     "send Authorization: Bearer TOKEN; nimes-agent token prints one"},
    {token_invalid, "ERR_TOKEN_INVALID", 401, 0x86, 6, false, "the connection token is not valid",
     "mint a token with the device's identity key, for this audience"},
    {token_expired, "ERR_TOKEN_EXPIRED", 401, 0x86, 5, true, "the connection token's time has passed or not come",
     "mint a new token; check the clock against GET /v1/status"},
    {token_replayed, "ERR_TOKEN_REPLAYED", 401, 0x86, 5, true, "the connection token was used before",
     "mint a new token for each attempt"},
    {device_unknown, "ERR_DEVICE_UNKNOWN", 401, 0x87, 6, false, "no such device", "enrol it: nimes-agent enrol"},
    {device_suspended, "ERR_DEVICE_SUSPENDED", 403, 0x87, 4, true, "the device is suspended", "ask your administrator"},
    {device_revoked, "ERR_DEVICE_REVOKED", 403, 0x87, 4, false, "the device is revoked",
     "it is out for good; enrol a new one"},
    {signature_invalid, "ERR_SIGNATURE_INVALID", 403, 0x87, 6, false, "a signature does not verify",
     "the record is not from the key it names"},
    {forbidden, "ERR_FORBIDDEN", 403, 0x87, 6, false, "not allowed", "ask your administrator what your role may do"},

    {code_wrong, "ERR_CODE_WRONG", 403, 0x87, 6, true, "the code is wrong, used or too old",
     "type the newest code from the mail, or ask for another"},
    {code_exhausted, "ERR_CODE_EXHAUSTED", 429, 0x97, 6, true, "too many wrong codes", "ask for a new code"},
    {voucher_needed, "ERR_VOUCHER_NEEDED", 202, 0x87, 5, true, "another device of yours must vouch for this one",
     "run nimes-agent devices vouch on it, then go on here"},
    {approval_needed, "ERR_APPROVAL_NEEDED", 202, 0x87, 5, true, "an administrator must approve this device",
     "ask your administrator, then go on here"},
    {device_limit, "ERR_DEVICE_LIMIT", 409, 0x97, 6, false, "all seven devices are in use",
     "remove one first: nimes-agent devices"},
    {ticket_unknown, "ERR_TICKET_UNKNOWN", 404, 0x83, 6, false, "no such enrolment is open",
     "begin again: nimes-agent enrol"},

    {not_found, "ERR_NOT_FOUND", 404, 0x83, 9, false, "nothing of that name",
     "check the spelling: nimes-agent people NAME"},
    {ambiguous, "ERR_AMBIGUOUS", 409, 0x83, 9, false, "more than one matches", "add the unit: 'Meyer, Celle'"},
    {exists, "ERR_EXISTS", 409, 0x83, 6, false, "it exists already", "nothing was changed"},
    {proof_invalid, "ERR_PROOF_INVALID", 502, 0x83, 6, false, "a proof does not hold",
     "do not trust what came with it; tell your operator at once"},
    {head_stale, "ERR_HEAD_STALE", 409, 0x83, 5, true, "the directory head is older than 24 hours",
     "connect once; nothing is sealed under an old head"},
    {directory_fork, "ERR_DIRECTORY_FORK", 409, 0x83, 6, false, "the directory showed two histories",
     "stop; an administrator must decide with a new provisioning file"},
    {device_stale, "ERR_DEVICE_STALE", 409, 0x83, 5, true, "a device has no valid seal key",
     "it gets the message after it was online again"},

    {recipient_unknown, "ERR_RECIPIENT_UNKNOWN", 404, 0x83, 9, false, "a recipient is not in the directory",
     "look the person up again: nimes-agent people"},
    {conversation_unknown, "ERR_CONVERSATION_UNKNOWN", 404, 0x83, 9, false, "no such conversation",
     "nimes-agent group list shows yours"},
    {epoch_conflict, "ERR_EPOCH_CONFLICT", 409, 0x83, 5, true, "another change of the conversation came first",
     "fetch it, then repeat yours on top of it"},
    {not_a_member, "ERR_NOT_A_MEMBER", 403, 0x87, 6, false, "the sender is not in the conversation, or may not post",
     "ask an administrator of the conversation"},
    {mailbox_full, "ERR_MAILBOX_FULL", 507, 0x97, 5, true, "a recipient's mailbox is full",
     "they must come online first"},
    {rate_limited, "ERR_RATE_LIMITED", 429, 0x96, 5, true, "too many requests", "wait as long as Retry-After says"},
    {held, "ERR_HELD", 409, 0x83, 5, true, "something that this builds on is missing",
     "it is kept and tried again when the missing part comes"},
    {dropped, "ERR_DROPPED", 409, 0x83, 6, false, "refused by the rules of the conversation",
     "counted; nothing was changed"},
    {withheld, "ERR_WITHHELD", 409, 0x83, 6, false, "authentic, but from a revoked device", "kept, never shown"},
    {undecryptable, "ERR_UNDECRYPTABLE", 409, 0x83, 6, false, "it does not open", "the sender is asked to send again"},

    {upload_offset, "ERR_UPLOAD_OFFSET", 409, 0x83, 5, true, "the offset is not where the upload stands",
     "continue at the Upload-Offset of this answer"},
    {upload_length, "ERR_UPLOAD_LENGTH", 400, 0x83, 6, false, "the upload's length is missing, wrong or exceeded",
     "give Upload-Length once, and no byte more"},
    {upload_locked, "ERR_UPLOAD_LOCKED", 423, 0x83, 5, true, "another request writes this upload",
     "wait a second, HEAD, go on"},
    {upload_gone, "ERR_UPLOAD_GONE", 404, 0x83, 6, false, "no such medium", "it expired, was recalled, or never was"},
    {media_type, "ERR_MEDIA_TYPE", 415, 0x83, 6, false, "the content type is not the one asked for",
     "PATCH wants application/offset+octet-stream"},
    {range_unsatisfiable, "ERR_RANGE", 416, 0x83, 6, false, "the range lies outside the medium",
     "Content-Range of this answer gives the size"},
    {checksum_unknown, "ERR_CHECKSUM_UNKNOWN", 400, 0x83, 6, false, "the checksum algorithm is not offered",
     "OPTIONS lists those that are"},
    {checksum_mismatch, "ERR_CHECKSUM_MISMATCH", 460, 0x83, 5, true, "the bytes do not match their checksum",
     "send them again from the same offset"},
    {tus_version, "ERR_TUS_VERSION", 412, 0x84, 6, false, "the tus version is missing or not offered",
     "send Tus-Resumable: 1.0.0"},
    {quota, "ERR_QUOTA", 507, 0x97, 5, true, "the quota is used up",
     "older media expire by themselves; try a smaller one"},
    {disk_full, "ERR_DISK_FULL", 507, 0x97, 5, true, "the server's disk has reached its floor",
     "what is stored stays; try again later"},
    {export_forbidden, "ERR_EXPORT_FORBIDDEN", 403, 0x87, 6, false,
     "policy does not allow media to leave the container", "view it in place, or ask for another policy"},

    {not_enrolled, "ERR_NOT_ENROLLED", 401, 0x87, 3, false, "this home holds no enrolled device",
     "nimes-agent enrol --home DIR ADDRESS"},
    {already_enrolled, "ERR_ALREADY_ENROLLED", 409, 0x83, 6, false, "this home holds a device already",
     "use another --home for another device"},
    {passphrase_wrong, "ERR_PASSPHRASE_WRONG", 403, 0x87, 8, true, "the passphrase is wrong",
     "try again; waiting grows from the third try"},
    {passphrase_wait, "ERR_PASSPHRASE_WAIT", 429, 0x97, 8, true, "too many wrong passphrases",
     "wait; the time doubles with each wrong try"},
    {locked, "ERR_LOCKED", 423, 0x83, 8, true, "the container is locked", "unlock it with the passphrase"},
    {busy, "ERR_BUSY", 503, 0x89, 5, true, "busy", "try again in a moment"},
    {offline, "ERR_OFFLINE", 503, 0x88, 5, true, "the server cannot be reached",
     "kept in the outbox; it goes when the network is back"},
    {timed_out, "ERR_TIMED_OUT", 504, 0x83, 5, true, "no answer in time", "kept; it is tried again"},
    {unavailable, "ERR_UNAVAILABLE", 503, 0x88, 5, true, "not available now", "try again as long as Retry-After says"},
    {method_not_allowed, "ERR_METHOD_NOT_ALLOWED", 405, 0x83, 6, false, "this resource does not answer that method",
     "see Allow in this answer"},
    {storage, "ERR_STORAGE", 500, 0x80, 7, true, "the store did not take or give it", "look at the disk and the log"},
    {storage_conflict, "ERR_STORAGE_CONFLICT", 409, 0x80, 5, true, "somebody else changed it first",
     "read again, then repeat"},
    {internal, "ERR_INTERNAL", 500, 0x80, 1, true, "a fault of ours", "report it with the time and the code"},
};

static_assert(std::size(kRows) == static_cast<std::size_t>(internal) + 1, "every Errc has one row");
constexpr bool in_order() {
    for (std::size_t i = 0; i < std::size(kRows); ++i)
        if (kRows[i].code != static_cast<Errc>(i)) return false;
    return true;
}
static_assert(in_order(), "rows stand in the order of Errc");

}  // namespace

std::span<const ErrorRow> error_table() { return kRows; }
const ErrorRow& row(Errc code) { return kRows[static_cast<std::size_t>(code)]; }

const ErrorRow* row(std::string_view name) {
    const auto at = std::find_if(std::begin(kRows), std::end(kRows), [&](const auto& r) { return r.name == name; });
    return at == std::end(kRows) ? nullptr : at;
}

std::string Error::text() const {
    std::string out(row().title);
    if (!detail.empty()) out += ": " + detail;
    return out;
}

}  // namespace nimes
