"""How a data channel is set up: which end it is, and its limits in bytes and seconds."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from hatchway.core.compression import Compress
from hatchway.core.wire import Digest, sha256

#: Bytes of output, and of input, that may be on their way beyond what the peer has taken.
OUTPUT_WINDOW = 1024 * 1024
INPUT_WINDOW = 128 * 1024
#: Seconds without any message after which one is sent, to an extended peer.
KEEPALIVE = 15.0
#: Seconds without any message after which the peer counts as silent.
SILENCE = 40.0
#: Seconds of silence after which a voice says that the path was away, and is back.
PAUSE = 2.0
#: Seconds a client that is attached may take to answer the handshake.
HANDSHAKE_TIME = 60.0
#: A client that knows no extensions prints nothing before its first size came; or this passed.
SIZE_WAIT = 1.0
#: Seconds without credit, though data waits, after which the peer is asked for it (again).
BLOCKED_AFTER = 0.5
#: The longest acknowledgement, as text.
MAX_ACK_TEXT = 2048
#: Seconds after which a client that has heard nothing of a beginning asks for one, and between
#: such questions: the session may have begun with another client.
HELLO_AFTER, HELLO_EVERY = 0.5, 1.0
#: Messages in one call of `poll`.
MAX_FRAMES = 200
#: What the original's clients and agents may be asked to run.
SESSION_TYPES = frozenset({"Standard_Stream", "InteractiveCommands", "NonInteractiveCommands"})


class Side(Enum):
    AGENT = "agent"
    CLIENT = "client"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSettings:
    """`epoch` is what to add to `now` for unix seconds; the rest has sensible defaults.

    `extensions=False` makes this end speak the original protocol only; `environment` is what a
    client tells an extended agent of its terminal and language. `lossless`: an agent takes no more
    output while the client is away, where it would otherwise give up the oldest. `replay` gives an
    agent what another client is shown first: what was printed before the last so many bytes.
    `compress` stands in for zlib's, `digest` for hashlib's SHA-256.
    """

    epoch: float
    version: str = "3.3.0.0"
    session_type: str = "Standard_Stream"
    properties: Mapping[str, object] = field(default_factory=dict)
    message: str = ""
    extensions: bool = True
    lossless: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    replay: Callable[[int], bytes] = lambda held: b""
    compress: Compress = zlib.compress
    digest: Digest = sha256
