"""Marks on their way back: the last of each kind, and again what could not be brought."""

from __future__ import annotations

import pytest

from agent.activity import Activity, Marks
from hatchway.core import marks
from hatchway.core.marks import INPUT, OUTPUT, Mark


def mark(sequence: int, generation: int = 1, direction: str = INPUT, time: int = 100) -> bytes:
    made = Mark("key00001", generation, sequence, time)
    return marks.make(made, b"s" * 32, node="i-1", session="john-1", direction=direction)


def printed(sequence: int) -> str:
    return marks.to_text(mark(sequence, direction=OUTPUT))


def test_the_last_mark_is_brought_whatever_order_they_come_in() -> None:
    activity = Activity(output_counts=False)
    assert [activity.typed(mark(n)) for n in (4, 6, 5, 6)] == [True, True, False, False]
    assert activity.bring() == Marks(marks.to_text(mark(6)), "")


def test_a_new_clients_numbers_begin_again() -> None:
    activity = Activity(output_counts=False)
    assert activity.typed(mark(400, generation=1))
    assert activity.typed(mark(0, generation=2))


def test_what_was_brought_is_no_news_unless_it_failed() -> None:
    activity = Activity(output_counts=False)
    assert not activity.news
    activity.typed(mark(1))
    assert activity.news
    activity.bring()
    assert not activity.news
    activity.failed()
    assert activity.news


@pytest.mark.parametrize("counts", [True, False])
def test_output_is_kept_where_it_counts(counts: bool) -> None:
    activity = Activity(output_counts=counts)
    assert activity.printed(printed(3)) is counts
    assert activity.bring() == Marks("", printed(3) if counts else "")


def test_what_is_no_mark_is_left_out() -> None:
    activity = Activity(output_counts=True)
    assert not activity.typed(b"")
    assert not activity.typed(b"x")
    assert not activity.printed("not base64!")
    assert not activity.printed("AAAA")
    assert activity.bring() == Marks()
