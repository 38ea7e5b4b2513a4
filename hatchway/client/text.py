"""Packed messages as text and back (`hatchway.core.wire`), by vector instructions."""

from __future__ import annotations

from collections.abc import Iterable

from pybase64 import b64decode, b64encode_as_string

from hatchway.core import wire


def to_text(frames: Iterable[bytes]) -> str:
    """One WebSocket text message that carries these packed messages."""
    return wire.to_text(frames, b64encode_as_string)


def from_text(text: str) -> list[bytes]:
    """The packed messages in a text message; MalformedMessage for what is not base64 lines."""
    return wire.from_text(text, _decode)


def _decode(line: str) -> bytes:
    return b64decode(line, validate=True)
