"""Figures and tables."""

from __future__ import annotations

import asyncio
import math

from benchmarks.figures import Series, keys_table, machine, percentile, table
from benchmarks.turns import Subject, in_turn


def test_a_percentile_is_a_sample_that_was_taken() -> None:
    samples = [float(n) for n in range(100, 0, -1)]
    assert percentile(samples, 50) == 50.0
    assert percentile(samples, 99) == 99.0
    assert percentile(samples, 100) == 100.0
    assert percentile([7.0], 1) == 7.0


def test_nothing_has_no_percentile() -> None:
    assert math.isnan(percentile([], 50))


def test_the_ratio_is_ours_over_the_others() -> None:
    text = keys_table([Series("ours", [0.002] * 3), Series("other", [0.001] * 3)])
    assert text.splitlines()[2].split() == ["other", "3", "1.00", "1.00", "2.00", "2.00"]


def test_columns_are_in_line() -> None:
    lines = table(("name", "n"), [("a", "1"), ("longer", "22")]).splitlines()
    assert lines == ["name     n", "a        1", "longer  22"]


def test_subjects_are_measured_in_turn_and_the_first_round_is_not_counted() -> None:
    taken: list[str] = []

    def subject(name: str) -> Subject:
        async def sample() -> float:
            taken.append(name)
            return float(len(taken))

        return Subject(name, sample)

    found = asyncio.run(in_turn([subject("a"), subject("b")], rounds=2, each=2))
    assert taken == list("aabb" * 3)
    assert [one.samples for one in found] == [[5.0, 6.0, 9.0, 10.0], [7.0, 8.0, 11.0, 12.0]]


def test_the_machine_line_says_how_busy_it_was() -> None:
    assert "load" in machine()
