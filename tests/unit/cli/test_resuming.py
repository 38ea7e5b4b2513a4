"""resume-session, leaving a session that goes on, and sessions watched as they change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from hatchway.cli.leaving import detached
from hatchway.client.keys import EscapeKeys, Pressed, escape_of, help_of
from hatchway.client.records import SessionRecord, Started
from hatchway.client.watching import changes
from hatchway.core.errors import DoesNotExistException, ThrottlingException, ValidationException


def test_after_enter_tilde_d_leaves_and_what_follows_is_dropped() -> None:
    assert EscapeKeys().feed(b"ls\r~dmore") == Pressed(b"ls\r", detach=True)
    keys = EscapeKeys()
    assert [keys.feed(piece) for piece in (b"\r", b"~", b"d")][-1] == Pressed(b"", detach=True)


def test_a_tilde_d_within_a_line_is_typed() -> None:
    keys = EscapeKeys()
    assert keys.feed(b"cd ~d\r") == Pressed(b"cd ~d\r")


@pytest.mark.parametrize(
    ("text", "byte"), [("~", 0x7E), ("^]", 0x1D), ("^p", 0x10), ("%", 0x25), ("none", None)]
)
def test_the_escape_character_can_be_chosen(text: str, byte: int | None) -> None:
    assert escape_of(text) == byte


@pytest.mark.parametrize("text", ["", "ab", "^1", "é", ".", "?", "d", " ", "\x1b"])
def test_what_cannot_be_an_escape_character_is_refused(text: str) -> None:
    with pytest.raises(ValidationException):
        escape_of(text)


def test_another_escape_character_has_its_own_help_and_leaves_the_tilde_alone() -> None:
    keys = EscapeKeys(0x1D)
    assert keys.feed(b"~.\r\x1d?") == Pressed(b"~.\r", help=True)
    assert help_of(0x1D).startswith("^]d  leave")
    assert keys.feed(b"\x1d.") == Pressed(b"", quit=True)


def test_without_an_escape_character_every_key_is_typed() -> None:
    assert EscapeKeys(None).feed(b"\r~.\r~d") == Pressed(b"\r~.\r~d")


def test_whoever_leaves_is_told_how_to_come_back(capsys: pytest.CaptureFixture[str]) -> None:
    started = Started(session_id="john-0123456789abcdef0", stream_url="wss://x", token="t")
    assert detached(started) == 0
    assert "hatchway resume-session john-0123456789abcdef0\n" in capsys.readouterr().err


# --- watching -----------------------------------------------------------------------------------


def record(number: int, status: str = "Connected") -> SessionRecord:
    return SessionRecord.of({"SessionId": f"john-{number:017x}", "Status": status})


class Looks:
    """A service whose sessions are others at each look."""

    def __init__(self, *looks: list[SessionRecord] | Exception, ended: list[SessionRecord]) -> None:
        self._looks = iter(looks)
        self._ended = {session.session_id: session for session in ended}

    def sessions(self, state: str, filters: Mapping[str, str]) -> Iterator[SessionRecord]:
        found = next(self._looks)
        if isinstance(found, Exception):
            raise found
        return iter(found)

    def session(self, session_id: str) -> SessionRecord:
        if session_id not in self._ended:
            raise DoesNotExistException()
        return self._ended[session_id]


def test_each_change_is_told_once_and_an_end_with_what_became_of_it() -> None:
    one, two, three = record(1), record(2), record(3)
    away, over = replace(one, status="Disconnected"), replace(one, status="Terminated")
    looks = Looks([two, one], ThrottlingException(), [two, away], [two], [three], ended=[over])
    told = changes(looks, "Active", {}, [one], lambda: None)  # type: ignore[arg-type]
    assert [next(told) for _ in range(4)] == [two, away, over, three]
