"""One command on many nodes: concurrency, failures, limits, signals, and no result lost."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence
from typing import cast

import pytest

from hatchway.client import Hatchway, Node, Started, Stream
from hatchway.client import fleet as module
from hatchway.client.choosing import choose
from hatchway.client.fleet import Fleet, NodeResult, Order, Status
from hatchway.client.waiting import when_connected
from hatchway.core.errors import (
    AccessDeniedException,
    HatchwayError,
    LimitExceededException,
    TargetNotConnected,
    TargetUnknown,
    ThrottlingException,
    ValidationException,
)
from tests.unit.client.memory import MemoryService
from tests.unit.client.node import FakeNode, LittleCommand

pytestmark = pytest.mark.timeout(60)


def node(number: int, **tags: str) -> Node:
    return Node(
        node_id=f"i-{number:017x}",
        name=f"web-{number}",
        ping_status="Online",
        agent_version="1",
        last_ping=None,
        tags=tags,
    )


class Service:
    """The people API and the streams of many nodes, in memory."""

    def __init__(self, commands: Sequence[LittleCommand]) -> None:
        self.commands = {node(n).node_id: command for n, command in enumerate(commands)}
        self.refusals: dict[str, list[HatchwayError]] = {}
        self.started: list[str] = []
        self.ended: list[str] = []

    def start(self, target: str, **_: object) -> Started:
        if errors := self.refusals.get(target):
            raise errors.pop(0)
        self.started.append(target)
        return Started(session_id=target, stream_url="wss://x", token="t")

    def open_stream(self, opened: Started) -> Stream:
        memory = MemoryService(FakeNode(opened.session_id, self.commands[opened.session_id]))
        return memory.stream()

    def terminate(self, session_id: str) -> None:
        self.ended.append(session_id)


class Sink:
    """Collects; wakes who waits; may fail."""

    def __init__(self, changed: asyncio.Event, fails: HatchwayError | None = None) -> None:
        self.out = self.err = b""
        self.finished = False
        self._changed, self._fails = changed, fails

    async def write(self, data: bytes) -> None:
        if self._fails:
            raise self._fails
        self.out += data
        self._changed.set()

    async def write_error(self, data: bytes) -> None:
        self.err += data

    async def finish(self) -> None:
        self.finished = True


class Run:
    """A fleet with what it told."""

    def __init__(
        self, service: Service, order: Order, fails: dict[str, HatchwayError] | None = None
    ) -> None:
        self.changed = asyncio.Event()
        self.sinks: dict[str, Sink] = {}
        self.most = self.now = 0
        self.fleet = Fleet(
            cast(Hatchway, service),
            order,
            sink=lambda one: self.sinks.setdefault(
                one.node_id, Sink(self.changed, (fails or {}).get(one.node_id))
            ),
            told=self._told,
        )

    def _told(self, result: NodeResult | None) -> None:
        self.now += 1 if result is None else -1
        self.most = max(self.most, self.now)

    async def until(self, ready: object) -> None:
        assert callable(ready)
        async with asyncio.timeout(20):
            while not ready():
                self.changed.clear()
                await self.changed.wait()


def order(concurrency: int = 10, max_failures: int | None = None) -> Order:
    return Order(
        document="D",
        parameters={"command": ["x"]},
        concurrency=concurrency,
        max_failures=max_failures,
    )


def outcomes(results: Sequence[NodeResult]) -> list[tuple[Status, int | None]]:
    return [(result.status, result.exit_code) for result in results]


async def test_every_node_has_a_result_in_order_with_its_own_streams() -> None:
    commands = [LittleCommand(n, f"e{n}".encode(), output=f"o{n}".encode()) for n in range(5)]
    run = Run(Service(commands), order(2))
    results = await run.fleet.run([node(n) for n in range(5)])
    assert outcomes(results) == [(Status.SUCCEEDED, 0), *((Status.EXITED, n) for n in range(1, 5))]
    for n in range(5):
        sink = run.sinks[node(n).node_id]
        assert (sink.out, sink.err, sink.finished) == (f"o{n}".encode(), f"e{n}".encode(), True)
    assert run.most == 2
    assert run.now == 0


async def test_one_nodes_failure_is_its_result_and_the_others_go_on() -> None:
    service = Service([LittleCommand() for _ in range(3)])
    service.refusals[node(1).node_id] = [AccessDeniedException("no")]
    disk = ValidationException("No space left on device.")
    service.commands[node(2).node_id] = LittleCommand(output=b"x")
    run = Run(service, order(), {node(2).node_id: disk})
    results = await run.fleet.run([node(n) for n in range(3)])
    assert [result.status for result in results] == [
        Status.SUCCEEDED,
        Status.FAILED,
        Status.FAILED,
    ]
    assert isinstance(results[1].error, AccessDeniedException)
    assert results[2].error is disk
    assert service.ended == [node(2).node_id], "what could not be carried to its end is ended"


@pytest.mark.parametrize(("most", "begun"), [(0, 1), (1, 2), (None, 4)])
async def test_no_more_are_started_once_too_many_have_failed(most: int | None, begun: int) -> None:
    service = Service([LittleCommand(1) for _ in range(4)])
    results = await Run(service, order(1, most)).fleet.run([node(n) for n in range(4)])
    assert len(service.started) == begun
    assert outcomes(results) == [(Status.EXITED, 1)] * begun + [(Status.NOT_STARTED, None)] * (
        4 - begun
    )


async def test_a_start_that_a_limit_refused_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST", 0.001)  # the delays are named there, for people
    service = Service([LittleCommand()])
    service.refusals[node(0).node_id] = [ThrottlingException(), LimitExceededException()]
    results = await Run(service, order()).fleet.run([node(0)])
    assert outcomes(results) == [(Status.SUCCEEDED, 0)]


async def test_a_signal_reaches_all_that_run_and_starts_no_more() -> None:
    class Waiting(LittleCommand):
        def flagged(self, value: object) -> int | None:
            return None if not getattr(value, "signal", 0) else super().flagged(value)  # type: ignore[arg-type]

    service = Service([Waiting(output=b"up") for _ in range(3)])
    run = Run(service, order(2))
    work = asyncio.ensure_future(run.fleet.run([node(n) for n in range(3)]))
    await run.until(lambda: sum(sink.out == b"up" for sink in run.sinks.values()) == 2)
    assert run.fleet.signal(signal.SIGTERM)
    assert outcomes(await work) == [
        (Status.EXITED, 143),
        (Status.EXITED, 143),
        (Status.NOT_STARTED, None),
    ]
    assert not run.fleet.signal(signal.SIGTERM)


async def test_what_runs_is_ended_when_it_is_given_up() -> None:
    class Waiting(LittleCommand):
        def flagged(self, value: object) -> int | None:
            return None

    service = Service([Waiting(output=b"up") for _ in range(2)])
    run = Run(service, order())
    work = asyncio.ensure_future(run.fleet.run([node(n) for n in range(2)]))
    await run.until(lambda: len(run.sinks) == 2 and all(s.out for s in run.sinks.values()))
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    assert sorted(service.ended) == [node(0).node_id, node(1).node_id]
    assert all(sink.finished for sink in run.sinks.values())


# --- which nodes --------------------------------------------------------------------------------


def test_targets_and_tags_are_put_together_and_none_is_twice() -> None:
    nodes = [node(1, role="web", env="a"), node(2, role="web", env="b"), node(3, role="db")]
    assert choose(["web-3"], ["role=web"], lambda: nodes) == [nodes[2], nodes[0], nodes[1]]
    assert choose([node(1).node_id, "web-1"], ["role=web", "env=a"], lambda: nodes) == [nodes[0]]
    stranger = choose([node(9).node_id], [], lambda: nodes)
    assert [(one.node_id, one.name) for one in stranger] == [(node(9).node_id, "")]


def test_tags_that_no_node_has_and_those_that_are_none_are_errors() -> None:
    with pytest.raises(TargetUnknown):
        choose([], ["role=web", "env=c"], lambda: [node(1, role="web", env="a")])
    for tag in ("role", "=web"):
        with pytest.raises(ValidationException):
            choose([], [tag], lambda: [node(1)])


# --- nodes that are not there yet ---------------------------------------------------------------


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


@pytest.mark.parametrize("error", [TargetNotConnected, TargetUnknown])
def test_a_node_is_waited_for_as_long_as_was_asked_and_no_longer(
    error: type[HatchwayError],
) -> None:
    clock, came = Clock(), 0

    def absent() -> None:
        nonlocal came
        came += 1
        raise error

    with pytest.raises(error):
        when_connected(absent, 0.0, clock, clock.sleep)
    assert (came, clock.now) == (1, 100.0)
    with pytest.raises(error):
        when_connected(absent, 60.0, clock, clock.sleep)
    assert clock.now == pytest.approx(160.0)
    assert came < 30


def test_a_node_that_comes_is_started_on() -> None:
    clock = Clock()

    def later() -> str:
        if clock.now < 120.0:
            raise TargetNotConnected
        return "started"

    assert when_connected(later, 60.0, clock, clock.sleep) == "started"
    assert clock.now < 126.0


def test_another_error_is_not_waited_for_and_a_wait_is_bounded() -> None:
    clock = Clock()

    def refused() -> None:
        raise AccessDeniedException

    with pytest.raises(AccessDeniedException):
        when_connected(refused, 60.0, clock, clock.sleep)
    for patience in (-1.0, 1e9, float("nan")):
        with pytest.raises(ValidationException):
            when_connected(refused, patience, clock, clock.sleep)
