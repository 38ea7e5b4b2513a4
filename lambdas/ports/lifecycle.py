"""Lifecycle connections: a caller's own, for all of their sessions, and where they are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from hatchway.core.names import Owner
from lambdas.ports.sessions import Circumstances


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleToken:
    """A one-time token for a caller, known by its SHA-256 only; `about` is the signed request that
    it was given for, `api` the people API's id, `connection` is set when it was used."""

    digest: str
    owner: Owner
    arn: str
    about: Circumstances
    api: str
    expires: float
    connection: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleConnection:
    """A caller's WebSocket connection; it is of no use from `expires` (unix seconds) on."""

    connection: str
    owner: Owner
    expires: float


class LifecycleConnections(Protocol):
    """Lifecycle tokens and connections. Lists are eventually consistent."""

    def issue(self, token: LifecycleToken) -> None: ...

    def use(self, digest: str, connection: str, now: float) -> LifecycleToken | None:
        """Binds an unexpired token to its first connection, once; the same connection again is
        answered alike (a retry). None for an unknown, expired or used one."""
        ...

    def open(self, connection: LifecycleConnection) -> None:
        """Stores it; the same again changes nothing."""
        ...

    def close(self, connection: str) -> None:
        """Forgets it, if it is there."""
        ...

    def of(self, owner: Owner, now: float, most: int) -> Sequence[LifecycleConnection]:
        """An owner's connections that are of use now."""
        ...

    def due(self, now: float, most: int) -> Sequence[LifecycleConnection]:
        """Connections that are to be closed, those longest overdue first."""
        ...
