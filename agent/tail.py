"""The end of what a session printed, for whoever takes it over with an empty screen.

It is bytes, not a screen: no terminal is emulated (docs/decisions/0010). What full-screen programs
had drawn comes back because they are made to draw again (`redraw.py`).
"""

from __future__ import annotations

import re

#: Bytes that are replayed at most, and how much more is kept before the oldest goes.
LIMIT = 256 * 1024
SLACK = 64 * 1024
#: Bytes from the place of a cut in which a line may end, to begin the replay at its beginning.
SEARCH = 4096

# What a program set for good, as far as it changes what is seen or typed: modes, keypad, reset.
_MODES = re.compile(rb"\x1b(?:\[\?(?P<modes>[0-9;]+)(?P<kind>[hl])|(?P<keypad>[=>])|(?P<reset>c))")
_MANY = 64
# What a terminal would answer, or do beyond its screen: string controls, reports, answerback.
_ASKING = re.compile(
    rb"\x05|\x1bZ|\x1b[P\]_^X][^\x07\x1b]*(?:\x07|\x1b\\)?"
    rb"|\x1b\[[<-?]?[0-9;:]*(?:[cntx]|\$p|\*y|&w)|\x1b\[\?u|\x1b\[>[0-9]*q"
)


class Tail:
    """What came last, and the modes that were set before it."""

    def __init__(self) -> None:
        self._kept = bytearray()
        self._modes: dict[bytes, bytes] = {}

    def write(self, data: bytes) -> None:
        self._kept += data
        if len(self._kept) > LIMIT + SLACK:
            start = _line_start(self._kept, len(self._kept) - LIMIT)
            _learn(self._modes, self._kept[:start])
            del self._kept[:start]

    def replay(self, held: int) -> bytes:
        """What was printed before the last `held` bytes, which will be sent anyway: from the
        beginning of a line, with the modes of that place, and nothing that a terminal answers."""
        end = len(self._kept) - held
        if end <= 0:
            return b""
        start = _line_start(self._kept, end - LIMIT) if end > LIMIT else 0
        modes = dict(self._modes)
        _learn(modes, self._kept[:start])
        return b"".join(modes.values()) + _ASKING.sub(b"", self._kept[start:end])


def _line_start(data: bytearray, at: int) -> int:
    """A place from which data can be shown: behind a line's end, else before an escape sequence,
    else where no character is cut."""
    for mark, behind in ((b"\n", 1), (b"\x1b", 0)):
        found = data.find(mark, at, at + SEARCH)
        if found >= 0:
            return found + behind
    while at < len(data) and 0x80 <= data[at] < 0xC0:
        at += 1
    return at


def _learn(modes: dict[bytes, bytes], data: bytearray) -> None:
    for found in _MODES.finditer(data):
        if found["reset"]:
            modes.clear()
        elif found["keypad"]:
            modes[b"keypad"] = found[0]
        else:
            for mode in found["modes"].split(b";")[:_MANY]:
                modes.pop(mode, None)  # the last one counts, in its order
                modes[mode] = b"\x1b[?" + mode + found["kind"]
    while len(modes) > _MANY:
        del modes[next(iter(modes))]
