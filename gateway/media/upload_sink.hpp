// The body of a PATCH or POST on its way to disk. What came before a cut is kept: that is what tus is for; but not
// under a checksum, for what was not verified was never there. As http::BodySink says. Private to this room.
#pragma once

#include "media/checksum.hpp"
#include "media/routes.hpp"

namespace nimes::gateway::media {

// Answers with tus's fields.
http::Response refuse(const Error& error);
void set_progress(http::Response& response, const MediumHead& head);

class UploadSink final : public http::BodySink {
  public:
    // `location`: of a POST, which is answered by 201.
    UploadSink(const Media& media, UploadWriter writer, std::optional<Checksum> checksum, std::string location);
    ~UploadSink() override;

    std::span<std::uint8_t> room() override;
    bool took(std::size_t n) override;
    std::optional<http::Response> work() override;
    http::Response finish() override;
    void cut() override;

  private:
    void digest();
    http::Response ended(http::Response response);

    const Media media_;
    std::optional<UploadWriter> writer_;  // none once it is answered
    std::optional<Checksum> checksum_;
    std::string location_;
    std::span<std::uint8_t> fresh_;  // of room(): taken and not digested yet
    std::span<std::uint8_t> room_;
};

}  // namespace nimes::gateway::media
