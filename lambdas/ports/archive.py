"""The archive: where recordings are kept for good, who signs for them, and what has passed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

#: Bytes of an object that is read whole.
MAX_OBJECT = 16 * 1024 * 1024
#: Names in one page of a listing.
MAX_NAMES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class NamePage:
    """Names that begin alike, in their order, and where the next page begins ("" at the end)."""

    names: Sequence[str]
    next_token: str = ""


class Archive(Protocol):
    """A bucket that only grows: what is written again is another version."""

    def put(self, name: str, data: bytes) -> None: ...

    def get(self, name: str) -> bytes | None:
        """The newest version; None where there is none. MalformedRecording for one that is larger
        than MAX_OBJECT."""
        ...

    def names(self, prefix: str, next_token: str = "") -> NamePage: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A signature of a SHA-256 digest, DER; `key` is the key's ARN."""

    key: str
    algorithm: str
    value: bytes


class Signer(Protocol):
    """A key that nobody can read, for signing alone."""

    def sign(self, digest: bytes) -> Signature: ...

    def made(self, digest: bytes, signature: Signature) -> bool:
        """Whether this key signed it."""
        ...


class PublicKeys(Protocol):
    """The other half of the signer's key."""

    def public_key(self, key: str) -> bytes:
        """SubjectPublicKeyInfo, DER; DoesNotExistException for a key that is none of ours."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedPage:
    """Events of one session's stream: (unix milliseconds, text), by time; and where to go on, ""
    where there is nothing more for now."""

    events: Sequence[tuple[int, str]]
    next_token: str = ""


class PassedLog(Protocol):
    """Reading what the relay stored: `Recordings` writes it."""

    def read(self, session_id: str, since: int, next_token: str = "") -> PassedPage:
        """Events from `since` (unix milliseconds) on; none where there is no such stream."""
        ...
