"""Activity: an agent brings back the service's own marks, and nothing that it says counts."""

from __future__ import annotations

from typing import Any

import pytest

from hatchway.core import marks
from hatchway.core.keys import seal_key
from hatchway.core.lifecycle import Status
from hatchway.core.marks import INPUT, MARK_TEXT, OUTPUT, Mark
from lambdas.agents.renewal import ACTIVITY_GRAIN
from lambdas.memory.secrets import MemorySecrets
from lambdas.timeouts import timeouts
from tests.unit.agents.test_agents import Setting
from tests.unit.edge.world import NODE, OTHER_NODE, SESSION
from tests.unit.sweep.sweeping import sweep

OUTPUT_COUNTS = '{"schemaVersion":"1.0","inputs":{"hatchway":{"outputKeepsAlive":true}}}'


class Typed(Setting):
    """A session with client and agent, in which somebody types now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.world.client()
        self.open()
        self.world.change(activity=self.world.clock())
        self.began = self.world.clock()

    def mark(
        self,
        sequence: int = 1,
        *,
        direction: str = INPUT,
        later: float = 0.0,
        generation: int = 1,
        node: str = NODE,
        session: str = SESSION,
        secrets: MemorySecrets | None = None,
    ) -> str:
        """As `relay` and `uplink` make it."""
        kept = secrets or {INPUT: self.seal, OUTPUT: self.ticket}[direction]
        secret = kept.current()
        time = int(self.world.clock() + later)
        mark = Mark(secret.key_id, generation, sequence, time)
        data = marks.make(mark, secret.value, node=node, session=session, direction=direction)
        return marks.to_text(data)

    @property
    def activity(self) -> float:
        """Seconds after the beginning."""
        return self.world.get().activity - self.began

    @property
    def writes(self) -> int:
        return len(self.world.sessions.changes)


@pytest.fixture
def setting() -> Typed:
    return Typed()


def test_what_a_person_typed_is_activity_from_when_the_service_saw_it(setting: Typed) -> None:
    setting.world.clock.advance(100)
    mark = setting.mark(7)
    setting.world.clock.advance(20)
    setting.renew(InputMark=mark)
    assert (setting.activity, setting.world.get().marked) == (100, 7)


def test_an_agents_word_alone_extends_nothing(setting: Typed) -> None:
    """It renews as often as it likes, and has nothing to show."""
    limit = timeouts(setting.world.get()).idle
    for _ in range(int(limit // 30) + 1):
        setting.world.clock.advance(30)
        setting.renew()
    sweep(setting.world)
    session = setting.world.get()
    assert (session.status, session.end_reason) == (Status.TERMINATING, "idle for too long")
    assert setting.refused("ticket", setting.renewal(Activity=setting.world.clock())) == (
        400,
        "ValidationException",
    )


@pytest.mark.parametrize(
    "forged",
    [
        {"session": "mary-0123456789abcdef0"},
        {"node": OTHER_NODE},
        {"direction": OUTPUT},
        {"secrets": MemorySecrets("guessed")},
        {"generation": 0},
        {"generation": 2},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_mark_of_another_session_secret_client_or_direction_extends_nothing(
    setting: Typed, forged: dict[str, Any]
) -> None:
    setting.world.clock.advance(600)
    answer = setting.renew(InputMark=setting.mark(7, **forged))
    assert answer["Connected"] is True
    assert setting.activity == 0


def test_the_key_that_an_agent_is_given_makes_no_mark(setting: Typed) -> None:
    setting.world.clock.advance(600)
    secret = setting.seal.current()
    key = seal_key(secret.value, key_id=secret.key_id, node=NODE, session=SESSION)
    mark = Mark(secret.key_id, 1, 9, int(setting.world.clock()))
    data = marks.make(mark, key, node=NODE, session=SESSION, direction=INPUT)
    setting.renew(InputMark=marks.to_text(data))
    assert setting.activity == 0
    assert setting.world.lines.last["markRefused"] == 1
    assert setting.world.lines.written[-1][0] == "WARNING"


def test_what_a_client_sends_again_is_no_new_activity(setting: Typed) -> None:
    """An agent that acknowledges nothing has the client send the same key again and again; each
    time the relay makes a mark of it."""
    setting.world.clock.advance(100)
    setting.renew(InputMark=setting.mark(7))
    for sequence in (7, 6, 7):
        setting.world.clock.advance(300)
        setting.renew(InputMark=setting.mark(sequence))
    assert setting.activity == 100
    setting.renew(InputMark=setting.mark(8))
    assert setting.activity == 1000


def test_a_mark_that_was_shown_before_extends_nothing(setting: Typed) -> None:
    setting.world.clock.advance(100)
    mark = setting.mark(7)
    setting.renew(InputMark=mark)
    setting.world.clock.advance(900)
    setting.renew(InputMark=mark)
    assert setting.activity == 100


def test_activity_is_never_later_than_our_clock(setting: Typed) -> None:
    setting.world.clock.advance(100)
    setting.renew(InputMark=setting.mark(7, later=9999))
    assert setting.activity == 100


def test_a_mark_of_a_secret_that_was_just_rotated_counts_and_an_older_one_does_not(
    setting: Typed,
) -> None:
    setting.world.clock.advance(100)
    mark = setting.mark(7)
    setting.seal.rotate()
    setting.renew(InputMark=mark)
    assert setting.activity == 100
    setting.world.clock.advance(100)
    mark = setting.mark(8)
    setting.seal.rotate()
    setting.seal.rotate()
    setting.renew(InputMark=mark)
    assert setting.activity == 100


@pytest.mark.parametrize("text", ["A" * MARK_TEXT, "é", "x"])
def test_what_is_no_mark_costs_no_ticket(setting: Typed, text: str) -> None:
    assert setting.renew(InputMark=text)["Connected"] is True
    assert setting.activity == 0


@pytest.mark.parametrize("text", ["A" * (MARK_TEXT + 1), 7, ""])
def test_a_mark_is_a_short_text(setting: Typed, text: object) -> None:
    body = setting.renewal(InputMark=text)
    assert setting.refused("ticket", body) == (400, "ValidationException")


def test_activity_is_written_in_steps_and_what_came_last_is_not_lost(setting: Typed) -> None:
    writes = setting.writes
    setting.world.clock.advance(ACTIVITY_GRAIN - 1)
    mark = setting.mark(7)
    setting.renew(InputMark=mark)
    assert setting.writes == writes
    setting.world.clock.advance(ACTIVITY_GRAIN + 1)
    setting.renew(InputMark=mark)
    assert setting.writes == writes + 1
    assert setting.activity == ACTIVITY_GRAIN - 1
    setting.renew(InputMark=mark)
    assert setting.writes == writes + 1


def test_output_that_was_passed_on_counts_where_the_document_lets_it(setting: Typed) -> None:
    setting.world.clock.advance(600)
    setting.renew(OutputMark=setting.mark(9, direction=OUTPUT))
    assert setting.activity == 0
    setting.world.change(document=OUTPUT_COUNTS)
    setting.renew(OutputMark=setting.mark(9, direction=OUTPUT, generation=0))
    assert setting.activity == 0
    setting.renew(OutputMark=setting.mark(9, direction=OUTPUT))
    assert (setting.activity, setting.world.get().marked) == (600, -1)
