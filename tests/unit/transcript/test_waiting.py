"""What waits for an earlier message: for how long, and that it always ends."""

from __future__ import annotations

import pytest

from hatchway.core.transcript.chunks import Kind, Side
from hatchway.core.transcript.ordering import GAP_AFTER, Orderer
from hatchway.core.transcript.recorder import Redaction
from lambdas import passing
from lambdas.ledger import Progress
from tests.unit.transcript.frames import AT, output
from tests.unit.transcript.test_known import ID, SlowLog


def test_a_message_waits_its_own_time_though_an_earlier_one_waited_before_it() -> None:
    orderer = Orderer(Side.NODE)
    late = GAP_AFTER // 2
    for number, at in ((2, 0), (4, late), (0, late), (1, late)):
        list(orderer.take(output(number, b"x"), 1, AT + at))
    assert list(orderer.expire(AT + GAP_AFTER)) == []  # 2 has not waited since its turn came
    gap, told = orderer.expire(AT + late + GAP_AFTER)
    assert (gap.kind, gap.sequence, told.sequence) == (Kind.GAP, 3, 4)


def test_a_portion_of_which_all_waits_is_let_go_so_that_the_next_one_begins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(passing, "MAX_READ", 1000)  # not 24 MB
    log = SlowLog(now=AT + 100)
    for number in range(1, 20):
        log.passed(number, number, output(number, b"%d" % number))
    found = passing.read_on(log, ID, Redaction(), Progress(), until=log.now)
    assert found.more
    assert [chunk.kind for chunk in found.chunks[:2]] == [Kind.GAP, Kind.OUTPUT]
    rest = passing.read_on(log, ID, Redaction(), found.progress, until=log.now)
    assert rest.chunks[0].sequence == found.chunks[-1].sequence + 1
