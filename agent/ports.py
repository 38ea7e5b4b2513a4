"""What the agent needs from the world, as Protocols and plain records; no AWS types here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from hatchway.core.errors import HatchwayError
from hatchway.core.sealing import Cipher

Random = Callable[[int], bytes]
CipherOf = Callable[[bytes], Cipher]


class Unreachable(HatchwayError):
    """The service could not be reached, or did not answer in time."""

    code = "Unreachable"
    status = 503


class BadAnswer(HatchwayError):
    """The service's answer is too large or not what was agreed on."""

    code = "BadAnswer"
    status = 502


class StartFailed(HatchwayError):
    """What the session should run could not be started."""

    code = "StartFailed"


# --- the way to the service ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Credentials:
    """What signs a request; the secret parts are kept out of every repr."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Request:
    """A call of the agent API. `path` is percent-encoded and begins with a slash; `upload` marks
    frames, which may wait for one another but never keep anything else waiting."""

    method: str
    path: str
    body: bytes = field(default=b"", repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    upload: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; `retry_after` is the header's seconds or 0."""

    status: int
    body: bytes = field(default=b"", repr=False)
    retry_after: float = 0.0


class Listener(Protocol):
    """Hears one push connection; always called on the event loop's thread."""

    def up(self) -> None:
        """Connected and subscribed (again): from now on messages arrive."""
        ...

    def down(self, code: str) -> None:
        """The connection ended or could not be made; it is tried again by itself."""
        ...

    def message(self, payload: bytes) -> None: ...

    def overflow(self) -> None:
        """A message was dropped: too large, or too many waited."""
        ...


class Listening(Protocol):
    """A push connection that keeps itself connected."""

    async def close(self) -> None: ...


class Transport(Protocol):
    """Signed HTTPS calls and push connections."""

    async def send(
        self, request: Request, credentials: Credentials | None, deadline: float
    ) -> Answer:
        """The answer within `deadline` seconds, signed with the instance's own credentials where
        none are given; Unreachable, BadAnswer (too large)."""
        ...

    def listen(
        self,
        endpoint: str,
        client_id: str,
        topic: str,
        credentials: Callable[[], Credentials],
        listener: Listener,
    ) -> Listening:
        """A push connection to `endpoint` (host or host:port) that reads one topic."""
        ...

    async def close(self) -> None: ...


# --- what a session runs ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Client:
    """The client that starts what the session runs: whether it speaks Hatchway's extensions, and
    what it says of its terminal and language (`hatchway.core.environment`)."""

    extended: bool = True
    environment: Mapping[str, str] = field(default_factory=dict)


class Screen(Protocol):
    """Where what runs leaves its output: the session."""

    def output(self, data: bytes, *, error: bool = False) -> None:
        """`error`: it is standard error, which travels apart."""
        ...

    def consumed(self, size: int, *, echo: bool = True) -> None:
        """So many of the bytes that were fed have been taken; `echo` says that they were not
        typed at a prompt that shows nothing."""
        ...

    def exited(self, code: int) -> None:
        """It ended, after all of its output; 128+n for signal n. Once."""
        ...


class Runner(Protocol):
    """What a session runs, with a terminal or without."""

    def start(self, screen: Screen, client: Client) -> None:
        """StartFailed where it cannot."""
        ...

    def feed(self, data: bytes) -> None: ...

    def end_input(self) -> None:
        """Nothing more is fed."""
        ...

    def interrupt(self, number: int) -> None:
        """A signal of the client's: to the foreground job, or the command's process group."""
        ...

    def resize(self, columns: int, rows: int) -> None: ...

    def allow(self, size: int) -> None:
        """So many bytes of output may be delivered from now on; 0 pauses it."""
        ...

    async def kill(self) -> None:
        """Ends all that runs in the session, for good; returns when it is gone."""
        ...

    async def close(self) -> None:
        """Lets go of terminal and process after the end; hangs up on what is left."""
        ...
