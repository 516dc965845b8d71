# SPDX-License-Identifier: Apache-2.0
"""A stand-in for Kaggle's download service: an API host that asks for credentials where told to and
redirects to a storage host (another port), which serves ranges and misbehaves on command.

    with KaggleServer() as server:
        server.publish("alice/tables", data, faults=[Cut(1000)])
        ... influence fetch kaggle:alice/tables --base-url {server.url}
        server.requests   # [Request(host="api" or "storage", path, headers)]

A fault is used up by one request to the storage host (or to the API host, with api_faults); after
the last one everything goes well.
"""

import base64
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PREFIX = "/api/v1/datasets/download/"


@dataclass
class Status:
    """Answer with a status, some headers and a body."""
    code: int
    headers: dict = field(default_factory=dict)
    body: bytes = b"secret error page"


@dataclass
class Cut:
    """Announce everything, send so many bytes, close the line."""
    after: int


@dataclass
class Announce:
    """Announce so many bytes more (or fewer) than are sent."""
    extra: int


@dataclass
class Stall:
    """Send so many bytes and then nothing."""
    after: int
    seconds: float = 30


@dataclass
class Drip:
    """Send in pieces, with a pause behind each."""
    piece: int
    seconds: float


class NoRange:
    """Ignore the Range header."""


@dataclass
class OtherRange:
    """Answer a Range with a part that begins elsewhere."""
    shift: int


@dataclass
class DataSet:
    data: bytes
    etag: str = '"v1"'
    faults: list = field(default_factory=list)
    api_faults: list = field(default_factory=list)
    authorization: str = None  # what the API host must be sent
    location: str = None       # redirect there instead of the storage host
    direct: bool = False       # no redirect: the API host sends the data


@dataclass
class Request:
    host: str
    path: str
    headers: dict


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def reply(self, code, headers, body):
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        kaggle = self.server.kaggle
        path = self.path.split("?")[0]
        kaggle.requests.append(Request(self.server.name, self.path, dict(self.headers)))
        slug = path.removeprefix(PREFIX if self.server.name == "api" else "/bucket/")
        dataset = kaggle.datasets.get(slug)
        if dataset is None:
            return self.reply(404, {}, b"not found")
        if self.server.name == "storage" or dataset.direct:
            return self.storage(dataset)
        if dataset.api_faults:
            fault = dataset.api_faults.pop(0)
            return self.reply(fault.code, fault.headers, fault.body)
        if dataset.authorization and self.headers.get("Authorization") != dataset.authorization:
            return self.reply(401, {"WWW-Authenticate": "Basic"}, b"unauthorised")
        location = dataset.location or f"{kaggle.storage_url}/bucket/{slug}?X-Signature=hush"
        return self.reply(302, {"Location": location}, b"moved")

    def storage(self, dataset):
        fault = dataset.faults.pop(0) if dataset.faults else None
        if isinstance(fault, Status):
            return self.reply(fault.code, fault.headers, fault.body)
        data, total = dataset.data, len(dataset.data)
        start = 0
        asked = self.headers.get("Range")
        if asked and not isinstance(fault, NoRange) and self.headers.get("If-Range") == dataset.etag:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            if start >= total:
                return self.reply(416, {"Content-Range": f"bytes */{total}"}, b"")
        if isinstance(fault, OtherRange):
            start += fault.shift
        body = data[start:]
        extra = fault.extra if isinstance(fault, Announce) else 0
        self.send_response(206 if start else 200)
        self.send_header("ETag", dataset.etag)
        self.send_header("Accept-Ranges", "bytes")
        if start:
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        self.send_header("Content-Length", str(len(body) + extra))
        self.end_headers()
        self.close_connection = True
        if isinstance(fault, Cut):
            body = body[:fault.after]
        if isinstance(fault, Stall):
            self.wfile.write(body[:fault.after])
            self.wfile.flush()
            self.server.kaggle.closing.wait(fault.seconds)
            return
        if isinstance(fault, Drip):
            for at in range(0, len(body), fault.piece):
                self.wfile.write(body[at:at + fault.piece])
                self.wfile.flush()
                time.sleep(fault.seconds)
            return
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # a client that goes away in the middle is part of the tests


class KaggleServer:
    def __init__(self):
        self.datasets = {}
        self.requests = []
        self.closing = threading.Event()
        self.servers = {}
        for name in ("api", "storage"):
            server = Server(("127.0.0.1", 0), Handler)
            server.name, server.kaggle = name, self
            self.servers[name] = server
        self.url = f"http://127.0.0.1:{self.servers['api'].server_port}"
        self.storage_url = f"http://127.0.0.1:{self.servers['storage'].server_port}"

    def __enter__(self):
        for server in self.servers.values():
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *reason):
        self.closing.set()
        for server in self.servers.values():
            server.shutdown()
            server.server_close()

    def publish(self, slug, data, **more):
        self.datasets[slug] = DataSet(data, **more)
        return self.datasets[slug]

    def to(self, host):
        return [request for request in self.requests if request.host == host]


def basic(user, key):
    return "Basic " + base64.b64encode(f"{user}:{key}".encode()).decode()
