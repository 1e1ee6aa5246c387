"""Step 1: a development CA, the handsets' provisioning file, and every server, each a process of its own."""
import ssl
import socket

from harness.world import World


def start(stage) -> None:
    report = stage.report
    report.step(1, "CA, provisioning file, mail server, Mosquitto with the plugin, gateway")
    world = stage.world = World(stage.folder, stage.build, stage.supervisor)
    world.make_certificates()
    report.say(f"development CA and server certificates (ECDSA P-256) in {world.certificates}")
    world.start_mail()
    report.say(f"mail server that keeps every mail, port {world.mail.port}")
    world.make_gateway()
    report.check("the provisioning file is made and signed", world.provisioning.stat().st_size > 100)
    report.say("policy of this demo: further devices are sealed to after 0 seconds instead of 15 minutes")
    world.start_servers()
    report.say(f"Mosquitto at {world.broker_url}, gateway at {world.gateway_url}; "
               "before each a tap that keeps what passes once TLS is off")
    report.check("the gateway is ready: store open, broker linked", world.gateway.ready(),
                 world.gateway.fetch("/readyz?verbose")[1])
    for name, port in (("Mosquitto", world.port["broker"]), ("the gateway", world.port["gateway"])):
        report.check(f"{name} speaks TLS 1.2 or newer", tls_version(world, port) in ("TLSv1.2", "TLSv1.3"))


def tls_version(world, port: int) -> str:
    context = ssl.create_default_context(cafile=world.certificates / "ca.crt")
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as tls:
            return tls.version()
