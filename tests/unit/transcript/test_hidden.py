"""What is typed while the terminal does not echo is withheld, as is what no node reported on."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatchway.core.errors import MalformedMessage
from hatchway.core.transcript.chunks import Chunk, Kind, Side
from hatchway.core.transcript.hidden import (
    MAX_STRETCHES,
    MAX_WAITING_BYTES,
    REPORT_WITHIN,
    EchoLog,
    EchoReport,
    HiddenInput,
    Stretch,
    pack_report,
    parse_report,
)
from tests.unit.transcript.frames import AT, chunk


def typed(data: bytes, at: int = AT, **more: object) -> Chunk:
    return chunk(data, Kind.INPUT, at, digest="d", **more)


def hidden() -> HiddenInput:
    withheld = HiddenInput()
    withheld.begin("ann")
    return withheld


def told(*stretches: tuple[int, int, bool], client: str = "ann") -> EchoReport:
    return EchoReport(client, tuple(Stretch(*s) for s in stretches))


def test_input_waits_for_the_nodes_report() -> None:
    withheld = hidden()
    assert list(withheld.take(typed(b"ls\r"))) == []
    (passed,) = withheld.report(told((0, 3, True)), AT)
    assert passed == typed(b"ls\r")
    assert withheld.clean


def test_a_password_is_withheld_with_its_length_and_time_and_without_its_digest() -> None:
    withheld = hidden()
    list(withheld.take(typed(b"hunter2\r", sequence=4)))
    (mark,) = withheld.report(told((0, 8, False)), AT)
    assert (mark.kind, mark.data, mark.digest, mark.at) == (Kind.MARKER, b"", "", AT)
    assert mark.note == "typed while the terminal did not echo: 8 bytes withheld"
    assert mark.sequence == 4
    assert withheld.withheld == 8


def test_a_chunk_is_withheld_when_one_byte_of_it_was_hidden() -> None:
    withheld = hidden()
    list(withheld.take(typed(b"su\rpw\r")))
    (mark,) = withheld.report(told((0, 3, True), (3, 6, False)), AT)
    assert mark.kind is Kind.MARKER


def test_a_report_of_a_part_releases_nothing_beyond_it() -> None:
    withheld = hidden()
    list(withheld.take(typed(b"abc")))
    assert list(withheld.report(told((0, 2, True)), AT)) == []
    assert len(list(withheld.report(told((0, 3, True)), AT))) == 1


def test_a_node_cannot_take_back_that_it_was_hidden() -> None:
    withheld = hidden()
    list(withheld.report(told((0, 3, False)), AT))
    list(withheld.report(told((0, 3, True)), AT))
    (mark,) = withheld.take(typed(b"abc"))
    assert mark.kind is Kind.MARKER


def test_what_is_not_reported_on_in_time_is_withheld() -> None:
    withheld = hidden()
    list(withheld.take(typed(b"a")))
    assert list(withheld.release(AT + REPORT_WITHIN - 1)) == []
    (mark,) = withheld.release(AT + REPORT_WITHIN)
    assert mark.note.startswith("the node did not say")


def test_the_end_withholds_what_was_never_reported_on_and_keeps_the_rest() -> None:
    withheld = hidden()
    list(withheld.take(typed(b"ab")))
    list(withheld.take(typed(b"cd")))
    list(withheld.take(chunk(b"80x24", Kind.RESIZE, side=Side.CLIENT)))
    list(withheld.report(told((0, 1, True)), AT))
    kinds = [c.kind for c in withheld.finish()]
    assert kinds == [Kind.MARKER, Kind.MARKER, Kind.RESIZE]


def test_one_byte_more_than_may_wait_withholds_the_oldest() -> None:
    withheld = hidden()
    assert list(withheld.take(typed(bytes(MAX_WAITING_BYTES)))) == []
    (mark,) = withheld.take(typed(b"x"))
    assert mark.note.endswith(f"{MAX_WAITING_BYTES} bytes withheld")


def test_another_clients_input_counts_from_its_own_beginning() -> None:
    withheld = hidden()
    list(withheld.take(typed(b"abc")))
    withheld.begin("bob")
    list(withheld.take(typed(b"x")))
    assert list(withheld.report(told((0, 1, True), client="bob"), AT)) == []
    passed = list(withheld.report(told((0, 3, True)), AT))
    assert [c.data for c in passed] == [b"abc", b"x"]


def test_reports_of_invented_clients_do_not_pile_up() -> None:
    withheld = hidden()
    for n in range(50):
        list(withheld.report(told((0, 1, True), client=f"c{n}"), AT))
    assert len(withheld._reports) <= 3
    list(withheld.take(typed(b"a")))
    assert len(list(withheld.report(told((0, 1, True)), AT))) == 1


_RUNS = st.lists(st.tuples(st.integers(1, 9), st.booleans()), min_size=1, max_size=40)


@given(_RUNS, st.randoms(use_true_random=False))
def test_exactly_what_was_hidden_is_withheld_whatever_reports_are_lost(
    runs: list[tuple[int, bool]], random: Random
) -> None:
    """The agent's log and the archive's reading of it agree, when the last report arrives."""
    log, withheld = EchoLog(), hidden()
    found: list[Chunk] = []
    for size, echo in runs:
        log.fed("ann", size, echo)
        found += withheld.take(typed(bytes(size)))
        if random.random() < 0.3:
            found += withheld.report(parse_report(pack_report(log.report())), AT)
    found += withheld.report(parse_report(pack_report(log.report())), AT)
    assert [c.kind is Kind.INPUT for c in found] == [echo for _, echo in runs]


def test_an_echo_log_keeps_the_latest_stretches_and_begins_anew_with_a_client() -> None:
    log = EchoLog()
    for n in range(MAX_STRETCHES + 5):
        log.fed("ann", 1, bool(n % 2))
    assert len(log.report().stretches) == MAX_STRETCHES
    assert log.report().stretches[-1].end == MAX_STRETCHES + 5
    log.fed("bob", 2, True)
    log.fed("bob", 0, False)
    assert log.report() == told((0, 2, True), client="bob")


def test_a_report_survives_the_wire() -> None:
    report = told((0, 2, True), (2, 9, False))
    assert parse_report(pack_report(report)) == report
    assert parse_report(pack_report(EchoReport())) == EchoReport()


@pytest.mark.parametrize(
    "payload",
    [
        b"[]",
        b'{"Input": 1}',
        b'{"Input": [[0, 1]]}',
        b'{"Input": [[0, 1, 1]]}',
        b'{"Input": [[2, 1, true]]}',
        b'{"Client": 1}',
        b'{"Input": [' + b",".join([b"[0, 1, true]"] * (MAX_STRETCHES + 1)) + b"]}",
    ],
)
def test_a_malformed_report_is_refused(payload: bytes) -> None:
    with pytest.raises(MalformedMessage):
        parse_report(payload)


def test_a_client_that_begins_again_goes_on_counting() -> None:
    withheld = hidden()
    list(withheld.report(told((0, 4, True)), AT))
    assert list(withheld.take(typed(b"ab"))) == [typed(b"ab")]
    withheld.begin("ann")
    assert list(withheld.take(typed(b"cd"))) == [typed(b"cd")]


def test_input_waits_for_its_own_client_through_two_take_overs() -> None:
    withheld = hidden()
    list(withheld.report(told((0, 1, True)), AT))
    assert list(withheld.take(typed(b"ls"))) == []
    withheld.begin("bob")
    withheld.begin("cyd")
    assert list(withheld.report(told((1, 2, True)), AT)) == [typed(b"ls")]


def test_a_report_of_nothing_releases_nothing() -> None:
    withheld = hidden()
    list(withheld.take(typed(b"ls")))
    assert list(withheld.report(told(), AT)) == []


def test_a_size_that_waited_behind_withheld_input_passes_as_it_is() -> None:
    withheld = hidden()
    resized = chunk(b"80x24", Kind.RESIZE, AT, side=Side.CLIENT)
    assert list(withheld.take(typed(b"ls"))) == []
    assert list(withheld.take(resized)) == []
    first, second, third = withheld.take(typed(b"x" * (MAX_WAITING_BYTES + 1)))
    assert (first.kind, second, third.kind) == (Kind.MARKER, resized, Kind.MARKER)
