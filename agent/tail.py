"""The end of what a session printed, for whoever takes it over with an empty screen.

It is bytes, not a screen: no terminal is emulated (docs/decisions/0010). What full-screen programs
had drawn comes back because they are made to draw again (`redraw.py`).
"""

from __future__ import annotations

import re
from collections import deque

#: Bytes that are replayed at most, and the pieces in which what is older goes.
LIMIT = 256 * 1024
PIECE = 64 * 1024
#: Bytes from the place of a cut in which a line may end, to begin the replay at its beginning.
SEARCH = 4096
#: Bytes at the end of a piece in which a sequence may have begun that the next one ends.
UNENDED = 64

# What a program set for good, as far as it changes what is seen or typed: modes, keypad, reset.
_MODES = re.compile(rb"\x1b(?:\[\?(?P<modes>[0-9;]+)(?P<kind>[hl])|(?P<keypad>[=>])|(?P<reset>c))")
_MANY = 64
# What a terminal would answer, or do beyond its screen: string controls, reports, answerback.
_ASKING = re.compile(
    rb"\x05|\x1bZ|\x1b[P\]_^X][^\x07\x1b]*(?:\x07|\x1b\\)?"
    rb"|\x1b\[[<-?]?[0-9;:]*(?:[cntx]|\$p|\*y|&w)|\x1b\[\?u|\x1b\[>[0-9]*q"
)


class Tail:
    """What came last, and the modes that were set before it.

    Output only ever joins the newest piece, and is never moved: this sees every byte of a flood.
    """

    def __init__(self) -> None:
        self._pieces: deque[bytes] = deque()
        self._newest = bytearray()
        #: What is before the oldest piece: the modes, and the beginning of a sequence; whether
        #: there was anything.
        self._modes: dict[bytes, bytes] = {}
        self._unended = b""
        self._cut = False

    def write(self, data: bytes) -> None:
        self._newest += data
        if len(self._newest) >= PIECE:
            self._pieces.append(bytes(self._newest))
            self._newest = bytearray()
            if len(self._pieces) > LIMIT // PIECE:
                self._drop(self._pieces.popleft())

    def _drop(self, oldest: bytes) -> None:
        self._cut = True
        gone = self._unended + oldest
        begun = gone.rfind(b"\x1b", -UNENDED)
        end = len(gone) if begun < 0 else begun
        _learn(self._modes, gone[:end])
        self._unended = gone[end:]

    @property
    def kept(self) -> int:
        """Bytes that are kept."""
        return sum(map(len, self._pieces)) + len(self._newest) + len(self._unended)

    def replay(self, held: int) -> bytes:
        """What was printed before the last `held` bytes, which will be sent anyway: from the
        beginning of a line, with the modes of that place, and nothing that a terminal answers."""
        kept = b"".join((self._unended, *self._pieces, self._newest))
        end = len(kept) - held
        if end <= 0:
            return b""
        start = max(0, end - LIMIT)
        if start or self._cut:
            start = _line_start(kept, start)
        modes = dict(self._modes)
        _learn(modes, kept[:start])
        return b"".join(modes.values()) + _ASKING.sub(b"", kept[start:end])


def _line_start(data: bytes, at: int) -> int:
    """A place from which data can be shown: behind a line's end, else before an escape sequence,
    else where no character is cut."""
    for mark, behind in ((b"\n", 1), (b"\x1b", 0)):
        found = data.find(mark, at, at + SEARCH)
        if found >= 0:
            return found + behind
    while at < len(data) and 0x80 <= data[at] < 0xC0:
        at += 1
    return at


def _learn(modes: dict[bytes, bytes], data: bytes) -> None:
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
