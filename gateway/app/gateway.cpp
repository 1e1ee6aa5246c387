#include "app/gateway.hpp"

#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "admin/routes.hpp"
#include "app/adapters.hpp"
#include "app/admin_groups.hpp"
#include "app/brokers.hpp"
#include "app/custody.hpp"
#include "app/housekeeping.hpp"
#include "app/options.hpp"
#include "app/pages.hpp"
#include "app/revocation_hands.hpp"
#include "directory/provisioning.hpp"
#include "directory/routes.hpp"
#include "enrolment/mailer.hpp"
#include "enrolment/routes.hpp"
#include "http/server.hpp"
#include "mailbox/routes.hpp"
#include "media/routes.hpp"
#include "nimes/encoding.hpp"
#include "nimes/version.hpp"
#include "revocation/routes.hpp"
#include "shares/routes.hpp"
#include "store/rocksdb_store.hpp"
#include "version.hpp"
#include "wake/routes.hpp"

namespace nimes::gateway::app {
namespace {

Result<std::string> read_text(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    if (!in) return fail(Errc::bad_config, "cannot read " + path.string());
    return out.str();
}

operations::Level level_of(const std::string& name) {
    if (name == "debug") return operations::Level::debug;
    if (name == "warning") return operations::Level::warning;
    return name == "error" ? operations::Level::error : operations::Level::info;
}

// Codes are hashed under a key that is not in the store.
Key pepper_of(const directory::OrgSecrets& secrets) {
    return Key(keyed_hash("nimes/pepper", {secrets.org.view()}, secrets.address_secret.view()).view());
}

http::Listen listen_at(http::Listen::Kind kind, const Endpoint& at) {
    http::Listen out;
    out.kind = kind;
    out.address = at.address;
    out.port = at.port;
    return out;
}

Result<std::string> mail_password(const Config& config) {
    if (config.smtp.password_file.empty()) return std::string{};
    auto text = read_text(config.smtp.password_file);
    if (text)
        while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
    return text;
}

}  // namespace

// In the order of making; ends in the reverse one.
struct Gateway::Impl {
    Impl(const Config& c, std::unique_ptr<store::Store> s) : config(c), store(std::move(s)) {}

    Result<void> open(directory::OrgSecrets secrets);
    Result<void> make_rooms();
    Result<void> make_shares();
    Result<void> make_policy();
    Result<Bytes> provisioning() const;
    void observe_directory();
    void add_pages();
    Result<void> start();
    void stop();
    void wait_for_end();

    const Config config;
    SystemClock clock;
    SystemRandom random;
    operations::Metrics metrics{kVersion, kCommit};
    operations::Log log{clock, level_of(config.operations.log_level)};
    operations::Health health;
    std::unique_ptr<store::Store> store;

    std::unique_ptr<directory::Directory> directory;
    std::unique_ptr<audit::Log> audit;
    std::unique_ptr<admin::Organisation> organisation;
    std::optional<RightsPeople> rights_people;
    std::unique_ptr<rights::Administrators> administrators;
    std::unique_ptr<media::MediaStore> media;

    std::optional<directory::PolicyBook> policy;
    std::optional<MailboxPeople> people;
    std::optional<MailboxMedia> media_links;
    MailboxOutlet outlet;
    std::optional<wake::Endpoints> endpoints;  // nullopt: nobody is woken
    std::optional<wake::Waker> waker;
    MailboxDoorbell doorbell;
    std::optional<EnrolmentRoster> roster;
    std::optional<AdminRegistry> registry;
    std::optional<AdminApprovals> approvals;
    std::optional<AdminWipes> admin_wipes;
    std::optional<AdminGroups> admin_groups;
    std::optional<ShareDevices> share_devices;
    std::optional<OrgSigner> signer;
    std::optional<FarewellGate> gate;
    std::optional<shares::WipeOrders> wipes;
    std::optional<shares::Shares> shares;
    std::optional<DirectoryMirror> mirror;
    std::optional<TokenAuthoriser> authoriser;

    std::optional<mailbox::EventLog> event_log;
    std::optional<mailbox::Mailroom> mailroom;
    std::optional<enrolment::Mailer> mailer;
    std::optional<enrolment::Enrolment> enrolment;
    http::Router public_router, operations_router;
    std::optional<rights::Door> door;
    std::optional<http::Server> server;
    std::optional<RevocationHands> revocation_hands;
    std::optional<RevocationNames> revocation_names;
    std::optional<OwnerKeeper> keeper;
    std::optional<revocation::Runner> revocations;
    std::optional<AdminSuspensions> suspensions;
    std::optional<Obedience> obedience;
    std::optional<Brokers> brokers;
    std::optional<Housekeeping> housekeeping;
};

Gateway::Gateway(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Gateway::~Gateway() = default;

Result<std::unique_ptr<Gateway>> Gateway::open(const Config& config) {
    auto secrets = directory::load_org_keys(config.keys, config.organisation);
    if (!secrets) return pass(secrets);
    auto store = store::open_rocksdb(config.store.path, store_options(config));
    if (!store) return pass(store);
    if (auto ok = need_share_key(config, *secrets, **store); !ok) return pass(ok);
    auto impl = std::make_unique<Impl>(config, std::move(*store));
    if (auto ok = impl->open(std::move(*secrets)); !ok) return pass(ok);
    return std::unique_ptr<Gateway>(new Gateway(std::move(impl)));
}

Result<void> Gateway::Impl::open(directory::OrgSecrets secrets) {
    auto opened = directory::Directory::open(*store, std::move(secrets), clock, random);
    if (!opened) return pass(opened);
    directory = std::move(*opened);
    auto log_of_acts = audit::Log::open(*store, clock);
    if (!log_of_acts) return pass(log_of_acts);
    audit = std::move(*log_of_acts);
    auto org = admin::Organisation::open(*store);
    if (!org) return pass(org);
    organisation = std::move(*org);
    rights_people.emplace(*directory);
    auto named = rights::Administrators::open(*store, *rights_people, clock, random);
    if (!named) return pass(named);
    administrators = std::move(*named);
    auto kept = media::MediaStore::open({*store, clock}, media_limits(config));
    if (!kept) return pass(kept);
    media = std::move(*kept);
    return {};
}

Result<void> Gateway::Impl::make_rooms() {
    const auto here = audience_of(config.http.public_url);
    if (!here) return fail(Errc::bad_config, "http.public_url");
    auto password = mail_password(config);
    if (!password) return pass(password);
    const enrolment::MailServer mail_server{config.smtp.url, config.smtp.sender, config.smtp.user, *password,
                                            config.smtp.ca};
    if (auto ok = enrolment::check(mail_server); !ok) return ok;
    const auto& secrets = directory->secrets();

    if (auto ok = make_policy(); !ok) return ok;
    people.emplace(*directory, *policy);
    media_links.emplace(*media);
    roster.emplace(*directory, *organisation, clock, config.policy.further_device == "approval");
    registry.emplace(*directory, clock);
    share_devices.emplace(*directory, *here, clock);
    signer.emplace(secrets);
    gate.emplace(clock);
    wipes.emplace(*store, *share_devices, *signer, clock, random);
    if (auto ok = make_shares(); !ok) return ok;
    admin_wipes.emplace(*wipes);
    mirror.emplace(*directory);
    authoriser.emplace(*directory, *here, clock);
    event_log.emplace(*store);
    if (config.wake.enabled) {
        endpoints.emplace(*store, clock);
        if (auto ok = endpoints->load(); !ok) return ok;
        waker.emplace(wake::Waker::Needs{*endpoints, clock, metrics, log}, wake_options(config));
        doorbell.connect(*waker);
        metrics.before_scrape([this] { metrics.wake_endpoints.set(static_cast<double>(endpoints->size())); });
    }
    const auto names = names_of(brokers_of(config));
    obedience.emplace(names, clock);
    mailroom.emplace(
        mailbox::Mailroom::Needs{*store, *people, *media_links, outlet, clock, metrics, log, &doorbell, names},
        mailbox_options(config));
    admin_groups.emplace(*store, *directory, *mailroom, clock);
    mailer.emplace(mail_server, clock, random, metrics, log);
    enrolment.emplace(enrolment::Enrolment::Needs{*store, *roster, *mailer, clock, random, metrics, log},
                      pepper_of(secrets), enrolment_policy(config));
    approvals.emplace(*enrolment, *directory);
    server.emplace(server_options(config), &*authoriser,
                   http::ServerHooks{[this](std::string_view route, std::string_view method, int status) {
                                         metrics.http_requests.with({route, method, std::to_string(status)}).add();
                                     },
                                     [this](std::string_view event, std::string_view detail) {
                                         log.warning(event, {{"detail", detail}});
                                     }});
    revocation_hands.emplace(RevocationHands::Needs{*store, *directory, *server, *mailroom, *shares, *wipes,
                                                    *share_devices, endpoints ? &*endpoints : nullptr});
    revocation_names.emplace(*directory, &*obedience);
    keeper.emplace(*administrators);
    revocations.emplace(
        revocation::Runner::Needs{*store, *revocation_hands, *revocation_names, *keeper, *audit, clock, log});
    suspensions.emplace(*revocations, *revocation_names);
    brokers.emplace(Brokers::Needs{*mirror, secrets, *obedience, *mailroom, *revocations, metrics, log,
                                   waker ? &*waker : nullptr, clock, random},
                    brokers_of(config));
    outlet.connect(*brokers);
    housekeeping.emplace(Housekeeping::Needs{*directory, *enrolment, *media, clock, metrics, log});
    return {};
}

const char* Gateway::version() { return kVersion; }

Result<void> Gateway::Impl::make_policy() {
    policy.emplace(*store, directory->secrets(), clock);
    auto anew = tell_policy(*policy, config, *audit, *store);
    if (!anew) return pass(anew);
    if (*anew) log.info("policy_signed", {{"serial", std::to_string(policy->now().serial())}});
    const auto wanted = Version::parse(config.policy.minimum_agent), ours = Version::parse(kVersion);
    if (wanted && ours && *ours < *wanted)
        log.warning("minimum_agent_is_newer_than_this", {{"minimum_agent", config.policy.minimum_agent}});
    return {};
}

Result<void> Gateway::Impl::make_shares() {
    const auto& secrets = directory->secrets();
    std::optional<Key> retired;
    if (secrets.retired_share_key) retired = secrets.retired_share_key->copy();
    shares.emplace(*store, *share_devices, shares::Seal(secrets.share_key->copy(), std::move(retired), random));
    const auto anew = shares->prepare();
    if (!anew) return fail(anew.error().code, anew.error().detail);
    if (*anew > 0) log.info("shares_sealed_anew", {{"count", std::to_string(*anew)}});
    return {};
}

void Gateway::Impl::observe_directory() {
    directory::Directory::Observers observers;
    observers.head_moved = [this] { mailroom->head_moved(); };
    observers.mirror_moved = [this] { brokers->mirror_moved(); };
    observers.shut_out = [this](const DeviceId& device) { revocations->noticed(device); };
    directory->observe(std::move(observers));
}

void Gateway::Impl::add_pages() {
    metrics.before_scrape([this] {
        std::error_code ignored;
        const auto disk = std::filesystem::space(config.store.path, ignored);
        if (!ignored) metrics.store_free_bytes.set(static_cast<double>(disk.available));
        metrics.http_connections.set(static_cast<double>(server->connections()));
    });
    health.add("store", [this] { return store->check(); });
    health.add("broker", [this] { return brokers->linked(); });
    add_status(public_router, clock, [this] { return mailroom->reconnect_spread_ms(); });
    directory::add_routes(public_router, *directory);
    enrolment::add_routes(public_router, *enrolment);
    shares::add_routes(public_router, {*shares, *wipes, *share_devices, *gate});
    mailbox::add_routes(public_router, *event_log);
    wake::add_routes(public_router, endpoints ? &*endpoints : nullptr, wake_options(config).rules);
    media::add_routes(public_router, {*media, metrics, random, config.policy.media_max_bytes});
    add_operations(operations_router, metrics, health);
    door.emplace(rights::Door::Needs{*administrators, *audit, metrics.admin_refusals, ::geteuid()});
    add_local(
        *door, health, [this] { return provisioning(); }, [this] { return policy->now(); });
    admin::add_routes(*door, {*organisation, *registry, *suspensions, *approvals, *admin_wipes, *admin_groups,
                              *administrators, *audit});
    revocation::add_routes(*door, *revocations, *revocation_names);
}

Result<void> Gateway::Impl::start() {
    auto tls = listen_at(http::Listen::Kind::tls, config.http.listen);
    tls.certificate = config.http.certificate;
    tls.key = config.http.key;
    http::Listen socket;
    socket.kind = http::Listen::Kind::local;
    socket.path = config.admin.socket;
    socket.for_group = config.admin.open_to_group;
    if (auto ok = server->listen(tls, public_router); !ok) return pass(ok);
    if (auto ok = server->listen(listen_at(http::Listen::Kind::plain, config.operations.listen), operations_router);
        !ok)
        return pass(ok);
    if (auto ok = server->listen(socket, door->router()); !ok) return pass(ok);
    if (waker) waker->start();
    mailroom->start();
    mailer->start();
    enrolment->start();
    if (auto ok = revocations->load(); !ok) return ok;
    revocations->start();
    if (auto ok = brokers->start(); !ok) return ok;
    housekeeping->start();
    return server->start();
}

void Gateway::Impl::stop() {
    server->stop();
    housekeeping->stop();
    revocations->stop();
    mailroom->stop();  // its last answers still go out by the links
    brokers->stop();
    if (waker) waker->stop();
    enrolment->stop();
    mailer->stop();
}

void Gateway::Impl::wait_for_end() {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, number);
    for (int number = 0;;) {
        if (sigwait(&set, &number) != 0) continue;
        if (number != SIGHUP) return;
        const auto ok = server->reload_certificates();
        if (ok) log.info("certificates_reloaded");
        else log.error("certificates_not_reloaded", {{"code", ok.error().row().name}});
    }
}

Result<void> Gateway::run() {
    if (auto ok = impl_->make_rooms(); !ok) return ok;
    impl_->observe_directory();
    impl_->add_pages();
    if (auto ok = impl_->start(); !ok) {
        impl_->stop();
        return ok;
    }
    impl_->log.info("started", {{"version", kVersion}});
    impl_->wait_for_end();
    impl_->log.info("stopping");
    impl_->stop();
    return {};
}

Result<Bytes> Gateway::provisioning() const { return impl_->provisioning(); }

Result<Bytes> Gateway::Impl::provisioning() const {
    const auto& c = config;
    auto ca = read_text(c.http.ca);
    if (!ca) return pass(ca);
    directory::ProvisioningInput input;
    for (const auto& broker : brokers_of(c)) input.brokers.push_back(broker.url);
    input.gateway = c.http.public_url;
    input.ca_pem = std::move(*ca);
    input.policy = told_policy(c);
    input.head = directory->newest_head();
    return directory::make_provisioning(directory->secrets(), input);
}

void Gateway::block_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGPIPE}) sigaddset(&set, number);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

Result<void> initialise(const std::filesystem::path& folder, const std::string& organisation) {
    SystemRandom random;
    SystemClock clock;
    auto secrets = directory::create_org_keys(folder / "keys", organisation, random);
    if (!secrets) return pass(secrets);
    if (std::ofstream out(folder / "gateway.toml"); !(out << config_template(organisation)))
        return fail(Errc::storage, "cannot write gateway.toml");
    auto store = store::open_rocksdb(folder / "store", {});
    if (!store) return pass(store);
    const auto opened = directory::Directory::open(**store, std::move(*secrets), clock, random);
    if (!opened) return fail(opened.error().code, opened.error().detail);
    return {};
}

}  // namespace nimes::gateway::app
