#include "enrolment/tickets.hpp"

namespace nimes::gateway::enrolment {
namespace {

constexpr std::size_t kMost = 100'000;  // rate limits keep it far below

store::Partition partition() { return {store::Family::enrolment, "tickets"}; }
std::string key(const TicketId& id) { return std::string(as_text(id.view())); }

// The certificate's parts apart: a certificate without signatures is none that DeviceCert::parse would take.
Bytes encode(const Ticket& t) {
    Writer out;
    out.u64(t.ends).u8(t.complete ? 1 : 0).bytes(t.cert.body()).id(t.cert.self_signature);
    out.id(t.cert.voucher).id(t.cert.voucher_signature);
    return std::move(out).take();
}

Result<Ticket> parse(std::string_view name, ByteView bytes) {
    Reader in(bytes);
    Ticket out;
    out.id = TicketId::from(as_bytes(name));
    out.ends = in.u64();
    out.complete = in.u8() != 0;
    auto cert = DeviceCert::parse_body(in.take(DeviceCert::kBody));
    if (!cert) return fail(Errc::storage, "a stored ticket is damaged");
    out.cert = std::move(*cert);
    out.cert.self_signature = in.id<Signature>();
    out.cert.voucher = in.id<DeviceId>();
    out.cert.voucher_signature = in.id<Signature>();
    if (!in.done()) return fail(Errc::storage, "a stored ticket is damaged");
    return out;
}

}  // namespace

Result<void> Tickets::put(const Ticket& ticket) {
    store::Batch batch(partition());
    batch.put(key(ticket.id), encode(ticket));
    return store_.commit(batch, store::Sync::yes);
}

Result<Ticket> Tickets::find(const TicketId& id, Millis now) {
    auto stored = store_.get(partition(), key(id));
    if (!stored) return pass(stored);
    if (!*stored) return fail(Errc::ticket_unknown);
    auto ticket = parse(key(id), **stored);
    if (ticket && now >= ticket->ends) return fail(Errc::ticket_unknown);
    return ticket;
}

Result<std::vector<Ticket>> Tickets::all() {
    auto rows = store_.scan(partition(), {}, {}, kMost);
    if (!rows) return pass(rows);
    std::vector<Ticket> out;
    for (const auto& row : *rows) {
        auto ticket = parse(row.key, row.value);
        if (!ticket) return pass(ticket);
        out.push_back(std::move(*ticket));
    }
    return out;
}

Result<std::vector<Ticket>> Tickets::open(Millis now) {
    auto tickets = all();
    if (tickets) std::erase_if(*tickets, [&](const Ticket& t) { return t.complete || now >= t.ends; });
    return tickets;
}

Result<std::vector<Ticket>> Tickets::of_user(const UserId& user, Millis now) {
    auto tickets = open(now);
    if (tickets) std::erase_if(*tickets, [&](const Ticket& t) { return t.cert.user != user; });
    return tickets;
}

Result<void> Tickets::expire(Millis now) {
    auto tickets = all();
    if (!tickets) return pass(tickets);
    store::Batch batch(partition());
    for (const auto& t : *tickets)
        if (now >= t.ends) batch.erase(key(t.id));
    if (batch.writes.empty()) return {};
    return store_.commit(batch, store::Sync::no);
}

}  // namespace nimes::gateway::enrolment
