#include "shop.hpp"

#include <algorithm>

namespace disasters {
namespace {

constexpr std::uint64_t kLength = 1'500'000;
const BlobId kBlob = made<BlobId>(77);
const DeviceId kOwner = made<DeviceId>(10);
const UserId kPerson = made<UserId>(10);

Bytes content() {
    Bytes out(kLength);
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint8_t>(i * 31 >> 3);
    return out;
}

std::uint8_t user_of(std::uint8_t device) { return static_cast<std::uint8_t>(device / 10); }

// Of device 10, 20, …: to user `to`, with a payload that tells it from every other.
v1::Submit letter(std::uint8_t device, std::uint8_t id, std::uint8_t to) {
    return mailbox::Post::pair_message(id, user_of(device), to, id);
}

}  // namespace

Shop::Shop() : disk_(std::make_shared<BadDisk>(folder_.path / "shadow")) {}
Shop::~Shop() { close(); }

Result<void> Shop::open() {
    close();
    store::RocksOptions options;
    options.floor_bytes = 0;
    options.files = disk_;
    auto opened = store::open_rocksdb(path(), options);
    if (!opened) return pass(opened);
    store_ = std::move(*opened);
    committer_ = std::make_unique<mailbox::Committer>(*store_, people_, links_, options_);
    auto media = media::MediaStore::open({*store_, clock_}, {});
    if (!media) return pass(media);
    media_ = std::move(*media);
    return {};
}

void Shop::close() {
    media_.reset();
    committer_.reset();
    store_.reset();
}

Result<void> Shop::submit(std::uint8_t device, const v1::Submit& submit) {
    v1::Up up;
    *up.mutable_submit() = submit;
    auto decoded = mailbox::decode_up(made<DeviceId>(device), as_bytes(up.SerializeAsString()));
    REQUIRE(std::holds_alternative<mailbox::Command>(decoded));
    const mailbox::Waiting waiting{made<DeviceId>(device),
                                   std::get<mailbox::Submit>(std::get<mailbox::Command>(decoded))};
    auto outcome = committer_->commit(std::span(&waiting, 1), mailbox::kStart).front();
    if (!outcome.accepted) return outcome.accepted;
    if (!outcome.repeated) promised_.push_back({waiting.sender, submit, outcome.delivered});
    return {};
}

Result<void> Shop::write_some(std::uint8_t first) {
    for (std::uint8_t i = 0; i < 4; ++i) {
        if (auto ok = submit(10, letter(10, static_cast<std::uint8_t>(first + 2 * i), 2)); !ok) return ok;
        if (auto ok = submit(20, letter(20, static_cast<std::uint8_t>(first + 2 * i + 1), 3)); !ok) return ok;
        if (i != 1) continue;
        // One of user 2's two devices says that it has what came so far.
        const auto device = made<DeviceId>(21);
        auto mark = committer_->mailboxes().next(device, mailbox::Lane::chat);
        if (!mark) return pass(mark);
        acknowledged_[device] = letters_to(device);
        if (auto ok = committer_->mailboxes().acknowledge(device, {mailbox::Lane::chat, *mark - 1}); !ok) return ok;
    }
    return {};
}

std::uint64_t Shop::letters_to(const DeviceId& device) const {
    return static_cast<std::uint64_t>(std::count_if(promised_.begin(), promised_.end(), [&](const Promised& p) {
        return std::find(p.recipients.begin(), p.recipients.end(), device) != p.recipients.end();
    }));
}

Result<void> Shop::upload(std::size_t until) {
    if (!created_) {
        if (auto head = media_->create(kBlob, {kPerson, kOwner}, {kLength, false}); !head) return pass(head);
        created_ = true;
    }
    const auto bytes = content();
    auto writer = media_->write(kBlob, kOwner, {});
    if (!writer) return pass(writer);
    while (writer->offset() < until) {
        const auto at = static_cast<std::size_t>(writer->offset());
        if (auto ok = writer->append(ByteView(bytes).subspan(at, std::min<std::size_t>(199'999, until - at))); !ok)
            return ok;
        auto offset = writer->flush();
        if (!offset) return pass(offset);
        published_ = *offset;
    }
    return {};
}

void Shop::work() {
    if (!open() || !write_some(1) || !upload(700'000)) return;
    close();
    if (!open() || !write_some(21) || !upload(kLength)) return;
    close();
    if (!open()) return;
    (void)write_some(41);
}

Result<void> Shop::go_on() {
    if (!media_)
        if (auto ok = open(); !ok) return ok;
    const auto before = promised_;  // submit() adds to it
    for (const auto& p : before)
        if (auto ok = submit(p.sender.bytes[0], p.submit); !ok) return ok;
    if (auto ok = submit(30, letter(30, static_cast<std::uint8_t>(100 + before.size()), 4)); !ok) return ok;
    return upload(kLength);
}

void Shop::judge() {
    close();
    REQUIRE(open());
    judge_mailboxes();
    judge_media();
    close();
}

void Shop::judge_mailboxes() {
    std::map<DeviceId, std::vector<const Promised*>> owed;
    for (const auto& p : promised_)
        for (const auto& device : p.recipients) owed[device].push_back(&p);
    for (const auto& [device, letters] : owed) {
        auto entries = committer_->mailboxes().entries(device, mailbox::Lane::chat, 0, 1'000).value();
        std::map<std::pair<DeviceId, MessageId>, std::uint64_t> there;
        for (const auto& e : entries) {
            CHECK(there.emplace(std::pair(e.body.sender, e.body.id), e.sequence).second);  // none twice
            const auto body = store_->get(e.body.partition(), e.body.key()).value();
            REQUIRE(body);  // no entry without what it points at
            CHECK(mailbox::Body::parse(*body));
        }
        // Acknowledgements may be lost, entries may not: what stands behind the mark is there, in order.
        std::uint64_t last = 0;
        for (std::size_t i = static_cast<std::size_t>(acknowledged_[device]); i < letters.size(); ++i) {
            const auto id = MessageId::from(as_bytes(letters[i]->submit.message_id()));
            const auto at = there.find({letters[i]->sender, id});
            REQUIRE(at != there.end());
            CHECK(at->second > last);
            last = at->second;
        }
        CHECK(committer_->mailboxes().next(device, mailbox::Lane::chat).value() > last);
    }
}

void Shop::judge_media() {
    if (published_ == 0) return;
    const auto bytes = content();
    const auto head = media_->take_over(kBlob, kOwner).value();
    REQUIRE(head.offset >= published_);
    for (std::uint64_t at = 0; at < head.offset; at += media::kBlock) {
        Bytes block(static_cast<std::size_t>(std::min<std::uint64_t>(media::kBlock, head.offset - at)));
        REQUIRE(media_->read(kBlob, head, at, block).value() == block.size());
        const auto known = static_cast<std::ptrdiff_t>(block.size());
        REQUIRE(std::equal(block.begin(), block.begin() + known, bytes.begin() + static_cast<std::ptrdiff_t>(at)));
    }
}

}  // namespace disasters
