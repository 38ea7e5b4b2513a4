"""Memory that sessions leave behind goes back to the system, not only to Python's allocator."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Callable


def give_back() -> None:
    """Collects what only refers to itself, and returns free pages. It takes some milliseconds."""
    gc.collect()
    _trim()


def trimmer(load: Callable[[None], object]) -> Callable[[], None]:
    """glibc's malloc_trim out of the C library that `load` gives; elsewhere nothing."""
    try:
        trim = getattr(load(None), "malloc_trim", None)
    except (OSError, TypeError):  # Windows has no library without a name
        trim = None
    if trim is None:
        return lambda: None

    def trim_all() -> None:
        trim(0)

    return trim_all


_trim = trimmer(ctypes.CDLL)
