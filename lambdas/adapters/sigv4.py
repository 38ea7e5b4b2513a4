"""Signature Version 4 in an Authorization header, for services other than S3. It sends nothing.

As in the IAM User Guide, "Create a signed AWS API request"; the path is encoded twice, which all
services but S3 ask for.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

_ALGORITHM = "AWS4-HMAC-SHA256"
_UNRESERVED = "-_.~"


@dataclass(frozen=True, slots=True)
class Keys:
    """Whom a request is signed as; `session_token` is "" for keys that last."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Request:
    """What is signed. `path` stands as it is sent, escaped once and without dot segments;
    `headers` are all that are signed beyond the host and Signature Version 4's own."""

    method: str
    host: str
    path: str
    body: bytes = b""
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def query_string(self) -> str:
        """The query in canonical order, which is also how it is sent."""
        pairs = sorted((quote(k, _UNRESERVED), quote(v, _UNRESERVED)) for k, v in self.query)
        return "&".join(f"{name}={value}" for name, value in pairs)


class Signer:
    """Signs for one service in one Region; the key of the day is kept."""

    def __init__(self, region: str, service: str) -> None:
        self._place = f"{region}/{service}/aws4_request"
        self._parts = (region, service, "aws4_request")
        self._kept: tuple[str, str, bytes] = ("", "", b"")

    def headers(self, request: Request, keys: Keys, now: float) -> dict[str, str]:
        """All headers to send with `request`, in lower case; `now` in unix seconds."""
        moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
        headers = {name.lower(): " ".join(text.split()) for name, text in request.headers.items()}
        headers |= {"host": request.host, "x-amz-date": moment}
        if keys.session_token:
            headers["x-amz-security-token"] = keys.session_token
        names = ";".join(sorted(headers))
        scope = f"{moment[:8]}/{self._place}"
        hashed = hashlib.sha256(_canonical(request, headers, names).encode()).hexdigest()
        text = f"{_ALGORITHM}\n{moment}\n{scope}\n{hashed}"
        signature = hmac.digest(self._key(moment[:8], keys), text.encode(), "sha256").hex()
        headers["authorization"] = (
            f"{_ALGORITHM} Credential={keys.access_key_id}/{scope}, "
            f"SignedHeaders={names}, Signature={signature}"
        )
        return headers

    def _key(self, day: str, keys: Keys) -> bytes:
        kept_day, secret, key = self._kept
        if (kept_day, secret) != (day, keys.secret_access_key):
            key = f"AWS4{keys.secret_access_key}".encode()
            for part in (day, *self._parts):
                key = hmac.digest(key, part.encode(), "sha256")
            self._kept = (day, keys.secret_access_key, key)
        return key


def _canonical(request: Request, headers: Mapping[str, str], names: str) -> str:
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    digest = hashlib.sha256(request.body).hexdigest()
    path = quote(request.path, "/" + _UNRESERVED)
    return f"{request.method}\n{path}\n{request.query_string}\n{lines}\n{names}\n{digest}"
