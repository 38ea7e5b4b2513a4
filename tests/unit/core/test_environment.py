"""What a client says of its terminal and language: whatever it sends, only plain names arrive."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st

from hatchway.core import handshake
from hatchway.core.environment import MAX_ENTRIES, MAX_VALUE, allowed
from hatchway.core.handshake import Extensions, HandshakeRequest, HandshakeResponse

_ODD = st.text() | st.sampled_from(
    [
        "TERM",
        "LANG",
        "LC_ALL",
        "LC_",
        "LC_all",
        "PATH",
        "LD_PRELOAD",
        "TERM\n",
        "TERMINFO",
        "LANGUAGE",
        "BASH_ENV",
        "../../etc/passwd",
        "xterm\x1b[2J",
        "$(id)",
        "`id`",
        "a;b",
        "C.UTF-8",
        "xterm-256color",
        "xterm\n",
        "x" * 65,
    ]
)
_VALUES = _ODD | st.none() | st.integers() | st.lists(_ODD, max_size=2)
NAME = re.compile(r"TERM|LANG|LC_[A-Z]+")
VALUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]*")


@given(st.dictionaries(_ODD, _VALUES, max_size=60))
@example({f"LC_{chr(65 + n)}{chr(65 + m)}": "C" for n in range(8) for m in range(8)})
def test_whatever_a_client_sends_only_bounded_plain_names_arrive(sent: dict[str, object]) -> None:
    got = allowed(sent)
    assert len(got) <= MAX_ENTRIES
    for name, value in got.items():
        assert NAME.fullmatch(name)
        assert VALUE.fullmatch(value)
        assert len(value) <= MAX_VALUE
        assert value == sent[name]
    assert allowed(got) == got


@given(st.dictionaries(_ODD, _ODD, max_size=30))
def test_the_handshake_carries_what_is_allowed_and_nothing_else(sent: dict[str, str]) -> None:
    request = HandshakeRequest("1", "Standard_Stream", {}, Extensions(65536))
    said = HandshakeResponse("1", True, Extensions(65536, environment=sent))
    got = handshake.parse_response(handshake.pack_response(said, request)).extensions
    assert got is not None
    assert got.environment == allowed(sent)


def test_terminal_and_language_cross() -> None:
    told = {"TERM": "xterm-kitty", "LANG": "de_DE.UTF-8", "LC_TIME": "en_DK@euro", "HOME": "/x"}
    assert allowed(told) == {name: told[name] for name in ("LANG", "LC_TIME", "TERM")}
