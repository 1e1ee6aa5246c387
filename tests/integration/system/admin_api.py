"""The administration as a console sees it: HTTP over the gateway's socket, held against schemas/openapi-admin.yaml."""
import http.client
import json
import re
import socket

import yaml
from jsonschema import validate
from people import ROOT

SCHEMAS = ROOT / "schemas"
DOCUMENTS = {name: yaml.safe_load((SCHEMAS / name).read_text()) for name in ("openapi-admin.yaml", "openapi.yaml")}
API = DOCUMENTS["openapi-admin.yaml"]
METHODS = ("get", "post", "delete", "put", "patch")


class SocketConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("gateway", timeout=60)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def ask(path_of_socket, method: str, path: str, body=None, token: str = "", headers=None) -> tuple:
    """Status, content type and what the body says; a dict or list is sent as JSON. `headers` instead of a body: no body
    follows, whatever they announce."""
    connection = SocketConnection(path_of_socket)
    data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
    connection.putrequest(method, path, skip_accept_encoding=True)
    for name, value in (headers or {"Content-Length": str(len(data or b""))}).items():
        connection.putheader(name, value)
    if token:
        connection.putheader("Authorization", f"Bearer {token}")
    connection.endheaders(data)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, answer.headers["content-type"], json.loads(text)


def plain(path: str) -> str:
    """A path whose parameters have no names."""
    return re.sub(r"\{\w+\}", "{}", path)


def operations() -> dict:
    """(METHOD, plain path) -> what the document says."""
    return {(method.upper(), plain(path)): said for path, methods in API["paths"].items()
            for method, said in methods.items() if method in METHODS}


def closed(schema: dict, document: str = "openapi-admin.yaml") -> dict:
    """The same without references, and with nothing allowed that it does not name."""
    if "$ref" in schema:
        name, _, where = schema["$ref"].partition("#/")
        document, found = name or document, DOCUMENTS[name or document]
        for part in where.split("/"):
            found = found[part]
        return closed(found, document)
    out = dict(schema)
    for part in out.pop("allOf", []):
        part = closed(part, document)
        out = {**part, **out, "properties": {**out.get("properties", {}), **part.get("properties", {})},
               "required": out.get("required", []) + part.get("required", [])}
    if "items" in out:
        out["items"] = closed(out["items"], document)
    if "properties" in out:
        out["properties"] = {name: closed(value, document) for name, value in out["properties"].items()}
        out.setdefault("additionalProperties", False)
    return out


def hold(test, operation: dict, status: int, kind: str, said) -> None:
    """Is this answer as the document says?"""
    test.assertIn(str(status), operation["responses"], said)
    promised = operation["responses"][str(status)]
    if "$ref" in promised:
        test.assertEqual(kind, "application/problem+json")
        validate(said, closed({"$ref": "openapi.yaml#/components/schemas/Problem"}))
        test.assertIn(said["code"], promised["x-codes"], said)
    else:
        test.assertEqual(kind, "application/json")
        validate(said, closed(promised["content"]["application/json"]["schema"]))
