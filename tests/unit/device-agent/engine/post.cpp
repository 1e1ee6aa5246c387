#include "post.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "nimes/grant.hpp"
#include "write_points.hpp"

namespace nimes::test {

Post::Post(const Town& town, std::filesystem::path file) : town_(town), file_(std::move(file)) {
    std::ifstream stream(file_, std::ios::binary);
    const Bytes all{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
    for (Reader in(all); in.left() > 0;) {
        const auto kind = static_cast<Kind>(in.u8());
        const auto who = in.u8();
        read(kind, who, in.take(in.u32()));
    }
}

// One write: the process dies before it or after it.
void Post::append(Kind kind, std::size_t who, ByteView bytes) {
    Writer out;
    out.u8(static_cast<std::uint8_t>(kind)).u8(static_cast<std::uint8_t>(who));
    out.u32(static_cast<std::uint32_t>(bytes.size())).bytes(bytes);
    write_point();
    const int fd = ::open(file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (::write(fd, out.view().data(), out.size()) != static_cast<ssize_t>(out.size())) std::abort();
    ::close(fd);
    write_point();
    read(kind, who, bytes);
}

void Post::read(Kind kind, std::size_t who, ByteView bytes) {
    if (kind == Kind::note) notes_.insert(std::string(as_text(bytes)));
    Reader in(bytes);
    if (kind == Kind::acknowledgement) held_[who] = std::max(held_[who], in.u64());
    if (kind != Kind::up) return;
    const auto now = in.u64();
    const bool grants_lost = in.u8() != 0;
    const auto packet = to_bytes(in.take(in.left()));
    submissions_.emplace_back(who, packet);
    v1::Up up;
    if (!up.ParseFromArray(packet.data(), static_cast<int>(packet.size())) || !up.has_submit()) std::abort();
    const auto id = MessageId::from(as_bytes(up.submit().message_id()));
    if (first_.emplace(std::pair(who, id), packet).second) deliver(who, up.submit(), now, grants_lost);
}

bool Post::submit(std::size_t from, const Bytes& up, Millis now) {
    append(Kind::up, from, std::move(Writer().u64(now).u8(loses_grants ? 1 : 0).bytes(up)).take());
    v1::Up parsed;
    (void)parsed.ParseFromArray(up.data(), static_cast<int>(up.size()));
    return first_.at({from, MessageId::from(as_bytes(parsed.submit().message_id()))}) == up;
}

void Post::deliver(std::size_t from, const v1::Submit& submit, Millis now, bool grants_lost) {
    for (std::size_t to = 0; to < town_.people.size(); ++to) {
        const auto& person = town_.people[to];
        if (to == from) continue;
        if (!submit.device().empty() && submit.device() != raw(person.cert.device.view())) continue;
        v1::Envelope out;
        out.set_lane(submit.lane());
        out.set_received_ms(now);
        out.set_sender_user(raw(town_.people[from].user.view()));
        out.set_sender_device(raw(town_.people[from].cert.device.view()));
        out.set_conversation(submit.conversation());
        *out.mutable_users() = submit.users();
        out.set_message_id(submit.message_id());
        if (submit.has_grant()) {
            const auto upload = GrantUpload::parse(as_bytes(submit.grant())).value();
            for (std::size_t i = 0; i < upload.wraps.size(); ++i)
                if (upload.wraps[i].dev_no == person.dev_no) out.set_grant(raw(upload.delivered(i)));
            if (!out.has_grant() || (grants_lost && submit.device().empty())) continue;
        }
        if (submit.has_message()) out.set_message(submit.message());
        if (submit.has_control()) out.set_control(submit.control());
        if (submit.has_event()) out.set_event(submit.event());
        auto& box = boxes_[to];
        out.set_sequence(box.size() + 1);
        box.push_back(std::move(out));
    }
}

std::vector<v1::Envelope> Post::everything(std::size_t to) const {
    const auto at = boxes_.find(to);
    return at == boxes_.end() ? std::vector<v1::Envelope>{} : at->second;
}
std::vector<v1::Envelope> Post::mailbox(std::size_t to) const {
    auto out = everything(to);
    out.erase(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(std::min(acknowledged(to), out.size())));
    return out;
}
void Post::acknowledge(std::size_t by, std::uint64_t sequence) {
    append(Kind::acknowledgement, by, std::move(Writer().u64(sequence)).take());
}
std::uint64_t Post::acknowledged(std::size_t by) const {
    const auto at = held_.find(by);
    return at == held_.end() ? 0 : at->second;
}
bool Post::has(std::size_t from, const MessageId& id) const { return first_.contains({from, id}); }
void Post::note(const std::string& text) { append(Kind::note, 0, as_bytes(text)); }

}  // namespace nimes::test
