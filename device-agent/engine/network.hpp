// What the engine asks of the gateway beside messages. HttpsNetwork is the real one; tests that step time by hand have
// a twin that asks the gateway's rooms themselves.
//
// Threads: any. Every call blocks for as long as the network does and wants no lock. Errors: what the gateway's
// problem+json names; Errc::offline, timed_out.
#pragma once

#include "media/transfer.hpp"
#include "nimes/v1/directory.pb.h"
#include "nimes/v1/transport.pb.h"
#include "transport/service_status.hpp"

namespace nimes::agent::engine {

class Network : public media::Transfer {
  public:
    // The gateway's time and the delay that it asks for, without a token. Errc::offline by one that has no gateway.
    virtual Result<transport::ServiceStatus> status() { return fail(Errc::offline); }
    // Where a push service wakes this device; "": nowhere.
    virtual Result<void> wake(const std::string&) { return fail(Errc::offline); }
    // Takes a medium of this person back. Errc::upload_gone: it is not there, or not of this person.
    virtual Result<void> remove(const BlobId&) { return fail(Errc::offline); }
    virtual Result<v1::LookupAnswer> lookup(const v1::LookupRequest& request) = 0;
    virtual Result<v1::HeadAnswer> head(std::uint64_t held) = 0;
    virtual Result<v1::OldHeadAnswer> old_head(std::uint64_t revision, std::uint64_t under) = 0;
    virtual Result<v1::ConversationEvents> events(const ConversationId& id, std::uint64_t from) = 0;
    virtual Result<v1::People> people(const std::string& name, const std::string& unit) = 0;
    virtual Result<void> seal_keys(const v1::SealKeyBatch& batch) = 0;

    virtual Result<void> enrol_code(const v1::CodeRequest& request) = 0;
    virtual Result<v1::EnrolOffer> enrol_begin(const v1::EnrolBegin& request) = 0;
    virtual Result<v1::EnrolResult> enrol_finish(const v1::EnrolFinish& request) = 0;
    virtual Result<v1::PendingDevices> pending() = 0;
    virtual Result<void> vouch(const v1::Voucher& voucher) = 0;
    virtual Result<void> revoke(const v1::Revocation& revocation) = 0;
};

}  // namespace nimes::agent::engine
