"""Subjects measured in turn, A B C A B C: what disturbs one disturbs the others as well."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from benchmarks.figures import Series


@dataclass(frozen=True, slots=True)
class Subject:
    """Something that takes one sample when called."""

    name: str
    sample: Callable[[], Awaitable[float]]


async def in_turn(
    subjects: Sequence[Subject], rounds: int, each: int = 1, warm: int = 1
) -> list[Series]:
    """`each` samples of a subject, then of the next one, `rounds` times over.

    The first `warm` rounds are not counted.
    """
    found = [Series(subject.name) for subject in subjects]
    for number in range(warm + rounds):
        for series, subject in zip(found, subjects, strict=True):
            samples = [await subject.sample() for _ in range(each)]
            if number >= warm:
                series.samples += samples
    return found
