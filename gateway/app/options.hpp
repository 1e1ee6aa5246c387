// What each room is told of the configuration: no room reads it itself.
//
// Pure; any thread. Units: as in config.hpp (seconds, days, bytes) on the way in; milliseconds and bytes on the way
// out.
#pragma once

#include <nlohmann/json.hpp>

#include "app/config.hpp"
#include "broker/link.hpp"
#include "directory/provisioning.hpp"
#include "enrolment/enrolment.hpp"
#include "http/server.hpp"
#include "mailbox/mailroom.hpp"
#include "media/media_store.hpp"
#include "store/rocksdb_store.hpp"
#include "wake/waker.hpp"

namespace nimes::gateway::app {

store::RocksOptions store_options(const Config& config);
http::ServerOptions server_options(const Config& config);
enrolment::Policy enrolment_policy(const Config& config);
mailbox::Options mailbox_options(const Config& config);
wake::Waker::Options wake_options(const Config& config);
media::Limits media_limits(const Config& config);
broker::LinkOptions link_options(const Config::Broker& broker);

// The rules that every handset gets: with its provisioning, and signed.
v1::Policy told_policy(const Config& config);
v1::Pilot told_pilot(const Config& config);
// As people are shown it, and as the audit keeps it.
nlohmann::ordered_json told_json(const v1::SignedPolicy& policy);

}  // namespace nimes::gateway::app
