// The real mailbox and media rooms on a real RocksDB on a bad disk, and a note of everything they promised.
//
// `work()` does the same each time: grants, messages, acknowledgements, a group, an upload in pieces, and a restart
// between. It stops at the first failure. `judge()` opens the folder again, without any help, and holds what is there
// against what was promised.
#pragma once

#include "../mailbox/post.hpp"
#include "../store/folder.hpp"
#include "bad_disk.hpp"
#include "media/media_store.hpp"

namespace disasters {

using namespace nimes;
using namespace nimes::gateway;
using mailbox::made;

struct Promised {
    DeviceId sender;
    v1::Submit submit;
    std::vector<DeviceId> recipients;
};

struct FixedClock final : Clock {
    Millis now() const override { return mailbox::kStart; }
    Millis boot() const override { return mailbox::kStart; }
};

class Shop {
  public:
    Shop();
    ~Shop();

    [[nodiscard]] BadDisk& disk() { return *disk_; }
    Result<void> open();
    void close();
    // All of it, or until something fails. What was promised is kept in this object.
    void work();
    // Once more, whatever the disk did: the same submissions again, and a new one; the upload to its end.
    Result<void> go_on();
    // After the power came back: opens anew and checks every promise; closes again.
    void judge();
    Result<void> submit(std::uint8_t device, const v1::Submit& submit);
    [[nodiscard]] const std::vector<Promised>& promised() const { return promised_; }
    [[nodiscard]] std::filesystem::path path() const { return folder_.path / "store"; }

  private:
    Result<void> write_some(std::uint8_t first);
    [[nodiscard]] std::uint64_t letters_to(const DeviceId& device) const;
    Result<void> upload(std::size_t until);
    void judge_mailboxes();
    void judge_media();

    folders::Folder folder_;
    std::shared_ptr<BadDisk> disk_;
    FixedClock clock_;
    mailbox::FakePeople people_;
    mailbox::FakeMedia links_;
    mailbox::Options options_;
    std::unique_ptr<store::Store> store_;
    std::unique_ptr<mailbox::Committer> committer_;
    std::unique_ptr<media::MediaStore> media_;
    std::vector<Promised> promised_;
    std::map<DeviceId, std::uint64_t> acknowledged_;  // how many letters
    std::uint64_t published_ = 0;                     // upload offset
    bool created_ = false;
};

}  // namespace disasters
