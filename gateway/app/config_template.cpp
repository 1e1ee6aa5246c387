#include "app/config.hpp"

namespace nimes::gateway::app {

std::string config_template(std::string_view organisation) {
    return "# nimes-gateway. Check it with `nimes-gateway check-config --config FILE`; relative paths are taken from "
           "this\n"
           "# file's folder. Lines that begin with # show the default.\n\n"
           "# Fixed when the keys were made: every signature names it.\n"
           "organisation = \"" +
           std::string(organisation) +
           R"("
# Ed25519 keys of the organisation, mode 0600. Back them up apart from the store; who holds them can admit people.
# shares.key seals the handsets' shares in the store: without it no handset's container opens once its lease is over. To
# replace it, rename it to shares-old.key and restart; delete that one when the log says shares_sealed_anew.
# keys = "keys"

[http]
# What handsets talk to beside MQTT: enrolment, directory, media.
listen = "0.0.0.0:8443"
# As handsets reach it; it goes into provisioning files and into every token, so it must not change afterwards.
public_url = "https://gateway.example:8443"
certificate = "tls/gateway.crt"
key = "tls/gateway.key"
# The CA that handsets shall trust, PEM; it goes into provisioning files.
ca = "tls/ca.crt"
# How long the head of a request may take from its first byte on, and how long a body may rest, either way. A whole body
# may take as long as it likes.
# head_seconds = 30
# idle_seconds = 60

[operations]
# /metrics, /livez, /readyz for machines inside: no TLS, no token.
listen = "127.0.0.1:9464"
# debug, info, warning, error
# log_level = "info"

[admin]
# Unix socket of `nimes-gateway admin`. Root and the gateway's own user may do everything, as the audit says; whoever
# shows an administrator's token does what its role allows (`nimes-gateway admin administrators add --help`).
# socket = "admin.sock"
# Mode 0660 instead of 0600: the gateway's group may open it too, and do nothing without a token.
# open_to_group = false

[store]
# path = "store"
# Below so many free bytes nothing new is taken in, so that what is there stays whole.
# floor_bytes = 1073741824
# Of these, so many are held back in a file: if others fill the disk to its end, it goes, and what ends or is taken back
# can still be erased. 0: none.
# reserve_bytes = 67108864
# cache_bytes = 268435456

[broker]
# The edge's name, as in the plugin's option plugin_opt_broker.
name = "edge-1"
# As handsets reach it; it goes into provisioning files and tokens.
url = "mqtts://broker.example:8883"
# Where the gateway itself connects to, if elsewhere. Its tokens are still made for url.
# dial = ""
ca = "tls/ca.crt"
# Further brokers stand in tables [[broker.more]] behind this one, with the same keys: each has a plugin and a link of its own, and
# handsets spread over all that their provisioning file names. While the name of one does not resolve, the others wait for the
# resolver, too: give addresses in dial where name servers may fail.

[smtp]
# smtps://host:465, or smtp://host:587 (STARTTLS is used where the server offers it).
url = "smtp://127.0.0.1:25"
sender = "nimes@police.example"
# user = ""
# password_file = ""
# ca = ""

[wake]
# Wake handsets whose operating system kills connections: a POST without a word to the push service that the handset
# named (UnifiedPush). The push service learns that something waits for somebody, and when.
# enabled = false
# Endpoints without TLS, and in private networks: only for a push service of your own inside.
# allow_http = false
# allow_private = false
# The shortest time between two wake-ups of one handset.
# min_interval_seconds = 60

[policy]
# What handsets are told of this and of [pilot] is signed by administrator.key, anew at a start that finds it changed; it reaches
# them at their next Hello, those that are connected at once. `nimes-gateway admin policy` shows it.
# How long messages and media are kept for who has not fetched them: 1 to 90 days.
# retention_days = 7
# How long a handset opens its store without a word from here: up to 72 hours, or in minutes from 15 on.
# offline_grace_hours = 12
# offline_grace_minutes = 720
# May it be restarted without network within that time? Then its keystore holds the share, and who copies handset and
# passphrase reads until the time is over.
# restart_without_network = false
# A handset locks itself after so long without use.
# lock_after_seconds = 300
# How long nothing is sealed to a further device of a person, so that its owner sees it first.
# device_hold_seconds = 900
# May received media leave the sealed container as files?
# export_allowed = true
# May another program show them, which gets them through a pipe? Where export is allowed it may anyway.
# viewer_allowed = true
# private_devices_allowed = false
# Who lets a further device of a person in: "voucher", one of theirs, or "approval", an administrator each time.
# further_device = "voucher"
# Older agents show what comes, take back what they sent, and say nothing new until they are updated (agents from 0.1.0 on, which
# know of it). "": any. One that is newer than this gateway is logged as a warning: it silences everybody who is not ahead of it.
# minimum_agent = ""
# May a person's old device hand its messages to the new one, both in hand? Never to or from a private device.
# history_allowed = true
# What is kept at once of one device, one person, the organisation; beyond it uploads are refused with 507.
# media_quota_bytes = 2147483648
# media_user_quota_bytes = 4294967296
# media_organisation_quota_bytes = 1099511627776
# Uploads of one device that are begun and not finished; a person may have twice as many.
# media_open_uploads = 64
# The largest medium. An upload whose length is not known yet counts as this large.
# media_max_bytes = 536870912

[pilot]
# Units that try the messenger out, and what their people may do in the place of what [policy] says of it. What is left out is
# as [policy] says.
# units = []
# export_allowed = true
# viewer_allowed = true
# history_allowed = true
)";
}

}  // namespace nimes::gateway::app
