"""Signed HTTPS requests to the deployed APIs, with nothing but botocore: what any client may do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from botocore.httpsession import URLLib3Session

from local.emulator import REGION

_TIMEOUT = 30


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: `fields` is the body's JSON object, empty where it is none."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def fields(self) -> dict[str, object]:
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def code(self) -> str:
        """The error's code, "" for none."""
        return str(self.fields.get("__type", ""))


@dataclass(frozen=True, slots=True)
class Signed:
    """Requests to one API as one principal; without credentials they are not signed at all."""

    url: str
    ca_bundle: Path
    credentials: ReadOnlyCredentials | None

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """One request. `path` is percent-encoded; `body` is text or bytes, or becomes JSON."""
        request = AWSRequest(
            method=method, url=self.url + path, data=_data(body), headers=dict(headers or {})
        )
        if self.credentials is not None:
            SigV4Auth(self.credentials, "execute-api", REGION).add_auth(request)
        verify: Any = str(self.ca_bundle)  # a path is taken too, the stubs know a bool only
        http = URLLib3Session(verify=verify, timeout=_TIMEOUT, proxies={})
        try:
            answer = http.send(request.prepare())
            return Reply(answer.status_code, dict(answer.headers), answer.content)
        finally:
            http.close()


def _data(body: object) -> bytes | None:
    if body is None or isinstance(body, bytes):
        return body
    if isinstance(body, str):
        return body.encode()
    return json.dumps(body).encode()
