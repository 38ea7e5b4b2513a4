"""A bounded cache with a life per entry; one load per key at a time, failures are not kept."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

from lambdas.ports import Clock

K = TypeVar("K")
V = TypeVar("V")


class Cache(Generic[K, V]):
    """At most `size` entries; the one least recently written goes first. Safe for threads."""

    def __init__(self, size: int, life: float, clock: Clock = time.monotonic) -> None:
        self._size = size
        self._life = life
        self._clock = clock
        self._lock = Lock()
        self._entries: OrderedDict[K, tuple[float, V]] = OrderedDict()
        self._loading: dict[K, Lock] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def peek(self, key: K) -> tuple[V] | None:
        """The value in a tuple (it may be None itself), or None where there is no fresh one."""
        with self._lock:
            entry = self._entries.get(key)
        return (entry[1],) if entry is not None and self._clock() < entry[0] else None

    def put(self, key: K, value: V, life: float | None = None) -> None:
        """Keeps `value` for `life` seconds, the cache's own unless given."""
        with self._lock:
            self._entries[key] = (self._clock() + (self._life if life is None else life), value)
            self._entries.move_to_end(key)
            while len(self._entries) > self._size:
                self._entries.popitem(last=False)

    def get(self, key: K, load: Callable[[], V]) -> V:
        """The fresh value, loaded by one caller while the others wait for it."""
        with self._lock:
            gate = self._loading.setdefault(key, Lock())
        with gate:
            found = self.peek(key)
            if found is not None:
                return found[0]
            try:
                value = load()
                self.put(key, value)
            finally:
                with self._lock:
                    self._loading.pop(key, None)
        return value
