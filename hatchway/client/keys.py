"""Keys that speak to the client itself, as in ssh: after Enter, `~.` ends the session."""

from __future__ import annotations

from dataclasses import dataclass

from hatchway.core.errors import ValidationException

CTRL_C = 0x03
#: What begins such keys, unless another character, or none, is chosen.
ESCAPE = "~"
NO_ESCAPE = "none"
# What begins a line anew: Enter, and the keys by which people leave one.
_ENTER = b"\r\n\x03\x04"


@dataclass(frozen=True, slots=True)
class Pressed:
    """What goes to the remote side; whether the session is to end, is only left, or help was
    asked for."""

    data: bytes
    quit: bool = False
    help: bool = False
    detach: bool = False


def escape_of(text: str) -> int | None:
    """The escape character that `text` chooses: one that prints, `^X`, or `none` for None;
    ValidationException otherwise."""
    if text == NO_ESCAPE:
        return None
    if len(text) == 2 and text[0] == "^" and "@" <= text[1].upper() <= "_":
        return ord(text[1].upper()) ^ 0x40
    if len(text) == 1 and text.isascii() and text.isprintable() and text not in ".?d ":
        return ord(text)
    raise ValidationException("--escape-char is one character, ^ and a letter, or none.")


def help_of(escape: int) -> str:
    """What the keys are, for a person."""
    sign = chr(escape) if escape >= 0x20 else f"^{chr(escape ^ 0x40)}"
    return (
        f"{sign}d  leave, the session goes on   {sign}.  end the session   "
        f"{sign}{sign}  send a {sign}   {sign}?  this help"
    )


class EscapeKeys:
    """Follows what is typed, in pieces of any size; with no escape character it passes all."""

    def __init__(self, escape: int | None = ord(ESCAPE)) -> None:
        self._escape = escape
        self._line_start = True
        self._escaped = False

    def feed(self, typed: bytes) -> Pressed:
        """What `typed` means; what follows a `~.` or `~d` is dropped."""
        if self._escape is None:
            return Pressed(typed)
        out = bytearray()
        asked = False
        for byte in typed:
            if self._escaped:
                self._escaped = False
                if byte in b".d":
                    quits = byte == ord(".")
                    return Pressed(bytes(out), quit=quits, help=asked, detach=not quits)
                if byte == ord("?"):
                    asked, self._line_start = True, True
                    continue
                if byte != self._escape:
                    out.append(self._escape)
            elif byte == self._escape and self._line_start:
                self._escaped = True
                continue
            out.append(byte)
            self._line_start = byte in _ENTER
        return Pressed(bytes(out), help=asked)
