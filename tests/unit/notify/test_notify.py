"""Texts for people: as they are, without quotes, to whom they concern."""

from __future__ import annotations

from typing import Any

import pytest

from hatchway.core.errors import ThrottlingException, ValidationException
from lambdas.logline import Line
from lambdas.memory.sns import MemoryTopic
from lambdas.notify.handler import MAX_SUBJECT, MAX_TEXT, URGENT, Notify, subject
from tests.vectors.hostile import CORPUS

SUMMARY = "Hatchway prod: john opened a session on i-1, 2027. Reason: “disk full”. Session john-1."


class Setting:
    def __init__(self) -> None:
        self.people, self.watch = MemoryTopic(), MemoryTopic()
        self.notify = Notify(self.people, self.watch)

    def tell(self, kind: str = "Session State Change", **detail: Any) -> None:
        event = {"id": "e", "detail-type": kind, "detail": {"summary": SUMMARY} | detail}
        self.notify.handle(event, Line("notify"))


@pytest.fixture
def setting() -> Setting:
    return Setting()


def test_people_read_the_summary_as_it_is(setting: Setting) -> None:
    setting.tell()
    assert setting.people.texts == [
        ("Hatchway prod: john opened a session on i-1, 2027", SUMMARY),
    ]
    assert setting.watch.texts == []


@pytest.mark.parametrize("kind", sorted(URGENT))
def test_what_is_urgent_goes_to_those_who_are_woken(setting: Setting, kind: str) -> None:
    setting.tell(kind)
    assert len(setting.watch.texts) == 1
    assert setting.people.texts == []


@pytest.mark.parametrize("detail", [{"summary": ""}, {"summary": None}, {"summary": 7}])
def test_an_event_without_a_summary_is_kept_and_not_told(
    setting: Setting, detail: dict[str, Any]
) -> None:
    with pytest.raises(ValidationException):
        setting.tell(**detail)


@pytest.mark.parametrize("name", CORPUS)
def test_nothing_hostile_is_in_a_text(setting: Setting, name: str) -> None:
    """Summaries are plain already; a rule's own text may hold anything that an event does."""
    setting.tell("Evidence Changed", summary="Changed: " + CORPUS[name].decode("utf-8", "replace"))
    [(about, text)] = setting.watch.texts
    assert about.isprintable()
    assert about.isascii()
    assert text.isprintable()
    assert len(text) <= MAX_TEXT


def test_what_sns_refuses_comes_again(setting: Setting) -> None:
    setting.people.failure = ThrottlingException()
    with pytest.raises(ThrottlingException):
        setting.tell()


@pytest.mark.parametrize("text", ["x" * MAX_SUBJECT, "x" * (MAX_SUBJECT + 1), "größe " * 40])
def test_a_subject_is_short_and_ascii(text: str) -> None:
    made = subject(text)
    assert len(made) <= MAX_SUBJECT
    assert made.isascii()
    assert made.startswith(text[:2])


def test_a_text_is_no_longer_than_a_phone_bears(setting: Setting) -> None:
    setting.tell(summary="x" * (MAX_TEXT + 1))
    assert len(setting.people.texts[0][1]) == MAX_TEXT
