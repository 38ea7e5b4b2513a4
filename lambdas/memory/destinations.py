"""Log groups, buckets, the archive's queue and its leases, in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from hatchway.core.errors import HatchwayError, LogDestinationAbsent
from lambdas.ports import CLAIM, Busy, Clock, Look


class MemoryDestinations:
    """The ports LogGroups, Buckets and Encryption. `groups` and `buckets` say which there are,
    and whether they encrypt; set `failure` to have what is written refused."""

    def __init__(self) -> None:
        self.groups: dict[str, bool] = {}
        self.buckets: dict[str, bool] = {}
        self.events: dict[tuple[str, str], list[tuple[int, str]]] = {}
        self.objects: dict[tuple[str, str], bytes] = {}
        self.failure: HatchwayError | None = None

    def append(self, group: str, stream: str, events: Sequence[tuple[int, str]]) -> None:
        self._fail(group in self.groups)
        times = [at for at, _text in events]
        if times != sorted(times):
            raise ValueError("events of one batch are in the order of their times")
        self.events.setdefault((group, stream), []).extend(events)

    def put(self, bucket: str, key: str, parts: Iterable[bytes]) -> None:
        self._fail(bucket in self.buckets)
        self.objects[bucket, key] = b"".join(parts)

    def bucket(self, name: str) -> bool:
        self._fail(name in self.buckets)
        return self.buckets[name]

    def group(self, name: str) -> bool:
        self._fail(name in self.groups)
        return self.groups[name]

    def _fail(self, there: bool) -> None:
        if self.failure is not None:
            raise self.failure
        if not there:
            raise LogDestinationAbsent()


class MemoryLooks:
    """The port Looks: `asked` holds the looks with their seconds, `later` the receipts. Set
    `failure` to have what is asked refused."""

    def __init__(self) -> None:
        self.asked: list[tuple[Look, int]] = []
        self.later: list[tuple[str, int]] = []
        self.failure: HatchwayError | None = None

    def ask(self, looks: Sequence[Look], seconds: int = 0) -> None:
        if self.failure is not None:
            raise self.failure
        self.asked += [(look, seconds) for look in looks]

    def again(self, receipt: str, seconds: int) -> None:
        self.later.append((receipt, seconds))


class MemoryLeases:
    """The port Leases."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.held: dict[str, float] = {}

    @contextmanager
    def hold(self, session_id: str, seconds: float) -> Iterator[None]:
        now = self._clock()
        if self.held.get(session_id, 0.0) > now:
            raise Busy()
        self.held[session_id] = now + seconds
        try:
            yield
        finally:
            self.held.pop(session_id, None)

    @contextmanager
    def once(self, name: str, seconds: float) -> Iterator[bool]:
        now = self._clock()
        if self.held.get(name, 0.0) > now:
            yield False
            return
        self.held[name] = now + CLAIM
        try:
            yield True
        except BaseException:
            self.held.pop(name, None)
            raise
        self.held[name] = now + seconds
