// A medium at rest: HOME/media/<32 hex digits>.sealed, the sealed chunks as they travel (FORMATS.md, "Media"); its key
// and digest lie in the container. While it is being written its name ends in ".part".
// Errors: Errc::storage, disk_full. Threads: one for each file.
#pragma once

#include <filesystem>

#include "nimes/blob.hpp"

namespace nimes::agent::media {

// What a message tells of a medium: nimes.v1.MediaRef in types. `key` opens it.
struct BlobReference {
    BlobId blob;
    ConversationId conversation;
    Key key;
    std::uint64_t plain_length = 0;
    std::uint64_t padded_length = 0;
    Digest digest;

    [[nodiscard]] BlobShape shape() const { return {blob, conversation, padded_length}; }
    // Errc::malformed unless padded_length is what plain_length is padded to and at most `max_padded`.
    Result<void> check(std::uint64_t max_padded = 4ULL << 30) const;
};

std::filesystem::path sealed_path(const std::filesystem::path& media, const BlobId& blob);
std::filesystem::path part_path(const std::filesystem::path& media, const BlobId& blob);
// Makes the directory, mode 0700.
Result<void> make_media_directory(const std::filesystem::path& media);

// A file descriptor that closes itself.
class File {
  public:
    static Result<File> create(const std::filesystem::path& path);      // mode 0600, truncated
    static Result<File> create_new(const std::filesystem::path& path);  // Errc::exists when it is there
    static Result<File> read(const std::filesystem::path& path);        // Errc::not_found
    File(File&& other) noexcept;
    File& operator=(File&& other) noexcept;
    ~File();

    Result<void> write(ByteView bytes);
    Result<void> seek(std::uint64_t offset);
    // Fills `into` or stops at the end.
    Result<std::size_t> read(std::span<std::uint8_t> into);
    [[nodiscard]] Result<std::uint64_t> size() const;
    Result<void> sync();

  private:
    explicit File(int fd) : fd_(fd) {}
    int fd_ = -1;
};

// Renames and syncs the directory, so that the name is there after a power cut.
Result<void> rename_durably(const std::filesystem::path& from, const std::filesystem::path& to);
// All of it is there under this name afterwards, or what was there before. Writes NAME.part beside it first.
Result<void> write_durably(const std::filesystem::path& file, ByteView bytes);

}  // namespace nimes::agent::media
