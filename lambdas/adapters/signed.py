"""Signed HTTPS over one kept connection, for what every message passes: a few per cent of what the
SDK's import costs, and less than half of its processor time for a call.

Only for requests that may arrive twice: one whose answer was lost is sent again. It knows no
proxies, and credentials from the environment alone, which is where Lambda puts them.
"""

from __future__ import annotations

import json
import os
import random
import select
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from threading import Lock
from types import MappingProxyType
from urllib.parse import urlsplit

from hatchway.core.errors import InternalServerError
from lambdas.adapters import calls
from lambdas.adapters.calls import Expected, Patience
from lambdas.adapters.sigv4 import Keys, Request, Signer

#: Bytes read of an answer. The largest is a secret: 64 KB, in base64.
MAX_ANSWER = 256 * 1024
#: Seconds after which a connection is not used again. Who was frozen in between was not told that
#: the other end hung up.
MAX_IDLE = 30.0
#: Statuses that another attempt may mend; what is throttled is tried again as well.
TRANSIENT = frozenset({500, 502, 503, 504})
_TRANSIENT_CODES = frozenset({"RequestTimeout", "RequestTimeoutException"})

Query = tuple[tuple[str, str], ...]
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_NOTHING: Expected = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Service:
    """What a person calls it, the name it is signed for, the first part of its host name, and what
    the SDKs call it in AWS_ENDPOINT_URL_…"""

    title: str
    signing_name: str
    prefix: str
    sdk_name: str

    def url(self, environ: Mapping[str, str]) -> str:
        """Its address: what the SDKs' variables say, or the Region's own."""
        region = region_of(environ)
        suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        for name in (f"AWS_ENDPOINT_URL_{self.sdk_name}", "AWS_ENDPOINT_URL"):
            if environ.get(name):
                return environ[name]
        return f"https://{self.prefix}.{region}.{suffix}"


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    code: str
    body: bytes

    @property
    def passing(self) -> bool:
        return (
            self.status in TRANSIENT
            or self.code in _TRANSIENT_CODES
            or calls.throttled(self.code, self.status)
        )


class _Silence(Exception):
    """No answer; the cause says why."""


def region_of(environ: Mapping[str, str]) -> str:
    """The Region of the environment; InternalServerError where it names none."""
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
    if not region:
        raise InternalServerError("The environment names no Region.")
    return region


def keys_of(environ: Mapping[str, str]) -> Keys:
    """The environment's credentials, as they are now; InternalServerError where there are none."""
    key_id, secret = environ.get("AWS_ACCESS_KEY_ID"), environ.get("AWS_SECRET_ACCESS_KEY")
    if not key_id or not secret:
        raise InternalServerError("The environment holds no credentials.")
    return Keys(key_id, secret, environ.get("AWS_SESSION_TOKEN", ""))


class Signed:
    """Calls of one service. `url` is its address where it is not the Region's own.

    Calls from several threads wait for one another.
    """

    def __init__(
        self,
        service: Service,
        patience: Patience,
        url: str = "",
        environ: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        parts = urlsplit(url or service.url(environ))
        self.service, self._patience, self._environ = service, patience, environ
        self._host, self._base = parts.netloc, parts.path.rstrip("/")
        self._signer = Signer(region_of(environ), service.signing_name)
        self._line = _Line(parts.scheme, parts.netloc, patience, environ)
        self._clock, self._pause, self._lock = clock, pause, Lock()

    def json(
        self, target: str, members: Mapping[str, object], expected: Expected = _NOTHING
    ) -> dict[str, object]:
        """An operation of a service that speaks AWS JSON 1.1, e.g. "Logs_20140328.PutLogEvents"."""
        headers = {"content-type": "application/x-amz-json-1.1", "x-amz-target": target}
        body = json.dumps(members, separators=(",", ":")).encode()
        answer = _members(self.call("POST", "/", body, headers=headers, expected=expected))
        if answer is None:
            raise calls.unanswered(self.service.title)
        return answer

    def call(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        query: Query = (),
        headers: Mapping[str, str] = _NO_HEADERS,
        expected: Expected = _NOTHING,
    ) -> bytes:
        """The answer's body. `path` is escaped once; `expected` names errors by code or status.

        Errors are ThrottlingException, InternalServerError and those of `expected`.
        """
        request = Request(method, self._host, self._base + path, body, query, headers)
        with self._lock:
            answer = self._tried(request)
        if 200 <= answer.status < 300:
            return answer.body
        raise calls.meant(self.service.title, answer.code, answer.status, expected)

    def _tried(self, request: Request) -> _Answer:
        """The first answer that another attempt could not better, or the last one."""
        for attempt in range(1, self._patience.attempts + 1):
            last = attempt == self._patience.attempts
            try:
                answer = self._once(request)
                if last or not answer.passing:
                    return answer
            except _Silence as silence:
                if last:
                    raise calls.unanswered(self.service.title) from silence.__cause__
            self._pause(random.random() * 2 ** (attempt - 1))  # noqa: S311 - spreads, hides nothing
        raise AssertionError("a call is tried once at least")

    def _once(self, request: Request) -> _Answer:
        headers = self._signer.headers(request, keys_of(self._environ), self._clock())
        return self._line.exchange(request, headers)


class _Line:
    """The one kept connection."""

    def __init__(
        self, scheme: str, host: str, patience: Patience, environ: Mapping[str, str]
    ) -> None:
        self._scheme, self._host, self._patience, self._environ = scheme, host, patience, environ
        self._kept: HTTPConnection | None = None
        self._used = 0.0

    def __del__(self) -> None:
        self._drop()

    def exchange(self, request: Request, headers: dict[str, str]) -> _Answer:
        """One request and its answer; _Silence where there is none."""
        kept = self._fresh()
        try:
            if kept is not None:
                try:
                    return self._over(kept, request, headers)
                except ConnectionError:
                    # The other end had hung up, as it may at any time: no attempt was made.
                    kept.close()
            return self._over(self._open(), request, headers)
        except (OSError, HTTPException) as error:
            self._drop()
            raise _Silence from error

    def _over(
        self, connection: HTTPConnection, request: Request, headers: dict[str, str]
    ) -> _Answer:
        query = request.query_string
        target = f"{request.path}?{query}" if query else request.path
        connection.request(request.method, target, request.body, headers)
        with connection.getresponse() as response:
            body = response.read(MAX_ANSWER + 1)
            if len(body) > MAX_ANSWER or response.will_close:
                self._drop()
            else:
                self._used = time.monotonic()
            if len(body) > MAX_ANSWER:
                raise HTTPException("an answer beyond every limit")
            code = "" if response.status < 300 else _code(response.getheader, body)
            return _Answer(response.status, code, body)

    def _fresh(self) -> HTTPConnection | None:
        """The kept connection, if nobody has hung up and it was not left alone for long."""
        kept = self._kept
        if kept is None or kept.sock is None:
            return None
        poll = select.poll()
        poll.register(kept.sock, select.POLLIN)
        if time.monotonic() - self._used > MAX_IDLE or poll.poll(0):
            self._drop()
            return None
        return kept

    def _open(self) -> HTTPConnection:
        made: HTTPConnection
        if self._scheme == "https":
            context = _context(self._environ.get("AWS_CA_BUNDLE", ""))
            made = HTTPSConnection(self._host, timeout=self._patience.connect, context=context)
        else:
            made = HTTPConnection(self._host, timeout=self._patience.connect)
        made.connect()
        made.sock.settimeout(self._patience.read)
        self._kept = made
        return made

    def _drop(self) -> None:
        if self._kept is not None:
            self._kept.close()
            self._kept = None


@cache
def _context(bundle: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=bundle or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _code(header: Callable[[str], str | None], body: bytes) -> str:
    """AWS's error code: the header's, or the body's; "" where neither has one."""
    found = header("x-amzn-errortype") or _written(body)
    return found.partition(":")[0].rpartition("#")[2]


def _written(body: bytes) -> str:
    members = _members(body) or {}
    found = members.get("__type") or members.get("code")
    return found if isinstance(found, str) else ""


def _members(body: bytes) -> dict[str, object] | None:
    """A JSON object's members; None where it is none."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
