"""Keys meant for the client itself, and how attempts are spread."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatchway.client.backoff import FIRST_DELAY, MAX_DELAY, MAX_DELAY_UNANSWERED, Backoff
from hatchway.client.keys import EscapeKeys, Pressed


@pytest.mark.parametrize(
    ("typed", "pressed"),
    [
        (b"ls\r", Pressed(b"ls\r")),
        (b"~.", Pressed(b"", quit=True)),
        (b"ls\r~.rest", Pressed(b"ls\r", quit=True)),
        (b"a~.", Pressed(b"a~.")),
        (b"a\x03~.", Pressed(b"a\x03", quit=True)),
        (b"~~.", Pressed(b"~.")),
        (b"~/bin", Pressed(b"~/bin")),
        (b"~?ls", Pressed(b"ls", help=True)),
        (b"~?~.", Pressed(b"", quit=True, help=True)),
        (b"\r~", Pressed(b"\r")),
    ],
)
def test_a_tilde_counts_at_the_beginning_of_a_line_only(typed: bytes, pressed: Pressed) -> None:
    assert EscapeKeys().feed(typed) == pressed


@given(st.lists(st.sampled_from([b"~", b".", b"\r", b"x", b"?"]), max_size=12))
def test_how_keys_arrive_makes_no_difference(typed: list[bytes]) -> None:
    whole = EscapeKeys().feed(b"".join(typed))
    single, data = EscapeKeys(), b""
    for byte in typed:
        pressed = single.feed(byte)
        data += pressed.data
        if pressed.quit:
            break
    assert (data, pressed.quit if typed else False) == (whole.data, whole.quit)


@given(st.text("ab/.\r", max_size=20))
def test_what_has_no_tilde_passes_unchanged(text: str) -> None:
    assert EscapeKeys().feed(text.encode()) == Pressed(text.encode())


@given(st.floats(0, 1, exclude_max=True))
def test_delays_grow_to_their_limit_and_are_spread(chance: float) -> None:
    delays = list(itertools.islice(Backoff(lambda: chance).delays(), 20))
    assert FIRST_DELAY / 2 <= delays[0] <= FIRST_DELAY
    assert MAX_DELAY / 2 <= delays[-1] <= MAX_DELAY
    assert delays == sorted(delays)


@given(st.floats(0, 1, exclude_max=True))
def test_where_nothing_answers_nobody_waits_longer_than_a_second(chance: float) -> None:
    delays = list(itertools.islice(Backoff(lambda: chance).unanswered.delays(), 20))
    assert FIRST_DELAY / 2 <= delays[0] <= FIRST_DELAY
    assert 0.5 <= delays[-1] <= MAX_DELAY_UNANSWERED == 1.0
    short = Backoff(lambda: chance, first=0.1, most=0.5).unanswered
    assert max(itertools.islice(short.delays(), 20)) <= 0.5
