"""What any request may be answered with, whatever is asked: x-any-request of openapi.yaml against the live server."""
import http.client
import json
import re
from pathlib import Path

import yaml
from jsonschema import validate

ROOT = Path(__file__).resolve().parents[3]
API = yaml.safe_load((ROOT / "schemas" / "openapi.yaml").read_text())
ANY = API["x-any-request"]["responses"]
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
PROBLEM = API["components"]["schemas"]["Problem"]
HOST = "\r\nHost: x\r\n"


def documented(operation: dict, status: int) -> dict:
    """That answer, as it stands at the operation and at any request's."""
    own, general = operation.get("responses", {}).get(str(status), {}), ANY.get(str(status), {})
    return {**general, **own, "x-codes": own.get("x-codes", []) + general.get("x-codes", []),
            "headers": {**general.get("headers", {}), **own.get("headers", {})}} if own or general else {}


def operations() -> list:
    """(method, a path that fits, what is documented of it) of all."""
    return [(method.upper(), re.sub(r"{\w+}", lambda name: "1" if name[0] == "{revision}" else "0" * 32, path), operation)
            for path, item in API["paths"].items() for method, operation in item.items() if method.upper() in METHODS]


def body_limit(operation: dict):
    body = operation.get("requestBody", {})
    if "$ref" in body:
        body = API["components"]["requestBodies"][body["$ref"].rsplit("/", 1)[1]]
    return body.get("x-max-bytes")


class AnyRequest:
    """Beside MediaTest, with a suspended clara."""

    def refused(self, status: int, answer: tuple, path: str, body: bool = True) -> dict:
        """Holds an answer against x-any-request. Its headers."""
        got, fields, text = answer
        self.assertEqual(got, status, (path, text))
        said = ANY[str(status)]
        for name, header in said.get("headers", {}).items():
            validate(fields[name.lower()], header["schema"])
        self.assertEqual(fields["content-type"], "application/problem+json", path)
        self.assertEqual(fields.get("tus-resumable"), "1.0.0" if path.startswith("/v1/media") else None, path)
        if body:
            problem = json.loads(text)
            validate(problem, PROBLEM)
            self.assertEqual(problem["status"], status)
            self.assertIn(problem["code"], said["x-codes"], path)
            self.met.add((status, problem["code"]))
        return fields

    def sent(self, head: str, body: bytes = b"") -> tuple:
        """The answer to bytes that http.client would not send."""
        tls = self.connected()
        tls.sendall(head.encode() + b"\r\n" + body)
        answer = http.client.HTTPResponse(tls)
        answer.begin()
        out = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        tls.close()
        return out

    def test_what_any_request_may_be_answered_with(self):
        self.met = set()
        self.shut_out_clara()
        for method, path, operation in operations():
            head = method == "HEAD"
            self.refused(431, self.ask(method, path, {"X-Long": "x" * API["x-media-limits"]["head_bytes"]}), path, not head)
            if operation.get("security") != []:
                for token in (None, "x" * 160):
                    self.refused(401, self.ask(method, path, who=None, token=token), path, not head)
                self.refused(403, self.ask(method, path, who="clara"), path, not head)
            if most := body_limit(operation):
                self.refused(400, self.ask(method, path, body=b"\xff" * most), path)
                self.refused(413, self.ask(method, path, body=b"\xff" * (most + 1)), path)
        self.refused(401, self.ask("GET", "/v1/people", token=self.token("anna", seconds_left=-60)), "/v1/people")
        for path in ("/v1/media/" + "0" * 32, "/v1/directory/dump", "/v1/status"):
            method = "DELETE" if "media" in path else "GET"
            self.refused(413, self.ask(method, path, body=b"x"), path)
        for path in ("/", "/v1", "/v1/nothing", "/v1/media/x/y", "/v1/media/"):
            self.refused(404, self.ask("GET", path), path)
        self.malformed()
        missing = {(int(status), code) for status, said in ANY.items() if "x-tested-in" not in said
                   for code in said["x-codes"]} - self.met
        # in limits_test.py; on every path, in the test below
        self.assertEqual(missing, {(403, "ERR_DEVICE_REVOKED"), (405, "ERR_METHOD_NOT_ALLOWED")})

    def malformed(self):
        path, chunked = "/v1/enrol/code", HOST + "Transfer-Encoding: chunked\r\n"
        for head, body in ((f"GET {path} HTTP/3.0{HOST}", b""), (f"GET {path}{HOST}", b""), ("nonsense\r\n", b""),
                           (f"GET {path} HTTP/1.1\r\n", b""), (f"GET {path} HTTP/1.1{HOST}Host: y\r\n", b""),
                           (f"GET /v1/people?name=%zz HTTP/1.1{HOST}", b""), (f"GET http://x{path} HTTP/1.1{HOST}", b""),
                           (f"GET {path} HTTP/1.1{HOST}Bad Name: x\r\n", b""),
                           (f"POST {path} HTTP/1.1{HOST}Content-Length: x\r\n", b""),
                           (f"POST {path} HTTP/1.1{chunked}", b"zz\r\n\r\n")):
            self.refused(400, self.sent(head, body), path)
        self.refused(400, self.sent(f"PATCH /v1/media/1 HTTP/1.1{HOST}Host: y\r\n"), "/v1/media/1")
        much = b"1001\r\n" + b"\xff" * 0x1001 + b"\r\n0\r\n\r\n"
        self.refused(413, self.sent(f"POST {path} HTTP/1.1{chunked}", much), path)

    def test_each_path_has_the_methods_that_are_documented_and_says_so(self):
        self.met, session = set(), self.session()
        for pattern, item in API["paths"].items():
            path = re.sub(r"{\w+}", lambda name: "1" if name[0] == "{revision}" else "0" * 32, pattern)
            methods = {method.upper() for method in item} & set(METHODS)
            allowed = sorted(methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set()))
            for method in (*METHODS, "BREW"):
                if method in allowed:
                    continue
                fields = self.refused(405, self.ask(method, path, over=session), path, method != "HEAD")
                self.assertEqual(sorted(fields["allow"].split(", ")), allowed, pattern)
            status, fields, _ = self.ask("OPTIONS", path, over=session, who=None)
            self.assertEqual(status, 204, path)
            if "options" not in item:
                self.assertEqual(sorted(fields["allow"].split(", ")), allowed, pattern)
        session.close()

    def test_each_route_of_the_gateway_is_documented(self):
        rows, methods = set(), {"del": "delete"}
        for file in (ROOT / "gateway").rglob("*.cpp"):
            for method, path in re.findall(r'Method::(\w+),\s*"(/v1/(?!admin/)[^"]+)"', file.read_text()):
                rows.add((path, methods.get(method, method)))
        there = {(path, method) for path, item in API["paths"].items() for method in item if method != "parameters"}
        self.assertEqual(rows, there)
