"""Terminal output made safe: what stays on the screen passes, what reaches beyond it does not.

Removed are every string control (OSC: titles, clipboard, hyperlinks, palette; DCS, APC, PM, SOS),
everything a terminal answers (device attributes and status, modes, checksums, answerback), media
copy, window operations and eight-bit control characters. Only sequences on the lists below pass:
what is not known is removed. Source: ECMA-48, xterm's ctlseqs.
"""

from __future__ import annotations

import re

#: The longest CSI or escape sequence that passes; a longer one is dropped.
MAX_SEQUENCE = 256
#: How much of one string control is swallowed. Its introducer was not passed on, so the terminal
#: does not wait for an end: giving up only makes the rest visible.
MAX_STRING = 1 << 20

# Runs that pass as they are: BEL to SI without ESC, printable ASCII, and valid UTF-8 beyond C1.
_PLAIN = re.compile(
    rb"(?:[\x07-\x0f\x20-\x7e]+|\xc2[\xa0-\xbf]|[\xc3-\xdf][\x80-\xbf]"
    rb"|\xe0[\xa0-\xbf][\x80-\xbf]|\xed[\x80-\x9f][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}"
    rb"|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2})++"
)
# A character, or a sequence, of which the rest has not arrived.
_PARTIAL_CHARACTER = re.compile(
    rb"(?:[\xc2-\xdf]|\xe0[\xa0-\xbf]?|\xed[\x80-\x9f]?|[\xe1-\xec\xee\xef][\x80-\xbf]?"
    rb"|\xf0(?:[\x90-\xbf][\x80-\xbf]?)?|[\xf1-\xf3][\x80-\xbf]{0,2}"
    rb"|\xf4(?:[\x80-\x8f][\x80-\xbf]?)?)\Z"
)
_CSI = re.compile(rb"\x1b\[(?P<prefix>[<-?]?)(?P<values>[0-9:;]*)(?P<kind>[ -/]*[@-~])")
_CSI_INSIDE = re.compile(rb"[ -?]{0,%d}" % (MAX_SEQUENCE - 2))
_ESCAPE_INSIDE = re.compile(rb"[ -/]{0,%d}" % (MAX_SEQUENCE - 1))

# DCS, SOS, OSC, PM, APC; and ESC k, the title of screen and tmux.
_STRING_7BIT = b"PX]^_k"
_STRING_8BIT = b"\x90\x98\x9d\x9e\x9f"
_STRING_END = re.compile(rb"[\x07\x18\x1a\x1b\n]|\xc2\x9c")
_DCS_END = re.compile(rb"[\x18\x1a\x1b]|\xc2\x9c")

# Cursor, erase, insert, delete, scroll, tabs, margins, attributes, repeat; soft reset, cursor
# style, protection, columns and rectangles.
_CSI_PLAIN = frozenset(
    [bytes([c]) for c in b"@ABCDEFGHIJKLMPSTXZ`abdefgmrsu"]
    + [
        b"!p",
        b" q",
        b'"q',
        b"'}",
        b"'~",
        b"$r",
        b"$t",
        b"$v",
        b"$x",
        b"$z",
        b"${",
        b"*x",
        b" @",
        b" A",
    ]
)
_CSI_QUESTION = frozenset([b"J", b"K"])
_ANSI_MODES = frozenset([b"4", b"20"])
#: Private modes, each with the state in which it is at rest: what a program left otherwise is put
#: right by `leave`. Not among them: what makes the terminal report by itself (2031, 2048).
_REST = {
    b"1": b"l",  # application cursor keys
    b"5": b"l",  # reverse video
    b"6": b"l",  # origin
    b"7": b"h",  # wrap
    b"9": b"l",  # mouse
    b"12": b"l",  # cursor blink
    b"25": b"h",  # cursor visible
    b"45": b"l",  # reverse wrap
    b"47": b"l",  # alternate screen
    b"66": b"l",  # application keypad
    b"69": b"l",  # left and right margins
    b"1000": b"l",
    b"1001": b"l",
    b"1002": b"l",
    b"1003": b"l",
    b"1004": b"l",  # focus
    b"1005": b"l",
    b"1006": b"l",
    b"1007": b"l",
    b"1015": b"l",
    b"1016": b"l",
    b"1047": b"l",
    b"1048": b"",  # saves the cursor: nothing to put right
    b"1049": b"l",
    b"2004": b"l",  # bracketed paste
    b"2026": b"l",  # synchronised update
}
# Save and restore, index, tab set, keypad, reset, shifts.
_ESCAPE_PLAIN = frozenset(b"78DEHM=>cno|}~69NO")
# Character sets, and double height, double width and alignment; not `%`, which ends UTF-8.
_ESCAPE_SETS = frozenset(b"()*+-./")
_ESCAPE_LINES = frozenset(b"34568")


class ScreenFilter:
    """One terminal's worth of output, in pieces of any size."""

    __slots__ = ("_changed", "_pending", "_string_end", "_swallowed")

    def __init__(self) -> None:
        self._pending = b""
        self._string_end: re.Pattern[bytes] | None = None
        self._swallowed = 0
        self._changed: dict[bytes, bytes] = {}

    @property
    def idle(self) -> bool:
        """Nothing is unfinished: what comes next begins anew."""
        return not self._pending and self._string_end is None

    def feed(self, data: bytes) -> bytes:
        """What of `data` may go to the terminal; an unfinished sequence waits for its rest."""
        data = self._pending + data
        self._pending = b""
        out: list[bytes] = []
        at = 0
        while at < len(data):
            before = self._string_end
            following = self._swallow(data, at) if before else self._token(data, at, out)
            if following == at and before is self._string_end:
                break
            at = following
        self._pending = data[at:]
        return b"".join(out)

    def leave(self) -> bytes:
        """What puts right the modes that were changed and not changed back."""
        undo = b"".join(self._changed.values())
        self._changed.clear()
        return undo

    # Each of these returns where to go on; the place it was given when the rest is missing.

    def _token(self, data: bytes, at: int, out: list[bytes]) -> int:
        if plain := _PLAIN.match(data, at):
            out.append(plain[0])
            return plain.end()
        byte = data[at]
        if byte == 0x1B:
            return self._escape(data, at, out)
        if _PARTIAL_CHARACTER.match(data, at):
            return at
        if byte == 0xC2 and 0x80 <= data[at + 1] <= 0x9F:
            return self._eight_bit(data, at + 1)
        if 0x80 <= byte <= 0x9F:
            return self._eight_bit(data, at)
        if byte >= 0xA0:
            out.append(data[at : at + 1])  # not UTF-8, but no control character anywhere
        return at + 1

    def _eight_bit(self, data: bytes, at: int) -> int:
        """A C1 control: removed, and a string with it; a CSI's parameters are harmless text."""
        if data[at] in _STRING_8BIT:
            self._begin_string(_STRING_END)
        return at + 1

    def _escape(self, data: bytes, at: int, out: list[bytes]) -> int:
        following = data[at + 1 : at + 2]
        if following == b"[":
            return self._csi(data, at, out)
        if following and following in _STRING_7BIT:
            self._begin_string(_DCS_END if following == b"P" else _STRING_END)
            return at + 2
        end = _sequence_end(data, at, at + 1, _ESCAPE_INSIDE)
        if end > at and 0x30 <= data[end - 1] <= 0x7E:
            out.append(self._escape_stays(data[at + 1 : end]))
        return end

    def _csi(self, data: bytes, at: int, out: list[bytes]) -> int:
        end = _sequence_end(data, at, at + 2, _CSI_INSIDE)
        if end > at and (found := _CSI.fullmatch(data, at, end)):
            out.append(self._csi_stays(found["prefix"], found["values"], found["kind"]))
        return end

    def _escape_stays(self, body: bytes) -> bytes:
        """The escape sequence as it may pass; nothing when it may not."""
        if len(body) == 1:
            if body in b"=>":
                self._track(b"=", b"\x1b>" if body == b"=" else b"")
            return b"\x1b" + body if body[0] in _ESCAPE_PLAIN else b""
        if body[0] in _ESCAPE_SETS:
            if body[:1] == b"(":
                self._track(b"(", b"" if body == b"(B" else b"\x1b(B")
            return b"\x1b" + body
        lines = len(body) == 2 and body[:1] == b"#" and body[1] in _ESCAPE_LINES
        return b"\x1b" + body if lines else b""

    def _csi_stays(self, prefix: bytes, values: bytes, kind: bytes) -> bytes:
        """The control sequence as it may pass; nothing when it may not."""
        if not prefix:
            if kind in (b"h", b"l"):
                return _modes(b"", [v for v in values.split(b";") if v in _ANSI_MODES], kind)
            if kind == b"m":
                self._track(b"m", b"" if values in (b"", b"0") else b"\x1b[m")
            return b"\x1b[" + values + kind if kind in _CSI_PLAIN else b""
        if prefix != b"?":
            return b""
        if kind in (b"h", b"l"):
            return self._private_modes(values.split(b";"), kind)
        return b"\x1b[?" + values + kind if kind in _CSI_QUESTION else b""

    def _private_modes(self, modes: list[bytes], kind: bytes) -> bytes:
        known = [mode for mode in modes if mode in _REST]
        for mode in known:
            rest = _REST[mode]
            self._track(mode, b"" if rest in (b"", kind) else b"\x1b[?" + mode + rest)
        return _modes(b"?", known, kind)

    def _track(self, what: bytes, undo: bytes) -> None:
        if undo:
            self._changed[what] = undo
        else:
            self._changed.pop(what, None)

    def _begin_string(self, end: re.Pattern[bytes]) -> None:
        self._string_end, self._swallowed = end, 0

    def _swallow(self, data: bytes, at: int) -> int:
        """Skips a string control; it ends at its terminator, at a line feed, or at the limit."""
        assert self._string_end is not None  # noqa: S101 - `feed` looked
        limit = at + MAX_STRING - self._swallowed
        found = self._string_end.search(data, at)
        if found and found.start() < limit:
            return self._end_string(data, found)
        end = len(data) - 1 if data.endswith(b"\xc2") else len(data)
        if end >= limit:
            self._string_end = None
            return limit
        self._swallowed += end - at
        return end

    def _end_string(self, data: bytes, found: re.Match[bytes]) -> int:
        self._string_end = None
        if found[0] == b"\n":
            return found.start()  # nothing legitimate holds one: show the line
        if found[0] != b"\x1b":
            return found.end()
        # ESC \ ends it; another escape sequence ends it too, and counts.
        return found.start()


def _modes(prefix: bytes, modes: list[bytes], kind: bytes) -> bytes:
    return b"\x1b[" + prefix + b";".join(modes) + kind if modes else b""


def _sequence_end(data: bytes, start: int, inside: int, pattern: re.Pattern[bytes]) -> int:
    """Where the sequence at `start` ends, its final byte included; `start` when it is unfinished.

    A byte that may not follow, or too many that may, end it without one: the terminal has seen
    nothing of it, so what follows is looked at afresh.
    """
    found = pattern.match(data, inside)
    end = found.end() if found else inside
    if end - start >= MAX_SEQUENCE:
        return end
    if end >= len(data):
        return start
    return end + 1 if 0x30 <= data[end] <= 0x7E else end


def printable(text: str) -> str:
    """`text` from elsewhere for one line of a terminal: what cannot be seen is written as `\\x1b`.

    That covers control characters, line breaks, surrogates, and the invisible ones that reorder
    text (bidirectional overrides, zero width).
    """
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in text
    )
