#!/usr/bin/python3
"""Media as a handset handles them: through kill -9, out of the container only as policy says, seen in part, and videos."""
import hashlib
import os
import random
import shutil
import subprocess
import sys

from people import ROOT, ROSTER, WorldTest, json, unittest, wait_until

sys.path.insert(0, str(ROOT / "tests" / "tools"))
from harness.gateway import set_keys  # noqa: E402

BERND = "Meyer, Gifhorn"
LARGE = 100_000_000


class MediaAgent(WorldTest):
    def random_file(self, name: str, size: int, seed: int):
        file = self.folder / name
        file.write_bytes(random.Random(seed).randbytes(size))
        return file

    def passed(self, way: str) -> int:
        """Bytes inside TLS between handsets and the gateway's HTTPS."""
        return self.world.gateway_tap.files[way].stat().st_size

    def begin(self, agent, *words):
        """A command as a process of its own, to be killed."""
        descriptor = agent.open_passphrase()
        process = subprocess.Popen([str(word) for word in agent.words(descriptor, *words)], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, pass_fds=(descriptor,))
        os.close(descriptor)
        return process

    def kill(self, process) -> None:
        self.assertIsNone(process.poll(), "it was through before it could be killed")
        process.kill()
        process.communicate()

    def test_kill_9_in_an_upload_and_in_its_download(self):
        anna, bernd = self.anna, self.bernd
        file = self.random_file("film.bin", LARGE, 1)
        self.ok(anna.run("send", "--to", BERND, "gleich kommt ein Film"))
        before = self.passed("up")
        sending = self.begin(anna, "send", "--to", BERND, "--file", file, "--caption", "Film")
        wait_until(lambda: self.passed("up") > before + LARGE // 4, "a part of the upload", 60)
        self.kill(sending)
        anna.online()  # goes on by itself
        bernd.online()
        event = bernd.wait_for(lambda e: e.get("caption") == "Film", "the film", 180)
        self.assertEqual(event["media"]["bytes"], LARGE)
        # What a cut part had in flight may go twice, and no more.
        self.assertLess(self.passed("up") - before, LARGE * 1.3)
        anna.offline()
        bernd.offline()

        before = self.passed("down")
        part = bernd.home / "media" / f"{event['media']['id']}.part"
        fetching = self.begin(bernd, "media", "get", event["media"]["id"])
        wait_until(lambda: part.exists() and part.stat().st_size > LARGE // 4, "a part of the download", 60)
        self.kill(fetching)
        got = self.ok(bernd.run("media", "get", event["media"]["id"]))
        self.assertEqual(got["sha256"], hashlib.sha256(file.read_bytes()).hexdigest())
        self.assertLess(self.passed("down") - before, LARGE * 1.3)
        self.assertFalse(part.exists())

    def test_a_command_whose_owner_dies_sends_its_medium_once(self):
        anna, bernd = self.anna, self.bernd
        bernd.online()
        anna.online()
        file = self.random_file("owner.bin", LARGE, 2)
        before = self.passed("up")
        sending = self.begin(anna, "send", "--to", BERND, "--file", file, "--caption", "einmal")
        wait_until(lambda: self.passed("up") > before + LARGE // 4, "a part of the upload", 60)
        self.supervisor.kill(anna.watcher)
        anna.watcher = None
        out, err = sending.communicate(timeout=180)
        self.assertEqual(sending.returncode, 0, err)
        sent = json.loads(out.splitlines()[-1])
        bernd.wait_for(lambda e: e.get("media", {}).get("id") == sent["media"]["id"], "the medium", 60)
        self.assertEqual(sent["media"]["sha256"], hashlib.sha256(file.read_bytes()).hexdigest())
        self.assertLess(self.passed("up") - before, LARGE * 1.3)
        self.assertEqual(len([e for e in bernd.events() if e.get("caption") == "einmal"]), 1)

    def send(self, file, *more) -> str:
        return self.ok(self.anna.run("send", "--to", BERND, "--file", file, *more))["media"]["id"]

    def raw(self, agent, *words):
        """Without --json: bytes on standard output."""
        descriptor = agent.open_passphrase()
        try:
            return subprocess.run([str(agent.program), "--home", str(agent.home), "--passphrase-fd", str(descriptor),
                                   *map(str, words)], capture_output=True, timeout=120, pass_fds=(descriptor,))
        finally:
            os.close(descriptor)

    def test_out_of_the_container_by_file_output_and_viewer(self):
        file = self.random_file("bild.bin", 1_000_000, 3)
        self.anna.online()
        self.bernd.online()
        blob = self.send(file)
        self.bernd.wait_for(lambda e: e.get("media", {}).get("id") == blob, "the medium")
        out = self.folder / "heraus.bin"
        self.ok(self.bernd.run("media", "get", blob, "--out", out))
        self.assertEqual(out.read_bytes(), file.read_bytes())
        for agent in (self.bernd, self.anna):  # through the owner of the home
            self.assertEqual(self.raw(agent, "media", "get", blob, "--out", "-").stdout, file.read_bytes())
        self.bernd.offline()
        alone = self.raw(self.bernd, "media", "get", blob, "--out", "-")  # as the owner
        self.assertEqual((alone.returncode, alone.stdout), (0, file.read_bytes()))
        both = self.bernd.run("media", "get", blob, "--out", "-")
        self.assertIn("--json", both.err)
        seen = self.raw(self.bernd, "media", "view", blob, "--", "sha256sum")
        self.assertEqual(seen.stdout.split()[0].decode(), hashlib.sha256(file.read_bytes()).hexdigest())
        # The viewer's words are words, its exit status is ours, and one that has seen enough is no error.
        def view(*words):
            return self.raw(self.bernd, "media", "view", blob, "--", *words)
        self.assertEqual(view("sh", "-c", "cat >/dev/null; exit 7").returncode, 7)
        self.assertEqual(view("head", "-c", "10").stdout, file.read_bytes()[:10])
        self.assertNotEqual(view("no-such-viewer").returncode, 0)
        descriptors = view("sh", "-c", "cat >/dev/null; ls /proc/self/fd").stdout
        self.assertLessEqual(set(descriptors.split()), {b"0", b"1", b"2", b"3"})  # 3 is the folder that ls reads

    def test_a_look_into_a_video_fetches_little_of_it(self):
        file = self.random_file("lang.bin", 30_000_000, 4)
        self.anna.online()
        blob = self.send(file)
        self.bernd.online()
        self.bernd.wait_for(lambda e: e.get("media", {}).get("id") == blob, "the medium")
        before = self.passed("down")
        seen = self.raw(self.bernd, "media", "view", blob, "--range", "20000000-20099999", "--", "cat")
        self.assertEqual(seen.stdout, file.read_bytes()[20_000_000:20_100_000])
        self.assertLess(self.passed("down") - before, 1_000_000)
        self.assertFalse((self.bernd.home / "media" / f"{blob}.sealed").exists())
        beyond = self.raw(self.bernd, "media", "view", blob, "--range", "30000000-", "--", "cat")
        self.assertIn(b"the range lies outside the medium", beyond.stderr)

    def under(self, values: dict, administrator: bytes = None) -> None:
        """The gateway started anew under another policy."""
        self.supervisor.stop(self.gateway.child)
        if administrator is not None:
            (self.gateway.folder / "keys" / "administrator.key").write_bytes(administrator)
        self.gateway.configuration.write_text(set_keys(self.toml, values))
        self.gateway.start(self.world.port["operations"])

    def policy(self, agent) -> dict:
        return self.ok(agent.run("status"))["policy"]

    def told(self, agent, wanted: dict) -> dict:
        """Until the handset obeys a policy that says this."""
        wait_until(lambda: wanted.items() <= self.policy(agent).items(), f"the policy at {agent.name}", 90, self.supervisor)
        return self.policy(agent)

    def refused(self, agent, *words) -> bytes:
        done = self.raw(agent, "media", *words)
        self.assertEqual((done.returncode, done.stdout), (6, b""))
        return done.stderr

    def test_policy_changes_and_is_obeyed(self):
        """By a handset that is connected all the time, and by one that comes later; of a unit in pilot, by its people."""
        self.toml = self.gateway.configuration.read_text()
        self.addCleanup(lambda: self.under({}))
        clara = self.world.agent("clara")
        self.ok(self.world.enrol(clara, ROSTER["clara"][0]))
        for agent in (self.anna, self.bernd, clara):
            agent.online()
        file, out = self.random_file("geheim.bin", 300_000, 5), self.folder / "verboten.bin"
        blobs = {}
        for agent, to in ((self.bernd, BERND), (clara, "Schulz, Celle")):
            blobs[agent] = self.ok(self.anna.run("send", "--to", to, "--file", file))["media"]["id"]
            agent.wait_for(lambda e, b=blobs[agent]: e.get("media", {}).get("id") == b, "the medium")
        before = self.told(clara, {"export_allowed": True})
        self.assertEqual(before["serial"], self.gateway.admin("policy")["serial"])
        self.bernd.offline()

        self.under({"policy.export_allowed": False, "policy.retention_days": 3})
        said = self.told(clara, {"export_allowed": False, "retention_days": 3})  # it was never away
        self.assertGreater(said["serial"], before["serial"])
        self.assertGreater(said["since_ms"], before["since_ms"])
        self.assertEqual(self.gateway.admin("policy")["serial"], said["serial"])
        for words in (("--out", out), ("--out", "-")):
            self.assertIn(b"policy does not allow media to leave the container", self.refused(clara, "get", blobs[clara], *words))
        self.assertFalse(out.exists())
        self.assertFalse((clara.home / "media" / f"{blobs[clara]}.sealed").exists())  # refused before it was fetched
        self.ok(clara.run("media", "get", blobs[clara]))  # to have it is allowed
        self.assertEqual(self.raw(clara, "media", "view", blobs[clara], "--", "cat").stdout, file.read_bytes())
        self.bernd.online()
        self.assertEqual(self.told(self.bernd, {"export_allowed": False})["serial"], said["serial"])

        self.under({"policy.export_allowed": False, "pilot.units": ["Celle"], "pilot.viewer_allowed": False})
        self.told(clara, {"viewer_allowed": False})  # of Celle
        self.told(self.bernd, {"viewer_allowed": True, "retention_days": 7})
        self.assertIn(b"nor to be shown by another program", self.refused(clara, "view", blobs[clara], "--", "cat"))
        self.refused(clara, "view", blobs[clara], "--range", "0-10", "--", "cat")
        self.assertEqual(self.raw(self.bernd, "media", "view", blobs[self.bernd], "--", "cat").stdout, file.read_bytes())
        self.too_old(clara)

    def too_old(self, clara) -> None:
        """Below the version that policy names it shows what comes, sends nothing, and says why."""
        self.under({"policy.minimum_agent": "99.0.0"})
        self.told(clara, {"minimum_agent": "99.0.0", "export_allowed": True})
        sent = clara.run("send", "--to", BERND, "zu alt")
        self.assertEqual(sent.status, 6, sent.err)
        self.assertIn("99.0.0", sent.err)
        self.assertIn("update the older side", sent.err)
        self.assertIn("UPDATE", self.raw(clara, "status").stdout.decode())
        self.under({"policy.minimum_agent": "0.0.1"})
        self.told(clara, {"minimum_agent": "0.0.1"})
        self.ok(clara.run("send", "--to", BERND, "wieder neu genug"))

    def test_a_policy_that_no_administrator_signed_does_not_count(self):
        """The gateway's own key of an administrator is another one than handsets have pinned."""
        self.toml = self.gateway.configuration.read_text()
        true_key = (self.gateway.folder / "keys" / "administrator.key").read_bytes()
        self.addCleanup(lambda: self.under({}, true_key))
        self.anna.online()
        held = self.told(self.anna, {"retention_days": 7})
        self.under({"policy.offline_grace_hours": 72}, bytes(range(32)))
        wait_until(lambda: self.ok(self.anna.run("status")).get("policy_refused"), "the forged policy", 90, self.supervisor)
        self.assertEqual(self.policy(self.anna), held)
        self.under({"policy.offline_grace_hours": 3}, true_key)
        self.assertGreater(self.told(self.anna, {"offline_grace_minutes": 180})["serial"], held["serial"])
        self.assertNotIn("policy_refused", self.ok(self.anna.run("status")))

    @unittest.skipUnless(shutil.which("ffmpeg"), "ffmpeg is not installed: no real video to send")
    def test_a_video_comes_with_size_duration_and_frame(self):
        film = self.folder / "film.mp4"
        self.film(film)
        self.bernd.online()
        self.anna.online()
        sent = self.ok(self.anna.run("send", "--to", BERND, "--file", film, "--caption", "mit Bild"))
        self.assertNotIn("frame", sent["media"])
        got = self.bernd.wait_for(lambda e: e.get("caption") == "mit Bild", "the video")["media"]
        self.assertEqual((got["type"], got["width"], got["height"]), ("video/mp4", 640, 360))
        self.assertTrue(2_500 < got["duration_ms"] < 3_500, got)
        self.assertTrue(sent["media"]["stripped"])
        self.assertEqual(self.ok(self.bernd.run("media", "get", got["id"]))["sha256"], sent["media"]["sha256"])

    def film(self, file, *more) -> None:
        subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=size=640x360:rate=10", "-f", "lavfi", "-i",
                        "sine", "-t", "3", "-c:v", "mpeg4", "-c:a", "aac", *more, file], check=True)

    def received(self, agent, blob: str, name: str):
        agent.wait_for(lambda e: e.get("media", {}).get("id") == blob, "the medium")
        out = self.folder / name
        self.ok(agent.run("media", "get", blob, "--out", out))
        return out

    @unittest.skipUnless(shutil.which("ffmpeg"), "ffmpeg is not installed: no real video to send")
    def test_no_position_leaves_in_a_video(self):
        """As phones write it: MP4's own place, Apple's, and in a track of time codes; read by programs of others."""
        def frames(file):
            return subprocess.run(["ffmpeg", "-v", "error", "-i", file, "-map", "0:v", "-map", "0:a", "-f", "framemd5",
                                   "-"], check=True, capture_output=True).stdout

        def facts(file):
            shown = subprocess.run(["ffprobe", "-v", "error", "-show_format", "-show_streams", file], check=True,
                                   capture_output=True, text=True).stdout
            return shown + subprocess.run(["exiftool", "-n", "-a", "-G", "-ee", "-api", "RequestAll=3", file], check=True,
                                          capture_output=True, text=True).stdout.split("[QuickTime]", 1)[-1]
        secret = ("-metadata", "location=+52.6226+010.0815/", "-metadata", "creation_time=2026-11-23T13:05:06Z",
                  "-metadata", "com.apple.quicktime.location.ISO6709=+52.6226+010.0815/", "-metadata", "title=GEHEIM",
                  "-metadata:s:v", "handler_name=GEHEIM", "-metadata:s:v", "timecode=13:05:06:00")
        self.bernd.online()
        self.anna.online()
        for name, *more in (("a.mp4",), ("b.mov",), ("c.mp4", "-movflags", "+faststart"),
                            ("d.mov", "-movflags", "use_metadata_tags"),
                            ("e.mp4", "-movflags", "use_metadata_tags+faststart")):
            film = self.folder / name
            self.film(film, *secret, *more)
            for trace in ("52.622", "2026-11-23"):
                self.assertIn(trace, facts(film).replace("2026:11:23", "2026-11-23"))
            sent = self.ok(self.anna.run("send", "--to", BERND, "--file", film))["media"]
            self.assertTrue(sent["stripped"])
            out = self.received(self.bernd, sent["id"], f"received-{name}")
            for trace in ("52.622", "2026-11-23", "2026:11:23", "GEHEIM", "ISO6709"):
                self.assertNotIn(trace, facts(out))
                self.assertNotIn(trace.encode(), out.read_bytes())
            self.assertEqual(out.stat().st_size, film.stat().st_size)
            self.assertEqual(frames(out), frames(film))
            event = self.bernd.wait_for(lambda e, blob=sent["id"]: e.get("media", {}).get("id") == blob, "its event")
            self.assertEqual(event["media"]["captured_ms"], 1_795_439_106_000)  # which travelled sealed

        # What was cut is refused with a next step, and goes only when somebody says so.
        cut = self.folder / "cut.mp4"
        cut.write_bytes((self.folder / "c.mp4").read_bytes()[:-1])
        refused = self.anna.run("send", "--to", BERND, "--file", cut)
        self.assertEqual(refused.status, 6, refused.out)
        self.assertIn("--as-it-is", refused.err)
        sent = self.ok(self.anna.run("send", "--to", BERND, "--file", cut, "--as-it-is"))["media"]
        self.assertFalse(sent["stripped"])
        self.assertEqual(self.received(self.bernd, sent["id"], "whole.mp4").read_bytes(), cut.read_bytes())
        photo = self.folder / "evidence.jpg"
        subprocess.run([sys.executable, ROOT / "tests/tools/make_photo.py", photo, "--size", "300x200"], check=True,
                       capture_output=True)
        sent = self.ok(self.anna.run("send", "--to", BERND, "--photo", photo, "--as-it-is"))["media"]
        self.assertEqual(sent["sha256"], hashlib.sha256(photo.read_bytes()).hexdigest())

    def test_a_photo_goes_small_where_it_is_told_to_and_original_on_a_good_network(self):
        photo = self.folder / "gross.jpg"
        subprocess.run([sys.executable, ROOT / "tests/tools/make_photo.py", photo, "--size", "3000x2000"], check=True,
                       capture_output=True)
        self.bernd.online()
        self.anna.online()
        whole = self.ok(self.anna.run("send", "--to", BERND, "--photo", photo))["media"]
        self.assertEqual((whole["variant"], whole["bytes"]), ("original", whole["original_bytes"]))
        small = self.ok(self.anna.run("send", "--to", BERND, "--photo", photo, "--small"))["media"]
        self.assertEqual(small["variant"], "small")
        self.assertLess(small["bytes"], whole["bytes"] / 2)
        got = self.bernd.wait_for(lambda e: e.get("media", {}).get("id") == small["id"], "the small one")["media"]
        self.assertLessEqual(max(got["width"], got["height"]), 1_600)
        self.assertIn("captured_ms", got)
        out = self.folder / "klein.jpg"
        self.ok(self.bernd.run("media", "get", got["id"], "--out", out))
        self.assertEqual(out.read_bytes()[:3], b"\xff\xd8\xff")
        self.assertNotIn(b"Exif", out.read_bytes())


if __name__ == "__main__":
    unittest.main()
