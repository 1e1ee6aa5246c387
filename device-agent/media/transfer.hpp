// What the media room needs of a network: the engine implements it on the transport room.
#pragma once

#include <filesystem>
#include <functional>
#include <stop_token>

#include "nimes/error.hpp"
#include "nimes/ids.hpp"

namespace nimes::agent::media {

using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;

class Transfer {
  public:
    virtual ~Transfer() = default;
    // Returns when the gateway has the whole file. May be repeated after any error; goes on where it stood.
    virtual Result<void> upload(const BlobId& id, const std::filesystem::path& file, const Progress& progress,
                                const std::stop_token& stop) = 0;
    // Returns when `file` holds exactly `size` bytes. May be repeated after any error; goes on where it stood.
    virtual Result<void> download(const BlobId& id, const std::filesystem::path& file, std::uint64_t size,
                                  const Progress& progress, const std::stop_token& stop) = 0;
    // Exactly `length` bytes from `from` on, of a medium of `size` bytes, in memory.
    virtual Result<Bytes> piece(const BlobId&, std::uint64_t /*size*/, std::uint64_t /*from*/, std::size_t /*length*/,
                                const std::stop_token&) {
        return fail(Errc::offline);
    }
};

}  // namespace nimes::agent::media
