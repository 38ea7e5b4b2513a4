"""Keys that speak to the client itself, as in ssh: after Enter, `~.` ends the session."""

from __future__ import annotations

from dataclasses import dataclass

CTRL_C = 0x03
ESCAPE = ord("~")
#: What begins a line anew: Enter, and the keys by which people leave one.
_ENTER = b"\r\n\x03\x04"
HELP = "~.  end the session      ~~  send a ~      ~?  this help"


@dataclass(frozen=True, slots=True)
class Pressed:
    """What goes to the remote side; whether the session is to end, or help was asked for."""

    data: bytes
    quit: bool = False
    help: bool = False


class EscapeKeys:
    """Follows what is typed, in pieces of any size."""

    def __init__(self) -> None:
        self._line_start = True
        self._escaped = False

    def feed(self, typed: bytes) -> Pressed:
        """What `typed` means; what follows a `~.` is dropped."""
        out = bytearray()
        asked = False
        for byte in typed:
            if self._escaped:
                self._escaped = False
                if byte == ord("."):
                    return Pressed(bytes(out), quit=True, help=asked)
                if byte == ord("?"):
                    asked, self._line_start = True, True
                    continue
                if byte != ESCAPE:
                    out.append(ESCAPE)
            elif byte == ESCAPE and self._line_start:
                self._escaped = True
                continue
            out.append(byte)
            self._line_start = byte in _ENTER
        return Pressed(bytes(out), help=asked)
