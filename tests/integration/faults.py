"""A proxy before the embedded AWS that throttles what it is told to, as AWS does.

It speaks HTTP: functions are pointed at it by a URL of its own, and what they sign stays as it is.
"""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

from local.stack import Stack

#: Seconds for an answer of the embedded AWS.
PATIENCE = 30.0
_HOP = {"connection", "transfer-encoding", "keep-alive"}
_SLOW_DOWN = (
    b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
)
_THROTTLED = json.dumps({"__type": "ThrottlingException", "message": "Rate exceeded"}).encode()


@dataclass(slots=True)
class Faults:
    """`throttled` are names of buckets and log groups that are throttled now, `seen` how often
    one was asked for meanwhile."""

    url: str = ""
    throttled: set[str] = field(default_factory=set)
    seen: int = 0

    def answer(self, path: str, target: str, body: bytes) -> tuple[int, bytes] | None:
        """What is said in AWS's stead; None where it is asked itself."""
        bucket = path.lstrip("/").partition("/")[0]
        if bucket in self.throttled:
            self.seen += 1
            return 503, _SLOW_DOWN
        if target.endswith(".PutLogEvents") and _group(body) in self.throttled:
            self.seen += 1
            return 400, _THROTTLED
        return None


def _group(body: bytes) -> str:
    return str(json.loads(body).get("logGroupName", ""))


@contextmanager
def faulty(stack: Stack) -> Iterator[Faults]:
    """The proxy, for as long as it is needed."""
    faults = Faults()
    trust = ssl.create_default_context(cafile=stack.places.ca_bundle)
    upstream = urlsplit(stack.emulator.endpoint)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            return

        def carry(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            said = faults.answer(self.path, self.headers.get("X-Amz-Target", ""), body)
            if said is not None:
                self.say(said[0], {}, said[1])
                return
            connection = http.client.HTTPSConnection(
                upstream.hostname or "", upstream.port, timeout=PATIENCE, context=trust
            )
            try:
                connection.request(self.command, self.path, body, dict(self.headers.items()))
                answer = connection.getresponse()
                self.say(answer.status, dict(answer.headers.items()), answer.read())
            finally:
                connection.close()

        def say(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in {*_HOP, "content-length", "date", "server"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)
            self.close_connection = True

    for method in ("GET", "PUT", "POST", "HEAD", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.carry)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        faults.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield faults
        finally:
            server.shutdown()
            thread.join()
