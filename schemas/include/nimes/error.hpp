// The one error vocabulary of nimes. A failure that is expected is a value: Result<T> holds a T or an Error, and an
// Error names one row of the table below. The row decides, everywhere alike: the stable code that logs, problem+json,
// Rejected packets and command lines show, the HTTP status, the MQTT 5 reason, the exit status, whether trying again
// can help, and a hint that says what would be right.
//
// Error::detail says what was wrong with this input. It must never hold user data: no address, name, text, key.
// Threads: values. Exceptions: none of ours; catch foreign ones at thread and C boundaries.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace nimes {

enum class Errc : std::uint16_t {
    // form: the input is not what the format says
    malformed,
    too_large,
    bad_address,
    bad_config,
    usage,
    bad_roster_line,
    unknown_version,
    // identity
    token_missing,
    token_invalid,
    token_expired,
    token_replayed,
    device_unknown,
    device_suspended,
    device_revoked,
    signature_invalid,
    forbidden,
    // enrolment
    code_wrong,
    code_exhausted,
    voucher_needed,
    approval_needed,
    device_limit,
    ticket_unknown,
    // directory
    not_found,
    ambiguous,
    exists,
    proof_invalid,
    head_stale,
    directory_fork,
    device_stale,
    // messages
    recipient_unknown,
    conversation_unknown,
    epoch_conflict,
    not_a_member,
    mailbox_full,
    rate_limited,
    held,
    dropped,
    withheld,
    undecryptable,
    // media
    upload_offset,
    upload_length,
    upload_locked,
    upload_gone,
    media_type,
    range_unsatisfiable,
    checksum_unknown,
    checksum_mismatch,
    tus_version,
    quota,
    disk_full,
    export_forbidden,
    // local and passing states
    not_enrolled,
    already_enrolled,
    passphrase_wrong,
    passphrase_wait,
    locked,
    busy,
    offline,
    timed_out,
    unavailable,
    method_not_allowed,
    storage,
    storage_conflict,
    internal,
};

struct ErrorRow {
    Errc code;
    std::string_view name;   // stable, "ERR_…": never renamed once released
    std::uint16_t http;      // status of an HTTP answer
    std::uint8_t mqtt;       // MQTT 5 reason code
    std::uint8_t exit;       // exit status of our command lines
    bool retry;              // the same request may succeed later
    std::string_view title;  // what is wrong, one line
    std::string_view hint;   // what would be right, or what to do next
};

// All rows, in the order of Errc.
std::span<const ErrorRow> error_table();
const ErrorRow& row(Errc code);
// The row of a stable name such as "ERR_TOKEN_EXPIRED"; nullptr when there is none (a newer peer).
const ErrorRow* row(std::string_view name);

struct Error {
    Errc code = Errc::internal;
    std::string detail;  // without user data

    [[nodiscard]] const ErrorRow& row() const { return nimes::row(code); }
    // "title: detail", for logs and people.
    [[nodiscard]] std::string text() const;
};

template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
  public:
    using tl::expected<T, Error>::expected;
};

[[nodiscard]] inline tl::unexpected<Error> fail(Errc code, std::string detail = {}) {
    return tl::unexpected<Error>(Error{code, std::move(detail)});
}
// Hands an error of one result on as another's.
template <class T>
[[nodiscard]] tl::unexpected<Error> pass(Result<T>& result) {
    return tl::unexpected<Error>(std::move(result.error()));
}

}  // namespace nimes
