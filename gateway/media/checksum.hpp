// tus checksum: "Upload-Checksum: sha1 BASE64" of one request's body. Hostile input; values, thread-confined.
//
// SHA-1 is here because tus demands it; it guards against accidents, and against nobody (NM1 does that).
// Errors: Errc::checksum_unknown for another algorithm, malformed for a value that is none of it.
#pragma once

#include <memory>
#include <optional>

#include "http/request.hpp"

namespace nimes::gateway::media {

inline constexpr std::string_view kChecksums = "sha1,sha256";

class Checksum {
  public:
    // nullopt: the field is not there.
    static Result<std::optional<Checksum>> from(const http::Headers& headers);
    Checksum(Checksum&&) noexcept;
    Checksum& operator=(Checksum&&) noexcept;
    ~Checksum();

    void add(ByteView bytes);
    // Once, at the end: is it what was announced?
    [[nodiscard]] bool fits();

  private:
    struct State;
    explicit Checksum(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace nimes::gateway::media
