#!/usr/bin/python3
"""What really passes over the wire, with TCP and IP headers: a text, a wake of silence, a catch-up, a handshake.

The agents talk to Mosquitto and the gateway without a tap; a packet socket on the loopback interface counts (root). The
figures are printed; those that are a promise are asserted.
"""
import os
import select
import socket
import struct
import threading
import time

from people import WorldTest, unittest, wait_until
from harness import broker as broker_module
from harness.processes import answers, client_port
from harness.world import World

ETH_P_IP, PACKET_HOST = 0x0800, 0
TEXT = "x" * 68  # 240 sealed bytes


class DirectWorld(World):
    """The public addresses are the servers' own."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        for name in ("broker", "gateway"):
            self.ports.release(self.port[f"{name}_tap"])
            self.port[f"{name}_tap"] = self.port[name]
        self.broker_url = f"mqtts://127.0.0.1:{self.port['broker']}"
        self.gateway_url = f"https://127.0.0.1:{self.port['gateway']}"

    def start_servers(self) -> None:
        self.broker = broker_module.Broker(self.supervisor, self.build, self.folder / "broker", self.certificates,
                                           self.ports.release(self.port["broker"]), self.plugin_options())
        self.broker.start()
        for name in ("gateway", "operations"):
            self.ports.release(self.port[name])
        self.gateway.start(self.port["operations"])
        wait_until(lambda: answers(self.port["gateway"]), "answer of the gateway", watch=self.supervisor)


class Sniffer:
    """Packets of one server port on the loopback, each once: (time, client port, "up" or "down", IP bytes, payload)."""

    def __init__(self, server_port: int):
        self.port, self.packets, self.ending = server_port, [], False
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.socket.bind(("lo", ETH_P_IP))
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self) -> None:
        while not self.ending:
            if not select.select([self.socket], [], [], 0.2)[0]:
                continue
            data, address = self.socket.recvfrom(1 << 17)
            if address[2] != PACKET_HOST or data[9] != socket.IPPROTO_TCP:
                continue
            header = (data[0] & 15) * 4
            source, target = struct.unpack("!HH", data[header:header + 4])
            if self.port not in (source, target):
                continue
            size = struct.unpack("!H", data[2:4])[0] or len(data)
            payload = data[header + (data[header + 12] >> 4) * 4:size]
            way, client = ("up", source) if target == self.port else ("down", target)
            self.packets.append((time.monotonic(), client, way, size, payload))

    def of(self, client: int, since: float = 0) -> list:
        return [packet for packet in list(self.packets) if packet[1] == client and packet[0] >= since]

    def clients(self) -> set:
        return {packet[1] for packet in list(self.packets)}

    def quiet(self, client: int, seconds: float) -> None:
        """Until nothing of that connection has passed for so long."""
        def silent():
            packets = self.of(client)
            return packets and time.monotonic() - packets[-1][0] > seconds
        wait_until(silent, "silence", 60)

    def stop(self) -> None:
        self.ending = True
        self.thread.join()
        self.socket.close()


def count(packets: list) -> dict:
    out = {}
    for way in ("up", "down"):
        mine = [packet for packet in packets if packet[2] == way]
        out[way] = {"packets": len(mine), "with payload": sum(1 for p in mine if p[4]), "bytes": sum(p[3] for p in mine)}
    return out


@unittest.skipIf(os.getuid() != 0, "counting packets wants root")
class Wire(WorldTest):
    WORLD = DirectWorld

    @classmethod
    def setUpClass(cls):
        # The broker's own keepalive makes agents ask soon; what one such question costs does not depend on when it comes.
        original = broker_module.CONFIGURATION
        broker_module.CONFIGURATION = original.replace("max_keepalive 600", f"max_keepalive {cls.KEEPALIVE}")
        cls.addClassCleanup(setattr, broker_module, "CONFIGURATION", original)
        super().setUpClass()

    KEEPALIVE = 600

    def sniff(self, port: str) -> Sniffer:
        sniffer = Sniffer(self.world.port[port])
        self.addCleanup(sniffer.stop)
        return sniffer

    def connection(self, agent) -> int:
        return client_port(agent.watcher.pid, self.world.port["broker"])


class Text(Wire):
    def test_one_text_on_the_senders_leg(self):
        self.anna.online()
        self.bernd.online()
        self.ok(self.anna.run("send", "--to", "Meyer, Gifhorn", "der Anfang, mit einem Grant"))
        self.wait_texts(self.bernd, ["der Anfang, mit einem Grant"])
        self.bernd.offline()  # his receipts are another leg's
        client = self.connection(self.anna)
        mqtt, https = self.sniff("broker"), self.sniff("gateway")
        time.sleep(3)
        since = time.monotonic()
        self.ok(self.anna.run("send", "--to", "Meyer, Gifhorn", TEXT))
        mqtt.quiet(client, 1)
        got = count(mqtt.of(client, since))
        total = got["up"]["bytes"] + got["down"]["bytes"]
        print(f"\none text of 68 characters, sender's leg: {total} bytes; {got}")
        self.assertLess(total, 700)
        self.assertLessEqual(got["up"]["packets"], 3)
        self.assertLessEqual(got["down"]["packets"], 3)
        self.assertEqual([p for p in https.packets if p[0] >= since and p[4]], [], "HTTPS beside it")

    def test_a_catch_up_is_acknowledged_in_few_packets(self):
        """120 that waited; the receipts of the one who fetches are messages of their own, and are counted, too."""
        self.anna.online()
        texts = [f"Nachricht {number}" for number in range(120)]
        for text in texts:
            self.ok(self.anna.run("send", "--to", "Meyer, Gifhorn", text))
        mqtt = self.sniff("broker")
        self.bernd.online()
        client = self.connection(self.bernd)
        self.wait_texts(self.bernd, texts)
        mqtt.quiet(client, 2)
        got = count(mqtt.of(client))
        print(f"\ncatch-up of 120, connect included: {got}")
        # Handshake, CONNECT, SUBSCRIBE, Hello, acknowledgements, and the receipts of one conversation.
        self.assertLess(got["up"]["with payload"], 30)


class Idle(Wire):
    KEEPALIVE = 20  # the least that agents keep

    def test_a_question_after_silence_and_an_hour_of_it(self):
        self.anna.online()
        client = self.connection(self.anna)
        mqtt = self.sniff("broker")
        wait_until(lambda: len([p for p in mqtt.of(client) if p[2] == "down" and p[4]]) >= 3, "three answers", 240)
        packets = mqtt.of(client)
        first = packets[0][0]
        asked = [p for p in packets if p[2] == "up" and p[4]]
        whole = [p for p in packets if p[0] < asked[-1][0]]
        each = sum(p[3] for p in whole) / (len(asked) - 1)
        pause = (asked[-1][0] - first) / (len(asked) - 1)
        for longest in (240, 585, 885):
            print(f"\nidle: {each:.0f} bytes each {longest} s are {each * 3600 / longest:.0f} bytes per hour", end="")
        print(f"\n(measured over {len(asked)} questions {pause:.1f} s apart)")
        self.assertLess(each * 3600 / 585, 4096)
        self.assertTrue(self.anna.run("status").last()["connected"])


if __name__ == "__main__":
    unittest.main()
