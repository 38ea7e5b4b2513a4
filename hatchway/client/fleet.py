"""One command on many nodes: so many at once, and a result for every one of them."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from hatchway.client.backoff import Backoff
from hatchway.client.command import Sink, Source, carry
from hatchway.client.connecting import in_thread
from hatchway.client.ends import exit_code
from hatchway.client.events import StreamEvent
from hatchway.client.records import Node, Started
from hatchway.client.service import Hatchway
from hatchway.client.stream import Stream
from hatchway.core.errors import (
    HatchwayError,
    LimitExceededException,
    ThrottlingException,
)

#: Attempts at a start that a limit refused, and the seconds between them, at first and at most.
ATTEMPTS = 8
FIRST, MOST = 1.0, 15.0
#: Seconds to end the sessions of commands that are given up.
FAREWELL_SECONDS = 5.0


class NodeSink(Sink, Protocol):
    """Where the output of one node goes."""

    async def finish(self) -> None:
        """Nothing more comes."""


class Status(StrEnum):
    SUCCEEDED = "Succeeded"
    #: The command ended with another status than 0.
    EXITED = "Exited"
    #: It could not be run to its end; `error` says why.
    FAILED = "Failed"
    NOT_STARTED = "NotStarted"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeResult:
    """What became of the command on one node."""

    node: Node
    status: Status
    session_id: str = ""
    exit_code: int | None = None
    error: HatchwayError | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is run. `max_failures`: once more nodes have failed no further one is started; None:
    all are. `wait`: seconds for a node that is not connected."""

    document: str
    parameters: Mapping[str, Sequence[str]]
    reason: str | None = None
    concurrency: int = 10
    max_failures: int | None = None
    wait: float = 0.0


class Fleet:
    """Runs an order. `sink` and `source` make those of one node; `told` hears of each result as it
    comes, of beginnings (None), and `event` of what is not output."""

    def __init__(
        self,
        hatchway: Hatchway,
        order: Order,
        *,
        sink: Callable[[Node], NodeSink],
        source: Callable[[], Source | None] = lambda: None,
        told: Callable[[NodeResult | None], None] = lambda result: None,
        event: Callable[[Node, StreamEvent], None] = lambda node, event: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._hatchway, self._order = hatchway, order
        self._sink, self._source, self._told, self._event = sink, source, told, event
        self._clock = clock
        self._streams: dict[str, Stream] = {}
        self._open: set[str] = set()
        self._failures = 0
        self._stopping = False

    @property
    def running(self) -> int:
        """Nodes whose command is open now."""
        return len(self._streams)

    def signal(self, number: int) -> bool:
        """Starts no more, and signals every command that runs; False where none took it."""
        self._stopping = True
        sent = [stream.signal(number) for stream in list(self._streams.values())]
        return any(sent)

    async def run(self, nodes: Sequence[Node]) -> list[NodeResult]:
        """A result for each node, in their order. Where it is cancelled, or a sink fails, all that
        runs is ended."""
        results: list[NodeResult] = [
            NodeResult(node=node, status=Status.NOT_STARTED) for node in nodes
        ]
        waiting = iter(range(len(nodes)))

        async def work() -> None:
            for at in waiting:
                if self._enough:
                    return
                results[at] = await self._one(nodes[at])

        workers = [asyncio.ensure_future(work()) for _ in range(self._order.concurrency)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            await self._end_all()
        return results

    @property
    def _enough(self) -> bool:
        most = self._order.max_failures
        return self._stopping or (most is not None and self._failures > most)

    async def _one(self, node: Node) -> NodeResult:
        began = self._clock()
        self._told(None)
        started: Started | None = None
        try:
            started = await self._start(node)
            self._open.add(started.session_id)
            code = await self._carry(node, started)
            status = Status.EXITED if code else Status.SUCCEEDED
            error = None
        except HatchwayError as failure:
            status, code, error = Status.FAILED, None, failure
        result = NodeResult(
            node=node,
            status=status,
            session_id=started.session_id if started else "",
            exit_code=code,
            error=error,
            seconds=self._clock() - began,
        )
        self._failures += status is not Status.SUCCEEDED
        self._told(result)
        return result

    async def _start(self, node: Node) -> Started:
        """Again where a limit refused it: the sessions that fill it are mostly our own."""
        order = self._order
        backoff = Backoff(lambda: secrets.randbelow(1000) / 1000, first=FIRST, most=MOST)
        for attempt, delay in enumerate(backoff.delays(), 1):
            try:
                return await in_thread(
                    lambda: self._hatchway.start(
                        node.node_id,
                        document=order.document,
                        reason=order.reason,
                        parameters=order.parameters,
                        wait=order.wait,
                    )
                )
            except (ThrottlingException, LimitExceededException):
                if attempt >= ATTEMPTS or self._enough:
                    raise
            await asyncio.sleep(delay)
        raise AssertionError("a backoff does not end")

    async def _carry(self, node: Node, started: Started) -> int:
        sink = self._sink(node)
        async with self._hatchway.open_stream(started) as stream:
            self._streams[node.node_id] = stream
            try:
                ended = await carry(
                    stream, self._source(), sink, lambda event: self._event(node, event)
                )
            finally:
                del self._streams[node.node_id]
                await sink.finish()
        if ended.error is None:
            self._open.discard(started.session_id)
        return await in_thread(lambda: exit_code(self._hatchway, started.session_id, ended))

    async def _end_all(self) -> None:
        """Ends at the service what nobody will return to."""
        left, self._open = self._open, set()
        if not left:
            return
        ending = [in_thread(lambda one=session: self._end(one)) for session in left]  # type: ignore[misc]
        await asyncio.wait(map(asyncio.ensure_future, ending), timeout=FAREWELL_SECONDS)

    def _end(self, session_id: str) -> None:
        try:
            self._hatchway.terminate(session_id)
        except HatchwayError:
            return  # it is over, or the service is out of reach
