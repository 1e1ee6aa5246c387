// The engine's network of which a test answers the look-ups alone.
#pragma once

#include <functional>

#include "engine/network.hpp"

namespace nimes::agent::engine {

// Answers look-ups as the test says; nothing else is asked of it.
struct LookupOnly : Network {
    std::function<Result<v1::LookupAnswer>(const v1::LookupRequest&)> says;
    int asked = 0;

    template <class T>
    static Result<T> no() {
        return fail(Errc::unavailable);
    }
    Result<v1::LookupAnswer> lookup(const v1::LookupRequest& r) override {
        ++asked;
        return says(r);
    }
    Result<v1::HeadAnswer> head(std::uint64_t) override { return no<v1::HeadAnswer>(); }
    Result<v1::OldHeadAnswer> old_head(std::uint64_t, std::uint64_t) override { return no<v1::OldHeadAnswer>(); }
    Result<v1::ConversationEvents> events(const ConversationId&, std::uint64_t) override {
        return no<v1::ConversationEvents>();
    }
    Result<v1::People> people(const std::string&, const std::string&) override { return no<v1::People>(); }
    Result<void> seal_keys(const v1::SealKeyBatch&) override { return no<void>(); }
    Result<void> enrol_code(const v1::CodeRequest&) override { return no<void>(); }
    Result<v1::EnrolOffer> enrol_begin(const v1::EnrolBegin&) override { return no<v1::EnrolOffer>(); }
    Result<v1::EnrolResult> enrol_finish(const v1::EnrolFinish&) override { return no<v1::EnrolResult>(); }
    Result<v1::PendingDevices> pending() override { return no<v1::PendingDevices>(); }
    Result<void> vouch(const v1::Voucher&) override { return no<void>(); }
    Result<void> revoke(const v1::Revocation&) override { return no<void>(); }
    Result<void> upload(const BlobId&, const std::filesystem::path&, const media::Progress&,
                        const std::stop_token&) override {
        return no<void>();
    }
    Result<void> download(const BlobId&, const std::filesystem::path&, std::uint64_t, const media::Progress&,
                          const std::stop_token&) override {
        return no<void>();
    }
};

}  // namespace nimes::agent::engine
