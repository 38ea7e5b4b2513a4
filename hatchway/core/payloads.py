"""The short payloads of stream messages: flags, exit codes, gaps."""

from __future__ import annotations

from hatchway.core.errors import MalformedMessage
from hatchway.core.wire import FlagValue

_EXIT_CODE = b"EXIT_CODE: "
#: Digits of an exit code; Windows has 32 bits of them.
MAX_DIGITS = 10


def pack_flag(value: FlagValue) -> bytes:
    return value.to_bytes(4, "big")


def parse_flag(payload: bytes) -> FlagValue:
    try:
        return FlagValue(int.from_bytes(payload, "big") if len(payload) == 4 else -1)
    except ValueError:
        raise MalformedMessage("A flag is not known.") from None


def pack_exit_code(code: int) -> bytes:
    return _EXIT_CODE + str(code).encode()


def parse_exit_code(payload: bytes) -> int:
    text = payload.removeprefix(_EXIT_CODE)
    if not (payload.startswith(_EXIT_CODE) and text.isdigit() and len(text) <= MAX_DIGITS):
        raise MalformedMessage("An exit code is not a number.")
    return int(text)


def gap_size(payload: bytes) -> int:
    """Bytes that were lost."""
    return int.from_bytes(payload[:8], "big")


def gap_text(payload: bytes) -> bytes:
    """A gap as a client reads it that knows no gaps."""
    return f"\r\n[hatchway: {gap_size(payload)} bytes of output were lost here]\r\n".encode()
