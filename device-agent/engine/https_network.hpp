// The gateway over HTTPS, in the engine's words.
//
// Threads: any (libcurl's handle is guarded). Errors: what the gateway's problem+json names; Errc::offline, timed_out.
#pragma once

#include "engine/core.hpp"
#include "engine/network.hpp"
#include "transport/range_download.hpp"
#include "transport/tus_upload.hpp"

namespace nimes::agent::engine {

class HttpsNetwork final : public Network {
  public:
    // `token` is called for each request that wants one; `on_time` with the gateway's time whenever it said it.
    using OnTime = std::function<void(Millis server)>;
    HttpsNetwork(const Provisioning& provisioning, transport::TokenSource token, OnTime on_time, const Clock& clock,
                 RandomSource& random);

    Result<transport::ServiceStatus> status() override;
    Result<void> wake(const std::string& endpoint) override;
    Result<void> remove(const BlobId& blob) override;
    Result<v1::LookupAnswer> lookup(const v1::LookupRequest& request) override;
    Result<v1::HeadAnswer> head(std::uint64_t held) override;
    Result<v1::OldHeadAnswer> old_head(std::uint64_t revision, std::uint64_t under) override;
    Result<v1::ConversationEvents> events(const ConversationId& id, std::uint64_t from) override;
    Result<v1::People> people(const std::string& name, const std::string& unit) override;
    Result<void> seal_keys(const v1::SealKeyBatch& batch) override;

    Result<void> enrol_code(const v1::CodeRequest& request) override;
    Result<v1::EnrolOffer> enrol_begin(const v1::EnrolBegin& request) override;
    Result<v1::EnrolResult> enrol_finish(const v1::EnrolFinish& request) override;
    Result<v1::PendingDevices> pending() override;
    Result<void> vouch(const v1::Voucher& voucher) override;
    Result<void> revoke(const v1::Revocation& revocation) override;

    // A revision of the directory whole, as it comes; more than `most` bytes are Errc::too_large.
    Result<void> dump(std::uint64_t revision, std::uint64_t most, const transport::HttpsRequest::Writer& writer,
                      const std::stop_token& stop);

    Result<void> upload(const BlobId& id, const std::filesystem::path& file, const media::Progress& progress,
                        const std::stop_token& stop) override;
    Result<void> download(const BlobId& id, const std::filesystem::path& file, std::uint64_t size,
                          const media::Progress& progress, const std::stop_token& stop) override;
    Result<Bytes> piece(const BlobId& id, std::uint64_t size, std::uint64_t from, std::size_t length,
                        const std::stop_token& stop) override;

  private:
    template <class Answer>
    Result<Answer> get(const std::string& path);
    template <class Answer, class Request>
    Result<Answer> post(const std::string& path, const Request& request, bool with_token);
    // A token that is too old or too young: our clock is wrong, and the gateway says by how much. True: try again.
    bool clock_was_wrong(const Error& error);

    const transport::HttpsOptions options_;
    const transport::TokenSource token_;
    const OnTime on_time_;
    const Clock& clock_;
    RandomSource& random_;
    std::mutex mutex_;
    transport::HttpsClient client_;  // for small requests, one at a time; transfers have their own
};

}  // namespace nimes::agent::engine
