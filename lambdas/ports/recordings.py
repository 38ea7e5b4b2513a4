"""Recordings: where what passes is appended, what it is sealed with, and who is told."""

from __future__ import annotations

from typing import Protocol


class Recordings(Protocol):
    """The log of what passed, one stream for each session; it only ever grows."""

    def begin(self, session_id: str) -> None:
        """Makes the session's stream; silent where there is one."""
        ...

    def append(self, session_id: str, event: str, at: int) -> None:
        """Appends one event (at most `recording.MAX_EVENT`) that passed at `at`, unix
        milliseconds; it may be stored twice. ThrottlingException or InternalServerError where it
        is not known to be stored."""
        ...


class Troubles(Protocol):
    """The archive's queue."""

    def tell(self, session_id: str) -> None:
        """The session must be recorded and is not: it is to be ended."""
        ...


class Wrapper(Protocol):
    """The public half of the recordings' key, for whoever records."""

    def wrap(self, key: bytes) -> bytes:
        """A data key that nobody can take out again but an Unwrapper; InternalServerError or
        ThrottlingException where the public half cannot be had."""
        ...


class Unwrapper(Protocol):
    """The private half, for whoever reads recordings. It never leaves where it is kept."""

    def unwrap(self, wrapped: bytes) -> bytes:
        """The data key; MalformedRecording for what no Wrapper of this key made."""
        ...
