#!/usr/bin/python3
"""The live server against schemas/openapi.yaml: every media status is produced, every answer and limit is as it says.

What any request may be answered with is in any_request.py, in the same world; times are in times_test.py."""
import base64
import hashlib
import json
import re
import secrets
import time
from email.utils import parsedate_to_datetime

from any_request import API, AnyRequest, documented
from jsonschema import validate
from media_world import MediaTest, unittest
from second_device import add_second

LIMITS = API["x-media-limits"]
TYPE = {"Content-Type": "application/offset+octet-stream"}


def operation(method: str, path: str) -> dict:
    return API["paths"]["/v1/media" if path == "/v1/media" else "/v1/media/{id}"][method.lower()]


def schema_of(problem: dict) -> dict:
    return API["components"]["schemas"][problem["$ref"].rsplit("/", 1)[1]]


def checksum(data: bytes) -> dict:
    return {"Upload-Checksum": "sha1 " + base64.b64encode(hashlib.sha1(data).digest()).decode()}


class Contract(AnyRequest, MediaTest):
    PEOPLE = ("anna", "bernd", "clara")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.device = next(line["device"] for line in cls.gateway.admin("devices", "list") if "Clara" in line["name"])

    def setUp(self):
        self.seen = set()

    def expect(self, status: int, method: str, path: str, headers=None, body=b"", **more) -> dict:
        """Asks, and holds the answer against the contract. Its headers."""
        operation_ = operation((headers or {}).get("X-HTTP-Method-Override", method), path)
        got, fields, text = self.ask(method, path, headers, body, **more)
        self.assertEqual(got, status, text)
        said = documented(operation_, status)
        self.assertTrue(said, "it is documented nowhere")
        self.assertEqual(fields["tus-resumable"], "1.0.0")
        if "$ref" in said:
            self.assertEqual(fields["content-type"], "application/problem+json")
            if method != "HEAD":
                problem = json.loads(text)
                validate(problem, schema_of(API["components"]["responses"]["Problem"]["content"]
                                            ["application/problem+json"]["schema"]))
                self.assertIn(problem["code"], said["x-codes"])
                self.seen.add((method, status, problem["code"]))
        asks = "tus" if (headers or {}).get("Tus-Resumable", "1.0.0") else "readers"
        for name, header in said.get("headers", {}).items():
            if header.get("required", True) or header.get("x-of") == asks:
                self.assertIn(name.lower(), fields)
            if name.lower() in fields:
                validate(fields[name.lower()], header["schema"])
        known = {name.lower() for name in said.get("headers", {})} | {
            "date", "content-length", "content-type", "connection", "cache-control", "tus-resumable", "tus-version",
            "www-authenticate", "retry-after", "upload-offset", "content-range"}
        self.assertEqual(set(fields) - known, set())
        self.seen.add((method, status))
        return fields

    def begun(self, length: int, **more) -> str:
        return self.expect(201, "POST", "/v1/media",
                           {"Upload-Length": str(length), **self.metadata(secrets.token_bytes(16))}, **more)["location"]

    def tokens_refused(self, method: str, path: str, headers=None):
        self.expect(401, method, path, headers, who=None)
        self.expect(401, method, path, headers, token="x" * 160)
        self.expect(401, method, path, headers, token=self.token("anna", seconds_left=-60))
        self.expect(403, method, path, headers, who="clara")
        for code in ("ERR_TOKEN_MISSING", "ERR_TOKEN_INVALID", "ERR_TOKEN_EXPIRED"):
            self.assertTrue(method == "HEAD" or (method, 401, code) in self.seen, code)

    def shut_out_clara(self):
        self.gateway.admin("suspend", self.device)
        self.addCleanup(self.gateway.admin, "resume", self.device)

    def test_every_answer(self):
        data, name = secrets.token_bytes(1_000), secrets.token_bytes(16)
        self.shut_out_clara()
        self.expect(204, "OPTIONS", "/v1/media", who=None)
        self.post(data, name)
        path = self.begun(len(data))
        self.patch_answers(path, data)
        self.head_answers(path)
        self.get_answers(path, data)
        self.delete_answers(path)
        missing = []
        for where in ("/v1/media", "/v1/media/{id}"):
            for method, operation_ in API["paths"][where].items():
                for status, said in operation_.get("responses", {}).items() if method != "parameters" else ():
                    if not said.get("x-race") and "x-tested-in" not in said and (method.upper(), int(status)) not in self.seen:
                        missing.append((method, status))
        self.assertEqual(missing, [])  # 423 is for two that write at once: whoever is overtaken is cut mostly

    def post(self, data: bytes, name: bytes):
        length, id_ = {"Upload-Length": str(len(data))}, self.metadata(name)
        self.tokens_refused("POST", "/v1/media", {**length, **id_})
        self.expect(412, "POST", "/v1/media", {**length, **id_, "Tus-Resumable": "0.2.2"})
        self.expect(400, "POST", "/v1/media", id_)
        self.expect(400, "POST", "/v1/media", length)
        self.expect(400, "POST", "/v1/media", {**length, **id_, **TYPE, "Upload-Checksum": "md5 AAAA"}, data)
        self.expect(413, "POST", "/v1/media", {"Upload-Length": str(LIMITS["policy_max_bytes"] + 1), **id_})
        self.expect(415, "POST", "/v1/media", {**length, **id_, "Content-Type": "image/jpeg"}, data)
        self.expect(460, "POST", "/v1/media", {**length, **self.metadata(secrets.token_bytes(16)), **TYPE,
                                               **checksum(b"other")}, data)
        self.expect(201, "POST", "/v1/media", {**length, **id_, **TYPE, **checksum(data)}, data)
        self.expect(409, "POST", "/v1/media", {"Upload-Length": "5", **id_})
        self.expect(409, "POST", "/v1/media", {**length, **id_}, who="bernd")
        gone = {"Upload-Concat": f"final;/v1/media/{secrets.token_hex(16)}", **self.metadata(secrets.token_bytes(16))}
        self.expect(404, "POST", "/v1/media", gone)
        self.expect(403, "POST", "/v1/media", {**gone, **TYPE}, b"x")
        self.assertIn(("POST", 403, "ERR_FORBIDDEN"), self.seen)
        self.assertIn(("POST", 403, "ERR_DEVICE_SUSPENDED"), self.seen)
        self.concatenate(data)
        for _ in range(4):  # four of 512 MiB fill the device's quota, beside the rest
            status, _, text = self.ask("POST", "/v1/media", {"Upload-Length": str(LIMITS["policy_max_bytes"]),
                                                             **self.metadata(secrets.token_bytes(16))}, who="bernd")
        self.assertEqual(status, 201, text)
        self.expect(507, "POST", "/v1/media", {**length, **self.metadata(secrets.token_bytes(16))}, who="bernd")

    def concatenate(self, data: bytes):
        part = self.expect(201, "POST", "/v1/media", {"Upload-Length": str(len(data)), "Upload-Concat": "partial", **TYPE},
                           data)["location"]
        whole = self.expect(201, "POST", "/v1/media", {"Upload-Concat": f"final;{part}",
                                                       **self.metadata(secrets.token_bytes(16))})["location"]
        self.assertEqual(self.expect(200, "HEAD", whole)["upload-concat"], f"final;{part}")
        self.expect(403, "PATCH", whole, {**TYPE, "Upload-Offset": str(len(data))}, b"x")
        self.expect(403, "DELETE", part)
        self.expect(204, "DELETE", whole)

    def patch_answers(self, path: str, data: bytes):
        at = {**TYPE, "Upload-Offset": "0"}
        self.tokens_refused("PATCH", path, at)
        self.expect(412, "PATCH", path, {**at, "Tus-Resumable": "2"}, data)
        self.expect(400, "PATCH", path, TYPE, data)
        self.expect(400, "PATCH", path, at, data + b"x")
        self.expect(400, "PATCH", path, {**at, "Upload-Checksum": "crc32 AAAA"}, data)
        self.expect(404, "PATCH", path, at, data, who="bernd")
        self.expect(415, "PATCH", path, {"Upload-Offset": "0"}, data)
        self.expect(460, "PATCH", path, {**at, **checksum(b"other")}, data)
        self.assertEqual(self.expect(409, "PATCH", path, {**TYPE, "Upload-Offset": "7"}, data)["upload-offset"], "0")
        later = self.expect(201, "POST", "/v1/media", {"Upload-Defer-Length": "1",
                                                       **self.metadata(secrets.token_bytes(16))})["location"]
        self.assertEqual(self.expect(200, "HEAD", later)["upload-defer-length"], "1")
        self.expect(413, "PATCH", later, {**at, "Upload-Length": str(LIMITS["policy_max_bytes"] + 1)})
        self.expect(204, "DELETE", later)
        self.expect(204, "POST", path, {**at, "X-HTTP-Method-Override": "PATCH"}, data[:400])
        self.expect(204, "PATCH", path, {**TYPE, "Upload-Offset": "400", **checksum(data[400:])}, data[400:])
        self.seen.add(("PATCH", 204))

    def head_answers(self, path: str):
        self.tokens_refused("HEAD", path)
        self.expect(412, "HEAD", path, {"Tus-Resumable": "2"})
        self.expect(404, "HEAD", path, who="bernd")
        told = self.expect(200, "HEAD", path)
        self.assertNotIn("etag", told)
        reader = {"Tus-Resumable": None}
        self.tokens_refused("HEAD", path, reader)
        self.expect(404, "HEAD", "/v1/media/" + "0" * 32, reader)
        told = self.expect(200, "HEAD", path, reader, who="bernd")
        self.assertNotIn("upload-offset", told)
        self.assertEqual(self.expect(200, "GET", path, who="bernd")["content-length"], told["content-length"])
        self.expect(304, "HEAD", path, {**reader, "If-None-Match": told["etag"]})
        self.expect(200, "HEAD", path, {**reader, "Range": "bytes=0-1"})

    def get_answers(self, path: str, data: bytes):
        self.tokens_refused("GET", path)
        self.expect(404, "GET", "/v1/media/" + "0" * 32)
        tag = self.expect(200, "GET", path, who="bernd")["etag"]
        self.expect(206, "GET", path, {"Range": "bytes=-5"})
        self.expect(304, "GET", path, {"If-None-Match": tag})
        self.expect(416, "GET", path, {"Range": f"bytes={len(data)}-"})

    def delete_answers(self, path: str):
        self.tokens_refused("DELETE", path)
        self.expect(412, "DELETE", path, {"Tus-Resumable": "2"})
        self.expect(404, "DELETE", path, who="bernd")
        self.expect(204, "DELETE", path)

    def test_every_limit(self):
        options = self.expect(204, "OPTIONS", "/v1/media", who=None)
        self.assertEqual(int(options["tus-max-size"]), LIMITS["policy_max_bytes"])
        id_ = self.metadata(secrets.token_bytes(16))["Upload-Metadata"]
        padded = (id_ + ",x ").ljust(LIMITS["metadata_bytes"], "A")
        self.expect(413, "POST", "/v1/media", {"Upload-Length": "1", "Upload-Metadata": padded + "A"})
        self.expect(201, "POST", "/v1/media", {"Upload-Length": "1", "Upload-Metadata": padded})
        parts = ["/v1/media/" + secrets.token_hex(16)] * (LIMITS["parts"] + 1)
        named = {"Upload-Metadata": id_}
        self.expect(413, "POST", "/v1/media", {"Upload-Concat": "final;" + " ".join(parts), **named})
        named = self.metadata(secrets.token_bytes(16))
        self.expect(404, "POST", "/v1/media", {"Upload-Concat": "final;" + " ".join(dict.fromkeys(
            "/v1/media/" + secrets.token_hex(16) for _ in range(LIMITS["parts"]))), **named})
        path = self.begun(10)
        ends = parsedate_to_datetime(self.expect(200, "HEAD", path)["upload-expires"]).timestamp()
        self.assertAlmostEqual(ends - time.time(), LIMITS["unnamed_hours"] * 3600, delta=120)

    def open_uploads(self, who: str) -> tuple:
        """How many that handset may begin, and what it is told then."""
        begun, session = 0, self.session()
        while True:
            status, _, text = self.ask("POST", "/v1/media", {
                "Upload-Length": "1", **self.metadata(secrets.token_bytes(16))}, who=who, over=session)
            if status != 201:
                break
            begun += 1
        session.close()
        problem = json.loads(text)
        self.assertEqual((status, problem["code"]), (507, "ERR_QUOTA"))
        return begun, problem["detail"]

    def test_open_uploads(self):
        """Three handsets of one person."""
        for name in ("clara-2", "clara-3"):
            self.tokens[name] = add_second(self, self.clara, name).run("token").last()["token"]
        device, person = LIMITS["policy_device_open_uploads"], LIMITS["policy_user_open_uploads"]
        self.assertEqual(self.open_uploads("clara"), (device, f"open uploads of this device: at most {device}"))
        self.assertEqual(self.open_uploads("clara-2")[0], person - device)
        self.assertEqual(self.open_uploads("clara-3"), (0, f"open uploads of this person: at most {person}"))

    def enrol_refused(self, step: str, status: int, body: bytes) -> None:
        got, _, text = self.ask("POST", f"/v1/enrol/{step}", {"Content-Type": "application/x-protobuf"}, body, who=None)
        said = API["paths"][f"/v1/enrol/{step}"]["post"]["responses"][str(status)]
        self.assertEqual(got, status, text)
        self.assertIn(json.loads(text)["code"], said["x-codes"])
        self.seen.add(json.loads(text)["code"])

    def test_what_enrolment_refuses_without_knowing_anybody(self):
        """The last one by its name: from this address nobody enrols afterwards."""
        def field(number: int, value: bytes) -> bytes:
            return bytes([number << 3 | 2, len(value)]) + value
        key, address = field(3, secrets.token_bytes(32)), field(1, b"fremd@polizei.example")
        code = field(2, b"AAAA-AAAA")
        self.enrol_refused("begin", 403, address + code + key + b"\x20\x01")
        self.enrol_refused("begin", 403, address + code + key + b"\x20\x02")  # a private device
        self.enrol_refused("finish", 404, field(1, secrets.token_bytes(16)) + field(2, secrets.token_bytes(64)))
        self.assertEqual(self.seen, {"ERR_CODE_WRONG", "ERR_FORBIDDEN", "ERR_TICKET_UNKNOWN"})
        many = [self.ask("POST", "/v1/enrol/code", None, address, who=None) for _ in range(100)]
        self.assertEqual({status for status, _, _ in many}, {202, 429})
        self.assertEqual(json.loads(many[-1][2])["code"], "ERR_RATE_LIMITED")

    def test_the_defaults_of_the_configuration(self):
        template = self.gateway.configuration.read_text()
        for name, key in (("media_max_bytes", "max_bytes"), ("media_quota_bytes", "device_bytes"),
                          ("media_user_quota_bytes", "user_bytes"),
                          ("media_organisation_quota_bytes", "organisation_bytes"),
                          ("media_open_uploads", "device_open_uploads")):
            self.assertEqual(int(re.search(rf"# {name} = (\d+)", template)[1]), LIMITS[f"policy_{key}"])
        for name in ("head_seconds", "idle_seconds"):  # times_test.py
            self.assertEqual(int(re.search(rf"# {name} = (\d+)", template)[1]), LIMITS[name])


if __name__ == "__main__":
    unittest.main()
