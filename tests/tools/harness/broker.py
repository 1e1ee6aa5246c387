"""Mosquitto with the identity plugin. Why each option is what it is stands beside it."""
import os
import pwd
from pathlib import Path

from .build import Build
from .processes import Child, Supervisor, answers, wait_until

CONFIGURATION = """\
# The plugin's kicks run in the tick, which is never called with per-listener settings.
per_listener_settings false
allow_anonymous false
# The broker is transport: what must last is in the gateway's store.
persistence false
{user}
listener {port} 127.0.0.1
certfile {certificates}/broker.crt
keyfile {certificates}/broker.key
# Without these two: TLS 1.1, and 40 ms at the tail of every delivery.
tls_version tlsv1.2
set_tcp_nodelay true
max_keepalive 600
max_packet_size 98304
max_inflight_messages 20
max_queued_messages 1000
# The default compares each receiver with all earlier ones of a message.
allow_duplicate_messages true
retain_available false
sys_interval 1
log_dest stderr
log_type error
log_type warning
log_type notice
plugin {plugin}
{options}
"""


class Broker:
    def __init__(self, supervisor: Supervisor, build: Build, folder: Path, certificates: Path, port: int,
                 plugin_options: dict):
        folder.mkdir(parents=True, exist_ok=True)
        self.supervisor, self.build, self.port = supervisor, build, port
        self.configuration = folder / "mosquitto.conf"
        # Started as root, Mosquitto becomes another user before it loads the plugin: let it stay who it is.
        user = f"user {pwd.getpwuid(os.getuid()).pw_name}" if os.getuid() == 0 else ""
        options = "\n".join(f"plugin_opt_{name} {value}" for name, value in plugin_options.items())
        self.configuration.write_text(CONFIGURATION.format(
            user=user, port=port, certificates=certificates, plugin=build.plugin(), options=options))

    def start(self) -> Child:
        self.child = self.supervisor.start("mosquitto", ["mosquitto", "-c", self.configuration],
                                           env=self.build.plugin_environment())
        wait_until(lambda: answers(self.port), "answer of Mosquitto", watch=self.supervisor)
        return self.child
