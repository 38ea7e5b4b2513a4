"""One secret in Secrets Manager: the versions labelled AWSCURRENT and AWSPREVIOUS.

A version is used for new messages once every function has had the time to learn of it; until then
the previous one is. Values are never logged and never part of an error.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Protocol

from hatchway.core.errors import HatchwayError, InternalServerError
from lambdas.adapters.calls import Expected, Patience
from lambdas.adapters.signed import Service, Signed
from lambdas.ports import Clock, Secret

SERVICE = Service("Secrets Manager", "secretsmanager", "secretsmanager", "SECRETS_MANAGER")
PATIENCE = Patience(connect=1.0, read=3.0, attempts=3)
KEY_ID = 8
#: Seconds between two reads that unknown key ids cause, and after which it is read anyway.
REREAD = 60.0
REFRESH = 300.0
#: Age of a version, in seconds, from which on new messages are made with it.
SETTLED = 2 * REFRESH


class _Absent(InternalServerError):
    """No version of the secret has the label."""


@dataclass(frozen=True, slots=True)
class _Versions:
    current: Secret
    created: float
    previous: Secret | None
    read: float


class Calls(Protocol):
    """As much of `Signed` as is used here."""

    def json(
        self, target: str, members: Mapping[str, object], expected: Expected
    ) -> Mapping[str, object]: ...


class ManagedSecret:
    """The port Secrets, over one secret (its name or ARN); read at init."""

    def __init__(
        self,
        secret_id: str,
        clock: Clock = time.time,
        calls: Calls | None = None,
    ) -> None:
        self._secret_id = secret_id
        self._clock = clock
        self._calls = calls or Signed(SERVICE, PATIENCE)
        self._lock = Lock()
        self._versions = self._read()

    def current(self) -> Secret:
        self._refresh(REFRESH)
        known = self._versions
        if known.previous is not None and self._clock() < known.created + SETTLED:
            return known.previous
        return known.current

    def version(self, key_id: str) -> Secret | None:
        found = self._find(key_id)
        if found is None and self._refresh(REREAD):
            found = self._find(key_id)
        return found

    def _find(self, key_id: str) -> Secret | None:
        for secret in (self._versions.current, self._versions.previous):
            if secret is not None and secret.key_id == key_id:
                return secret
        return None

    def _refresh(self, age: float) -> bool:
        """Reads again when the last attempt is `age` seconds old; whether it did."""
        with self._lock:
            now = self._clock()
            if now - self._versions.read < age:
                return False
            try:
                self._versions = self._read()
            except HatchwayError:
                # What is known stays good; the next attempt waits its time as well.
                known = self._versions
                self._versions = _Versions(known.current, known.created, known.previous, now)
            return True

    def _read(self) -> _Versions:
        current = self._stage("AWSCURRENT")
        if current is None:
            raise InternalServerError("A secret of the service has no current version.")
        previous = self._stage("AWSPREVIOUS")
        return _Versions(
            current=current[0],
            created=current[1],
            previous=previous[0] if previous else None,
            read=self._clock(),
        )

    def _stage(self, label: str) -> tuple[Secret, float] | None:
        """The version with this label and when it was made; None where no version has it."""
        asked = {"SecretId": self._secret_id, "VersionStage": label}
        try:
            answer = self._calls.json(
                "secretsmanager.GetSecretValue", asked, {"ResourceNotFoundException": _Absent}
            )
        except _Absent:
            return None
        return _read_version(answer)


def _read_version(answer: Mapping[str, object]) -> tuple[Secret, float]:
    version, created = answer.get("VersionId"), answer.get("CreatedDate")
    binary, text = answer.get("SecretBinary") or "", answer.get("SecretString") or ""
    if not isinstance(version, str) or not isinstance(created, int | float):
        raise InternalServerError("Secrets Manager does not say which version a secret has.")
    value = base64.b64decode(str(binary)) or str(text).encode()
    if not value:
        raise InternalServerError("A secret of the service is empty.")
    return Secret(key_id=version[:KEY_ID], value=value), float(created)
