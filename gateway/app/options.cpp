#include "app/options.hpp"

namespace nimes::gateway::app {

store::RocksOptions store_options(const Config& config) {
    store::RocksOptions out;
    out.floor_bytes = config.store.floor_bytes;
    out.reserve_bytes = config.store.reserve_bytes;
    out.block_cache_bytes = config.store.cache_bytes;
    return out;
}

http::ServerOptions server_options(const Config& config) {
    http::ServerOptions out;
    out.head_time = std::chrono::seconds(config.http.head_seconds);
    out.idle = std::chrono::seconds(config.http.idle_seconds);
    return out;
}

enrolment::Policy enrolment_policy(const Config& config) {
    enrolment::Policy out;
    out.device_hold = config.policy.device_hold_seconds * kSecond;
    out.private_devices = config.policy.private_devices_allowed;
    return out;
}

mailbox::Options mailbox_options(const Config& config) {
    mailbox::Options out;
    out.retention = config.policy.retention_days * kDay;
    return out;
}

wake::Waker::Options wake_options(const Config& config) {
    wake::Waker::Options out;
    out.rules = {config.wake.allow_http, config.wake.allow_private};
    out.pace.least = config.wake.min_interval_seconds * kSecond;
    return out;
}

media::Limits media_limits(const Config& config) {
    const auto& p = config.policy;
    media::Limits out;
    out.max_bytes = p.media_max_bytes;
    out.device_bytes = p.media_quota_bytes;
    out.user_bytes = p.media_user_quota_bytes;
    out.organisation_bytes = p.media_organisation_quota_bytes;
    out.device_open = p.media_open_uploads;
    out.user_open = 2 * p.media_open_uploads;
    return out;
}

broker::LinkOptions link_options(const Config::Broker& broker) {
    broker::LinkOptions out;
    out.url = broker.url;
    out.dial = broker.dial;
    out.ca = broker.ca;
    return out;
}

v1::Policy told_policy(const Config& config) {
    v1::Policy out;
    out.set_retention_days(config.policy.retention_days);
    out.set_offline_grace_hours(config.policy.offline_grace_hours);
    out.set_offline_grace_minutes(config.policy.offline_grace_minutes);
    out.set_restart_without_network(config.policy.restart_without_network);
    out.set_lock_after_seconds(config.policy.lock_after_seconds);
    out.set_device_hold_seconds(config.policy.device_hold_seconds);
    out.set_export_allowed(config.policy.export_allowed);
    out.set_viewer_allowed(config.policy.viewer_allowed);
    out.set_private_devices_allowed(config.policy.private_devices_allowed);
    out.set_history_allowed(config.policy.history_allowed);
    out.set_minimum_agent(config.policy.minimum_agent);
    out.set_further_device(config.policy.further_device == "approval" ? v1::FURTHER_DEVICE_APPROVAL
                                                                      : v1::FURTHER_DEVICE_VOUCHER);
    return out;
}

v1::Pilot told_pilot(const Config& config) {
    v1::Pilot out;
    for (const auto& unit : config.pilot.units) out.add_units(unit);
    out.set_export_allowed(config.pilot.export_allowed.value_or(config.policy.export_allowed));
    out.set_viewer_allowed(config.pilot.viewer_allowed.value_or(config.policy.viewer_allowed));
    out.set_history_allowed(config.pilot.history_allowed.value_or(config.policy.history_allowed));
    return out;
}

nlohmann::ordered_json told_json(const v1::SignedPolicy& signed_policy) {
    const auto& p = signed_policy.policy();
    const auto& pilot = signed_policy.pilot();
    nlohmann::ordered_json out{
        {"serial", signed_policy.serial()},
        {"since_ms", signed_policy.since_ms()},
        {"retention_days", p.retention_days()},
        {"offline_grace_minutes",
         p.offline_grace_minutes() != 0 ? p.offline_grace_minutes() : 60 * p.offline_grace_hours()},
        {"restart_without_network", p.restart_without_network()},
        {"lock_after_seconds", p.lock_after_seconds()},
        {"device_hold_seconds", p.device_hold_seconds()},
        {"export_allowed", p.export_allowed()},
        {"viewer_allowed", p.viewer_allowed()},
        {"history_allowed", p.history_allowed()},
        {"private_devices_allowed", p.private_devices_allowed()},
        {"further_device", p.further_device() == v1::FURTHER_DEVICE_APPROVAL ? "approval" : "voucher"},
        {"minimum_agent", p.minimum_agent()}};
    out["pilot"] = {
        {"units", nlohmann::ordered_json(std::vector<std::string>(pilot.units().begin(), pilot.units().end()))},
        {"export_allowed", pilot.export_allowed()},
        {"viewer_allowed", pilot.viewer_allowed()},
        {"history_allowed", pilot.history_allowed()}};
    return out;
}

}  // namespace nimes::gateway::app
