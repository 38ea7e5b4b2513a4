"""What a session leaves behind is given back."""

from __future__ import annotations

import weakref

from agent import memory


class Knot:
    """Refers to itself: only a collection frees it."""

    def __init__(self) -> None:
        self.itself = self


def test_knots_are_collected_and_pages_returned() -> None:
    seen = weakref.ref(Knot())
    memory.give_back()
    assert seen() is None


def test_without_glibc_there_is_nothing_to_trim() -> None:
    """musl and other systems: the C library has no such function."""
    assert memory.trimmer(lambda _name: object())() is None


def test_glibc_is_asked_to_return_all_that_is_free() -> None:
    class Library:
        def __init__(self) -> None:
            self.asked: list[int] = []

        def malloc_trim(self, keep: int) -> int:
            self.asked.append(keep)
            return 1

    library = Library()
    memory.trimmer(lambda _name: library)()
    assert library.asked == [0]
