"""A secret and its versions in memory."""

from __future__ import annotations

import hashlib

from lambdas.ports import Secret


class MemorySecrets:
    """The port Secrets. Two versions are in use: the current one and, after `rotate`, the last."""

    def __init__(self, name: str = "secret") -> None:
        self._name = name
        self._count = 0
        self._current = self._next()
        self._previous: Secret | None = None

    def current(self) -> Secret:
        return self._current

    def version(self, key_id: str) -> Secret | None:
        for secret in (self._current, self._previous):
            if secret is not None and secret.key_id == key_id:
                return secret
        return None

    def rotate(self) -> Secret:
        self._previous, self._current = self._current, self._next()
        return self._current

    def _next(self) -> Secret:
        self._count += 1
        value = hashlib.sha256(f"{self._name}/{self._count}".encode())
        return Secret(key_id=value.hexdigest()[:8], value=value.digest())
