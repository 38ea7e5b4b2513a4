"""What recording adds: every way is measured for every kind, and what is off records nothing."""

from __future__ import annotations

import pytest

from benchmarks.prices import Bill, Item
from benchmarks.recorded import WAYS, Samples
from benchmarks.recording import measure, report, sealing
from benchmarks.recording_hours import CHECKPOINT, CHECKPOINTS, KEYS, LOOK, LOOKS, Hour, hours_table

KINDS = ("relay, key", "relay, full", "uplink, key", "uplink, full", "uplink, MB of log text")


@pytest.fixture(scope="module")
def short() -> list[Samples]:
    """The whole way once, with few messages."""
    return measure(2)


def test_every_way_is_measured_for_every_kind(short: list[Samples]) -> None:
    assert [(s.kind, s.way) for s in short] == [(k, w.name) for k in KINDS for w in WAYS]
    lines = report(short).splitlines()
    assert len(lines) == 1 + len(KINDS) * len(WAYS)
    assert lines[0].split()[:2] == ["recording", "way"]


def test_what_is_off_records_nothing_and_each_other_way_does(short: list[Samples]) -> None:
    for each in short:
        assert (each.recorded == 0) == (each.way == "off")
        assert all(second > 0 for second in each.seconds)


def test_wanted_and_required_store_the_same(short: list[Samples]) -> None:
    by = {(s.kind, s.way): s.recorded for s in short}
    for kind in KINDS:
        assert by[kind, "wanted"] == by[kind, "required"]
        assert by[kind, "wanted, in clear"] == by[kind, "required, in clear"]


def test_sealing_adds_a_key_to_a_small_event_and_hardly_anything_to_a_large_one(
    short: list[Samples],
) -> None:
    by = {(s.kind, s.way): s.recorded / len(s.seconds) for s in short}
    assert 350 < by["uplink, key", "wanted"] - by["uplink, key", "wanted, in clear"] < 450
    assert by["uplink, full", "wanted"] < 1.01 * by["uplink, full", "wanted, in clear"]


def test_what_is_added_is_against_recording_nothing() -> None:
    def of(way: str, second: float, recorded: int) -> Samples:
        return Samples("uplink, key", way, [second] * 4, 4 * second, 4 * recorded)

    found = [of("off", 0.001, 0), of("wanted, in clear", 0.0015, 200), of("wanted", 0.002, 600)]
    row = report(found).splitlines()[3].split()
    assert row[-7:] == ["4", "2.00", "2.00", "2.00", "1.00", "1.00", "600"]
    assert sealing(found).splitlines()[1].split() == ["uplink,", "key", "0.50", "+400"]


def test_an_hour_s_recording_is_bytes_looks_checkpoints_and_keys() -> None:
    bill = Bill({Item.RECORDED_BYTE: 2e6, Item.REST_CALL: 1000.0})
    busy, idle = Hour(bill, worked=True), Hour(Bill({Item.REST_CALL: 1000.0}), worked=False)
    assert busy.parts == pytest.approx((0.001, LOOKS * LOOK, CHECKPOINTS * CHECKPOINT, KEYS * 3e-6))
    assert idle.parts == pytest.approx((0, LOOKS * LOOK, 0, 0))
    assert [busy.without, idle.without] == pytest.approx([0.0035, 0.0035])
    rows = hours_table({"idle": idle, "busy": busy}).splitlines()
    assert rows[1].split()[1:3] == ["0", "-"]
    assert rows[2].split()[1:3] == ["2,000,000", "0.001"]
