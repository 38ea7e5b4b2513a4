"""An AWS on loopback that answers what a test says, request by request, and keeps what it got."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

#: Reads the request, and closes the connection without a word.
HANG_UP: Literal["hang up"] = "hang up"
#: Reads the request, and says nothing until the test is over.
SILENCE: Literal["silence"] = "silence"


@dataclass(frozen=True, slots=True)
class Says:
    """One answer; `last` closes the connection after it, and `hushed` without having said so."""

    status: int = 200
    body: bytes = b"{}"
    code: str = ""
    last: bool = False
    hushed: bool = False


@dataclass(frozen=True, slots=True)
class Got:
    """One request, as it came in; `peer` is the connection's other port."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    peer: int


@dataclass(slots=True)
class ScriptedAws:
    """`answers` are used up one by one; without any left it says 200 and {}."""

    url: str
    answers: list[Says | str] = field(default_factory=list)
    got: list[Got] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    hung_up: threading.Event = field(default_factory=threading.Event)

    @property
    def connections(self) -> int:
        return len({one.peer for one in self.got})


def refusal(code: str, status: int = 400) -> Says:
    """As AWS's JSON services refuse; the text must never reach a peer."""
    body = json.dumps({"__type": f"com.amazonaws#{code}", "message": "secret text of AWS"})
    return Says(status, body.encode())


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    script: ScriptedAws

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        headers = {name.lower(): text for name, text in self.headers.items()}
        peer = int(self.client_address[1])
        self.script.got.append(Got(self.command, self.path, headers, body, peer))
        says = self.script.answers.pop(0) if self.script.answers else Says()
        if isinstance(says, Says):
            self._say(says)
            self.close_connection = says.last or says.hushed
        else:
            if says == SILENCE:
                self.script.over.wait(30)
            self.close_connection = True

    do_GET = do_POST = do_DELETE = _serve  # noqa: N815

    def _say(self, says: Says) -> None:
        self.send_response(says.status)
        if says.code:
            self.send_header("x-amzn-ErrorType", says.code)
        if says.last:
            self.send_header("Connection", "close")
        self.send_header("Content-Length", str(len(says.body)))
        self.end_headers()
        self.wfile.write(says.body)

    def finish(self) -> None:
        super().finish()
        self.connection.close()
        self.script.hung_up.set()

    def log_message(self, format: str, *args: object) -> None:
        return


@contextmanager
def scripted_aws(tls: ssl.SSLContext | None = None) -> Iterator[ScriptedAws]:
    """Runs until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    script = ScriptedAws(f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}")
    server.RequestHandlerClass = type("Handler", (_Handler,), {"script": script})
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield script
    finally:
        script.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
