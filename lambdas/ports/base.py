"""What every family needs: secrets, a clock, randomness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from hatchway.core.errors import ConflictException


class Stale(ConflictException):
    """The record changed since it was read; read again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """One version of a secret; the key id goes with whatever was made with it."""

    key_id: str
    value: bytes


class Secrets(Protocol):
    """One secret and its versions in use, read once and again when a key id is unknown."""

    def current(self) -> Secret: ...

    def version(self, key_id: str) -> Secret | None: ...


class Clock(Protocol):
    def __call__(self) -> float:
        """Unix seconds."""
        ...


class Random(Protocol):
    def __call__(self, size: int, /) -> bytes:
        """Unpredictable bytes."""
        ...
