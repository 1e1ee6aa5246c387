#include "enrolment/enrolment.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "enrolment/codes.hpp"
#include "enrolment/limits.hpp"

namespace nimes::gateway::enrolment {
namespace {

constexpr std::size_t kMaxWaiting = 10'000;
constexpr std::size_t kMaxAddress = 320;

}  // namespace

struct Enrolment::Impl {
    Impl(const Needs& n, Key pepper, Policy p)
        : needs(n),
          policy(p),
          codes(n.store, std::move(pepper), n.random, policy),
          tickets(n.store),
          per_address(policy.codes_per_address, policy.code_life),
          per_stranger(policy.codes_per_address, policy.code_life),
          per_network(policy.requests_per_network, policy.code_life),
          per_organisation(policy.codes_per_organisation, policy.code_life) {}

    void run();
    void send_code(const std::string& text);
    void post_code(const ServiceAddress& address);
    Result<Ticket> open_ticket(const UserId& user, const Begin& request, Millis now);
    Result<Outcome> certify(Ticket& ticket);
    [[nodiscard]] bool is_stale(const DeviceCert& cert) const;
    Result<Outcome> draft_anew(Ticket& ticket);
    [[nodiscard]] Millis not_before(Admission admission, Millis now) const {
        return admission == Admission::first ? now : now + policy.device_hold;
    }

    const Needs needs;
    const Policy policy;
    Codes codes;
    Tickets tickets;
    Limits per_address, per_stranger, per_network, per_organisation;
    std::mutex steps;  // begin, finish, vouch: one at a time

    std::mutex mutex;
    std::condition_variable wake;
    std::deque<std::string> waiting;
    bool stopping = false;
    std::thread thread;
};

Enrolment::Enrolment(const Needs& needs, Key pepper, Policy policy)
    : impl_(std::make_unique<Impl>(needs, std::move(pepper), policy)) {}
Enrolment::~Enrolment() { stop(); }

void Enrolment::start() {
    impl_->thread = std::thread([this] { impl_->run(); });
}

void Enrolment::stop() {
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->stopping = true;
    }
    impl_->wake.notify_all();
    if (impl_->thread.joinable()) impl_->thread.join();
}

Result<void> Enrolment::request_code(const std::string& address, const std::string& peer) {
    if (!impl_->per_network.take(network_of(peer), impl_->needs.clock.boot())) return fail(Errc::rate_limited);
    if (address.size() > kMaxAddress) return fail(Errc::malformed, "an address is shorter");
    {
        const std::lock_guard lock(impl_->mutex);
        if (impl_->waiting.size() >= kMaxWaiting) return fail(Errc::unavailable);
        impl_->waiting.push_back(address);
    }
    impl_->wake.notify_one();
    return {};
}

void Enrolment::Impl::run() {
    for (;;) {
        std::string address;
        {
            std::unique_lock lock(mutex);
            wake.wait(lock, [this] { return stopping || !waiting.empty(); });
            if (stopping) return;
            address = std::move(waiting.front());
            waiting.pop_front();
        }
        try {
            send_code(address);
        } catch (const std::exception&) {
            needs.log.error("code_request_failed");
        }
    }
}

// Strangers cost what others cost, and have limits of their own: they cannot use up the memory of the others'.
void Enrolment::Impl::send_code(const std::string& text) {
    const auto address = ServiceAddress::parse(text);
    if (address && needs.roster.find(*address)) return post_code(*address);
    if (address && per_stranger.take(address->text(), needs.clock.boot()))
        if (auto ok = codes.pretend(*address); !ok)
            needs.log.error("code_not_stored", {{"code", ok.error().row().name}});
    needs.metrics.enrolments.with({"not_on_roster"}).add();
}

// Nothing is counted for a mail that does not go: who asks while the organisation's are used up keeps their own. Only
// this thread takes of either.
void Enrolment::Impl::post_code(const ServiceAddress& address) {
    const auto now = needs.clock.boot();
    if (!per_address.has(address.text(), now)) return needs.metrics.enrolments.with({"address_limited"}).add();
    if (!per_organisation.take(std::string(address.domain()), now))
        return needs.metrics.enrolments.with({"organisation_limited"}).add();
    (void)per_address.take(address.text(), now);
    const auto code = codes.issue(address, needs.clock.now());
    if (!code) return needs.log.error("code_not_stored", {{"code", code.error().row().name}});
    needs.post.send_code(address, *code);
}

Result<Offer> Enrolment::begin(const Begin& request, const std::string& peer) {
    if (!impl_->per_network.take(network_of(peer), impl_->needs.clock.boot())) return fail(Errc::rate_limited);
    if (request.role == DeviceRole::personal && !impl_->policy.private_devices)
        return fail(Errc::forbidden, "private devices are not allowed here");
    const auto address = ServiceAddress::parse(request.address);
    if (!address) return fail(Errc::code_wrong);
    const auto now = impl_->needs.clock.now();
    const std::lock_guard lock(impl_->steps);
    if (auto ok = impl_->codes.redeem(*address, request.code, request.identity, now); !ok) {
        impl_->needs.metrics.enrolments.with({ok.error().row().name}).add();
        // "Too many tries" would tell a stranger that a code was sent, and so that the address is on the roster.
        return fail(ok.error().code == Errc::code_exhausted ? Errc::code_wrong : ok.error().code);
    }
    const auto user = impl_->needs.roster.find(*address);
    if (!user) return fail(Errc::code_wrong);  // left the roster since
    auto ticket = impl_->open_ticket(*user, request, now);
    if (!ticket) return pass(ticket);
    return Offer{ticket->id, ticket->cert.body()};
}

// The same key gets the same ticket again: its answer may have been lost.
Result<Ticket> Enrolment::Impl::open_ticket(const UserId& user, const Begin& request, Millis now) {
    auto open = tickets.of_user(user, now);
    if (!open) return pass(open);
    for (auto& ticket : *open)
        if (ticket.cert.identity == request.identity) return std::move(ticket);
    const auto admission = needs.roster.next_admission(user);
    auto cert = needs.roster.draft(user, request.identity, request.role, admission, request.platform,
                                   not_before(admission, now));
    if (!cert) return pass(cert);
    Ticket ticket{needs.random.id<TicketId>(), now + policy.ticket_life, std::move(*cert), false};
    if (auto ok = tickets.put(ticket); !ok) return pass(ok);
    return ticket;
}

Result<Outcome> Enrolment::finish(const TicketId& id, const Signature& self_signature) {
    const std::lock_guard lock(impl_->steps);
    auto ticket = impl_->tickets.find(id, impl_->needs.clock.now());
    if (!ticket) return pass(ticket);
    auto probe = ticket->cert;
    probe.self_signature = self_signature;
    if (!verify_cert_self(probe)) {
        // A body that was drafted anew is signed anew; anything else is a fault of the caller.
        if (ticket->is_signed() || ticket->complete) return fail(Errc::signature_invalid);
        Outcome out;
        out.body = ticket->cert.body();
        return out;
    }
    ticket->cert = std::move(probe);
    return impl_->certify(*ticket);
}

Result<Outcome> Enrolment::Impl::certify(Ticket& ticket) {
    if (!ticket.complete && is_stale(ticket.cert)) return draft_anew(ticket);
    Outcome out;
    if (ticket.cert.admission != Admission::first && ticket.cert.voucher.is_zero()) {
        if (auto ok = tickets.put(ticket); !ok) return pass(ok);
        out.waiting_for = ticket.cert.admission == Admission::vouched ? Errc::voucher_needed : Errc::approval_needed;
        return out;
    }
    auto cert = needs.roster.certify(ticket.cert);
    if (!cert && cert.error().code == Errc::storage_conflict) return draft_anew(ticket);
    if (!cert) {
        needs.metrics.enrolments.with({cert.error().row().name}).add();
        return pass(cert);
    }
    if (!ticket.complete) needs.metrics.enrolments.with({"ok"}).add();
    ticket.complete = true;
    if (auto ok = tickets.put(ticket); !ok) return pass(ok);
    out.person = needs.roster.person_record(cert->user);
    out.certificate = std::move(*cert);
    return out;
}

// The hold counts from the issue: once half of it is over, the body takes new dates. And who waits for a voucher when
// the last device that could give it is gone, or for an approval when there is one again, would wait for ever.
bool Enrolment::Impl::is_stale(const DeviceCert& cert) const {
    if (cert.admission == Admission::first) return false;
    if (needs.roster.identity_of(cert.device)) return false;  // issued already, only the answer was lost
    const bool late = policy.device_hold > 0 && needs.clock.now() + policy.device_hold / 2 > cert.not_before;
    return late || (cert.voucher.is_zero() && needs.roster.next_admission(cert.user) != cert.admission);
}

// All signatures are due again: the body is stale, or another device of this person joined or left meanwhile and took
// the sequence number. An administrator approves a device, not dates: where nothing else has changed that stands.
Result<Outcome> Enrolment::Impl::draft_anew(Ticket& ticket) {
    const auto& old = ticket.cert;
    const auto admission = needs.roster.next_admission(old.user);
    auto cert = needs.roster.draft(old.user, old.identity, old.role, admission, old.platform,
                                   not_before(admission, needs.clock.now()));
    if (!cert) return pass(cert);
    if (admission == Admission::approved && old.admission == admission && old.seq == cert->seq &&
        !old.voucher.is_zero())
        std::tie(cert->voucher, cert->voucher_signature) = needs.roster.approve(*cert);
    ticket.cert = std::move(*cert);
    if (auto ok = tickets.put(ticket); !ok) return pass(ok);
    Outcome out;
    out.body = ticket.cert.body();
    return out;
}

Result<std::vector<Bytes>> Enrolment::pending(const UserId& user) {
    const std::lock_guard lock(impl_->steps);
    const auto open = impl_->tickets.of_user(user, impl_->needs.clock.now());
    if (!open) return fail(open.error().code);
    std::vector<Bytes> out;
    for (const auto& ticket : *open)
        if (ticket.is_signed() && ticket.cert.admission == Admission::vouched && ticket.cert.voucher.is_zero())
            out.push_back(ticket.cert.body());
    return out;
}

Result<void> Enrolment::vouch(const UserId& user, const DeviceId& by, const DeviceId& device,
                              const Signature& signature) {
    const std::lock_guard lock(impl_->steps);
    const auto open = impl_->tickets.of_user(user, impl_->needs.clock.now());
    if (!open) return fail(open.error().code);
    const auto identity = impl_->needs.roster.identity_of(by);
    if (!identity) return fail(Errc::device_unknown);
    for (auto ticket : *open) {
        if (ticket.cert.device != device || ticket.cert.admission != Admission::vouched) continue;
        // Policy may have changed since it was drafted: then it is drafted anew when the new device asks.
        if (impl_->needs.roster.next_admission(user) != Admission::vouched)
            return fail(Errc::forbidden, "an administrator lets further devices in");
        ticket.cert.voucher = by;
        ticket.cert.voucher_signature = signature;
        if (!verify_cert_voucher_device(ticket.cert, *identity)) return fail(Errc::signature_invalid);
        return impl_->tickets.put(ticket);
    }
    return fail(Errc::not_found, "no such device waits for a voucher");
}

Result<std::vector<DeviceCert>> Enrolment::waiting() {
    const std::lock_guard lock(impl_->steps);
    auto all = impl_->tickets.open(impl_->needs.clock.now());
    if (!all) return pass(all);
    std::vector<DeviceCert> out;
    for (const auto& ticket : *all)
        if (ticket.is_signed() && ticket.cert.admission == Admission::approved && ticket.cert.voucher.is_zero())
            out.push_back(ticket.cert);
    return out;
}

Result<void> Enrolment::approve(const DeviceId& device) {
    const std::lock_guard lock(impl_->steps);
    auto all = impl_->tickets.open(impl_->needs.clock.now());
    if (!all) return pass(all);
    for (auto& ticket : *all) {
        if (ticket.cert.device != device || ticket.cert.admission != Admission::approved || !ticket.is_signed())
            continue;
        std::tie(ticket.cert.voucher, ticket.cert.voucher_signature) = impl_->needs.roster.approve(ticket.cert);
        return impl_->tickets.put(ticket);
    }
    return fail(Errc::not_found, "no such device waits for an approval");
}

Result<void> Enrolment::expire() {
    const auto now = impl_->needs.clock.now();
    if (auto ok = impl_->codes.expire(now); !ok) return ok;
    const std::lock_guard lock(impl_->steps);
    return impl_->tickets.expire(now);
}

}  // namespace nimes::gateway::enrolment
