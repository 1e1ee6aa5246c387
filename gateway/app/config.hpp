// gateway.toml as values: read once at the start, checked whole, every mistake named with its line.
//
// Relative paths are taken from the file's folder. An unknown key is a mistake, not a comment: a policy that is spelled
// wrong must not be ignored. Secrets are files, never values. Pure but for reading the file. Errors: Errc::bad_config,
// all mistakes in one detail, one a line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "nimes/error.hpp"

namespace nimes::gateway::app {

struct Endpoint {
    std::string address;
    std::uint16_t port = 0;
};

struct Config {
    std::filesystem::path folder;  // of the file
    std::string organisation;
    std::filesystem::path keys = "keys";

    struct Http {
        Endpoint listen{"0.0.0.0", 8443};
        std::string public_url;
        std::filesystem::path certificate, key, ca;
        std::uint32_t head_seconds = 30;
        std::uint32_t idle_seconds = 60;
    } http;
    struct Operations {
        Endpoint listen{"127.0.0.1", 9464};
        std::string log_level = "info";
    } operations;
    struct Admin {
        std::filesystem::path socket = "admin.sock";
        bool open_to_group = false;
    } admin;
    struct StoreSection {
        std::filesystem::path path = "store";
        std::uint64_t floor_bytes = 1ull << 30;
        std::uint64_t reserve_bytes = 64ull << 20;
        std::uint64_t cache_bytes = 256ull << 20;
    } store;
    struct Broker {
        std::string name = "edge-1";
        std::string url;
        std::string dial;
        std::filesystem::path ca;
    } broker;
    std::vector<Broker> more_brokers;  // [[broker.more]]
    struct Smtp {
        std::string url;
        std::string sender;
        std::string user;
        std::filesystem::path password_file, ca;
    } smtp;
    struct Wake {
        bool enabled = false;
        bool allow_http = false;
        bool allow_private = false;
        std::uint32_t min_interval_seconds = 60;
    } wake;
    struct Policy {
        std::uint32_t retention_days = 7;
        std::uint32_t offline_grace_hours = 12;
        std::uint32_t offline_grace_minutes = 0;
        bool restart_without_network = false;
        std::uint32_t lock_after_seconds = 300;
        std::uint32_t device_hold_seconds = 900;
        bool export_allowed = true;
        bool viewer_allowed = true;
        bool private_devices_allowed = false;
        bool history_allowed = true;
        std::string further_device = "voucher";
        std::string minimum_agent;
        std::uint64_t media_quota_bytes = 2ull << 30;  // of one device
        std::uint64_t media_user_quota_bytes = 4ull << 30;
        std::uint64_t media_organisation_quota_bytes = 1ull << 40;
        std::uint64_t media_open_uploads = 64;  // of one device; twice as many of one person
        std::uint64_t media_max_bytes = 512ull << 20;
    } policy;
    // What people of some units may do in the place of that; what is not said is as for all.
    struct Pilot {
        std::vector<std::string> units;
        std::optional<bool> export_allowed, viewer_allowed, history_allowed;
    } pilot;
};

// The first, and those beside it.
std::vector<Config::Broker> brokers_of(const Config& config);

Result<Config> load_config(const std::filesystem::path& file);
Result<Config> parse_config(std::string_view toml, const std::filesystem::path& folder);

// The commented file that `init` writes: every key, with its default or an example.
std::string config_template(std::string_view organisation);

}  // namespace nimes::gateway::app
