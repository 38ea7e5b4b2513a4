"""The two ports of the data path without the SDK: SigV4 by hand over one kept connection.

Only to see what the SDK costs: no retries, no proxies, no endpoint rules, static credentials.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from dataclasses import dataclass
from http.client import HTTPConnection
from urllib.parse import quote, urlsplit

from hatchway.core.names import Topics


@dataclass(frozen=True, slots=True)
class Keys:
    """Static credentials for one service in one Region."""

    access_key_id: str
    secret_access_key: str
    region: str
    service: str


class Kept:
    """Signed POSTs over one connection."""

    def __init__(self, url: str, keys: Keys) -> None:
        parts = urlsplit(url)
        self._host, self._base = parts.netloc, parts.path.rstrip("/")
        self._connection = HTTPConnection(parts.netloc, timeout=10)
        self._keys = keys
        self._day, self._key = "", b""

    def post(self, path: str, query: str, body: bytes) -> int:
        path = self._base + path
        headers = self._signed(path, query, body)
        self._connection.request("POST", f"{path}?{query}" if query else path, body, headers)
        answer = self._connection.getresponse()
        answer.read()
        return answer.status

    def _signed(self, path: str, query: str, body: bytes) -> dict[str, str]:
        moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        digest = hashlib.sha256(body).hexdigest()
        signed = "host;x-amz-content-sha256;x-amz-date"
        canonical = (
            f"POST\n{quote(path)}\n{query}\nhost:{self._host}\nx-amz-content-sha256:{digest}\n"
            f"x-amz-date:{moment}\n\n{signed}\n{digest}"
        )
        scope = f"{moment[:8]}/{self._keys.region}/{self._keys.service}/aws4_request"
        hashed = hashlib.sha256(canonical.encode()).hexdigest()
        text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashed}"
        signature = hmac.digest(self._key_of(moment[:8]), text.encode(), "sha256").hex()
        return {
            "Host": self._host,
            "X-Amz-Date": moment,
            "X-Amz-Content-Sha256": digest,
            "Authorization": f"AWS4-HMAC-SHA256 Credential={self._keys.access_key_id}/{scope}, "
            f"SignedHeaders={signed}, Signature={signature}",
        }

    def _key_of(self, day: str) -> bytes:
        """The signing key, which changes once a day."""
        if day != self._day:
            key = f"AWS4{self._keys.secret_access_key}".encode()
            for part in (day, self._keys.region, self._keys.service, "aws4_request"):
                key = hmac.digest(key, part.encode(), "sha256")
            self._day, self._key = day, key
        return self._key


class RawDownlink:
    """The port Downlink, as far as `relay` uses it."""

    def __init__(self, stage: str, kept: Kept) -> None:
        self._stage, self._kept = stage, kept

    def hint(self, node_id: str, session_id: str) -> None:
        raise NotImplementedError("relay sends no hints")

    def data(self, node_id: str, session_id: str, sealed: bytes) -> None:
        topic = Topics(self._stage, node_id).data(session_id)
        self._kept.post(f"/topics/{quote(topic, safe='')}", "qos=1", sealed)


class RawClients:
    """The port Clients, as far as `uplink` uses it."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    def post(self, connection: str, text: str) -> bool:
        path = f"/@connections/{quote(connection, safe='')}"
        return self._kept.post(path, "", text.encode()) == 200

    def close(self, connection: str) -> None:
        raise NotImplementedError("uplink closes nothing")
