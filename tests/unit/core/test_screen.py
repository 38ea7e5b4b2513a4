"""The screen filter: what stays on the screen passes unchanged, nothing else does."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatchway.core.screen import MAX_SEQUENCE, MAX_STRING, ScreenFilter, printable

REACHES_BEYOND = {
    "clipboard": b"\x1b]52;c;aGFja2Vk\x07",
    "clipboard, ST": b"\x1b]52;c;aGFja2Vk\x1b\\",
    "clipboard, encoded C1": b"\xc2\x9d52;c;aGFja2Vk\xc2\x9c",
    "clipboard, raw C1": b"\x9d52;c;aGFja2Vk\x07",
    "title": b"\x1b]0;owned\x07",
    "icon title": b"\x1b]1;owned\x07",
    "window title": b"\x1b]2;\xe2\x9c\x93 owned\x1b\\",
    "screen's title": b"\x1bkowned\x1b\\",
    "title report": b"\x1b[21t",
    "title stack": b"\x1b[22;0t",
    "window size": b"\x1b[8;10;10t",
    "hyperlink": b"\x1b]8;;file:///etc/passwd\x1b\\",
    "colour query": b"\x1b]11;?\x07",
    "notification": b"\x1b]777;notify;a;b\x07",
    "device attributes": b"\x1b[c",
    "device attributes 0": b"\x1b[0c",
    "secondary attributes": b"\x1b[>c",
    "tertiary attributes": b"\x1b[=c",
    "terminal version": b"\x1b[>0q",
    "device status": b"\x1b[5n",
    "cursor position": b"\x1b[6n",
    "extended cursor position": b"\x1b[?6n",
    "identify": b"\x1bZ",
    "answerback": b"\x05",
    "mode request": b"\x1b[?2004$p",
    "settings request": b"\x1bP$qm\x1b\\",
    "termcap request": b"\x1bP+q544e\x1b\\",
    "sixel": b"\x1bPq#0\n~~\x1b\\",
    "checksum request": b"\x1b[1;1;1;1;1;1*y",
    "presentation request": b"\x1b[1$w",
    "parameters request": b"\x1b[0x",
    "print screen": b"\x1b[i",
    "print through": b"\x1b[5i",
    "private media copy": b"\x1b[?5i",
    "lights": b"\x1b[1q",
    "keyboard lock": b"\x1b[2h",
    "key modifiers": b"\x1b[>4;2m",
    "kitty keyboard": b"\x1b[?u",
    "size reports": b"\x1b[?2048h",
    "scheme reports": b"\x1b[?2031h",
    "privacy message": b"\x1b^owned\x1b\\",
    "application command": b"\x1b_Gi=1\x1b\\",
    "start of string": b"\x1bXowned\x1b\\",
    "leaves UTF-8": b"\x1b%@",
    "eight-bit answers": b"\x1b G",
    "tmux passthrough": b"\x1bPtmux;\x1b\x1b]52;c;aGFja2Vk\x07\x1b\\",
    "too long": b"\x1b[" + b"1;" * MAX_SEQUENCE + b"m",
}

STAYS = {
    "colours": b"\x1b[1;38;2;1;2;3mred\x1b[0m",
    "underline style": b"\x1b[4:3m",
    "cursor": b"\x1b[2J\x1b[H\x1b[10;20H\x1b[K\x1b[3A",
    "alternate screen": b"\x1b[?1049h\x1b[?1049l",
    "cursor keys and keypad": b"\x1b[?1h\x1b=\x1b[?1l\x1b>",
    "mouse and paste": b"\x1b[?1000;1006h\x1b[?2004h",
    "scroll region": b"\x1b[2;10r\x1bM\x1bD",
    "character sets": b"\x1b)0\x1b(0lqk\x1b(B\x0e\x0f",
    "soft reset": b"\x1b[!p",
    "cursor shape": b"\x1b[2 q",
    "save and restore": b"\x1b7\x1b8\x1b[s\x1b[u",
    "alignment": b"\x1b#8",
    "reset": b"\x1bc",
    "insert mode": b"\x1b[4h\x1b[4l",
}

ALLOWED = re.compile(
    rb"(?:[\x07-\x0f\x20-\x7e\x80-\xff]|\x1b\[\??[0-9:;]*[ !\"$'*]?[@-~]"
    rb"|\x1b[()*+\-./#]?[ -/]*[0-~])*\Z"
)
FORBIDDEN = re.compile(
    rb"\x1b[PX\]^_kZ%]|\x1b\[[0-9:;?<=>]*[cnitxy]|\xc2[\x80-\x9f]|[\x00-\x06\x10-\x1a]"
)

pieces = st.one_of(
    st.sampled_from([*REACHES_BEYOND.values(), *STAYS.values()]),
    st.sampled_from(
        [b"\x1b", b"\x1b[", b"\x1b]", b"\x1bP", b"\xc2", b"\x9d", b"\x07", b"\x1b\\", b"\n"]
    ),
    st.text(max_size=5).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.binary(max_size=5),
)
streams = st.lists(pieces, max_size=12).map(b"".join)


def filtered(data: bytes) -> bytes:
    return ScreenFilter().feed(data)


@pytest.mark.parametrize("name", REACHES_BEYOND)
def test_what_reaches_beyond_the_screen_is_removed(name: str) -> None:
    out = filtered(b"before " + REACHES_BEYOND[name] + b" after")
    assert out.startswith(b"before ")
    assert out.endswith(b" after")
    assert not FORBIDDEN.search(out)
    assert b"\x1b" not in out


@pytest.mark.parametrize("name", [n for n in REACHES_BEYOND if n not in ("sixel", "too long")])
def test_no_text_of_a_removed_sequence_shows(name: str) -> None:
    assert filtered(REACHES_BEYOND[name]) == b""


@pytest.mark.parametrize("name", STAYS)
def test_what_stays_on_the_screen_is_unchanged(name: str) -> None:
    assert filtered(STAYS[name]) == STAYS[name]


@given(streams, st.integers(0, 200))
def test_where_output_is_split_makes_no_difference(data: bytes, cut: int) -> None:
    whole, split = ScreenFilter(), ScreenFilter()
    assert split.feed(data[:cut]) + split.feed(data[cut:]) == whole.feed(data)
    assert split.feed(b"\n end") == whole.feed(b"\n end")
    assert split.leave() == whole.leave()


@given(streams)
def test_byte_by_byte_is_the_same_as_at_once(data: bytes) -> None:
    single = ScreenFilter()
    assert b"".join(single.feed(bytes([byte])) for byte in data) == filtered(data)


@given(streams)
def test_only_complete_known_sequences_come_out(data: bytes) -> None:
    out = filtered(data)
    assert ALLOWED.match(out)
    assert not FORBIDDEN.search(out)


@given(streams)
def test_a_second_filter_finds_nothing_more(data: bytes) -> None:
    out = filtered(data)
    assert filtered(out) == out[: len(filtered(out))]


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"], include_characters="\t\n\r\b\a")))
def test_plain_text_is_unchanged(text: str) -> None:
    assert filtered(text.encode()) == text.encode()


def test_one_mode_of_several_passes_without_the_others() -> None:
    assert filtered(b"\x1b[?1049;2031;25l") == b"\x1b[?1049;25l"


def test_an_unfinished_sequence_waits_within_its_limit() -> None:
    screen = ScreenFilter()
    assert screen.feed(b"\x1b[" + b"1" * (MAX_SEQUENCE - 3)) == b""
    assert screen.feed(b"m") == b"\x1b[" + b"1" * (MAX_SEQUENCE - 3) + b"m"
    assert screen.feed(b"\x1b[" + b"1" * (MAX_SEQUENCE - 2)) == b""
    assert screen.feed(b"x") == b"x"


def test_a_string_that_never_ends_does_not_hide_the_rest_of_the_session() -> None:
    screen = ScreenFilter()
    assert screen.feed(b"\x1bP" + b"x" * MAX_STRING) == b""
    assert screen.feed(b"visible") == b"visible"
    assert screen.feed(b"\x1b]0;noise\nvisible") == b"\nvisible"


@given(st.integers(-2, 2), st.integers(0, 4))
def test_the_string_limit_does_not_depend_on_the_split(around: int, cut: int) -> None:
    data = b"\x1bP" + b"x" * (MAX_STRING + around) + b"\xc2\x9cabc"
    whole, split = ScreenFilter(), ScreenFilter()
    at = MAX_STRING + cut
    assert split.feed(data[:at]) + split.feed(data[at:]) == whole.feed(data)


def test_another_escape_ends_a_string_and_counts() -> None:
    assert filtered(b"\x1b]0;title\x1b[1mbold") == b"\x1b[1mbold"
    assert filtered(b"\x1b]0;title\x18text") == b"text"


def test_leaving_puts_right_what_a_program_left_behind() -> None:
    screen = ScreenFilter()
    screen.feed(b"\x1b[?1049h\x1b[?1000;2004h\x1b[?25l\x1b=\x1b[31m\x1b(0")
    left = screen.leave()
    for undo in (b"?1049l", b"?1000l", b"?2004l", b"?25h", b"\x1b>", b"\x1b[m", b"\x1b(B"):
        assert undo in left
    assert screen.leave() == b""


def test_leaving_is_silent_when_everything_was_put_back() -> None:
    screen = ScreenFilter()
    screen.feed(b"\x1b[?1049h\x1b[31m\x1b[0m\x1b[?25l\x1b[?25h\x1b=\x1b>\x1b(0\x1b(B\x1b[?1049l")
    screen.feed(b"\x1b[?1048h")
    assert screen.leave() == b""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("web-1", "web-1"),
        ("naïve ✓ 日本", "naïve ✓ 日本"),
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("line\nbreak\ttab", "line\\nbreak\\ttab"),
        ("gnp\u202etxt", "gnp\\u202etxt"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("c1\x9b", "c1\\x9b"),
        ("\ud800", "\\ud800"),
    ],
)
def test_fields_from_elsewhere_are_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text(st.characters()))
def test_an_escaped_field_is_one_visible_line(text: str) -> None:
    assert printable(text).isprintable()
    printable(text).encode()
