"""The port LifecycleConnections: what holds for the memory twin and for the table alike."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hatchway.core.names import Owner
from lambdas.adapters.lifecycle import TableLifecycle
from lambdas.memory.clock import ManualClock
from lambdas.memory.lifecycle import MemoryLifecycle
from lambdas.ports import (
    Circumstances,
    LifecycleConnection,
    LifecycleConnections,
    LifecycleToken,
    Stale,
)
from tests.contract.cloud import Cloud

JOHN, MARY = Owner("111122223333", "AIDAJOHN"), Owner("111122223333", "AROAOPS:mary")
TOKEN = LifecycleToken(
    digest="d" * 64,
    owner=MARY,
    arn="arn:aws:sts::111122223333:assumed-role/Ops/mary",
    about=Circumstances(source_ip="192.0.2.7", user_agent="x/1", organisation="o-1"),
    api="a1b2c3d4e5",
    expires=1060.0,
)


@pytest.fixture
def lifecycle(cloud: Cloud | None, clock: ManualClock) -> LifecycleConnections:
    if cloud is None:
        return MemoryLifecycle()
    return TableLifecycle(cloud.table(), clock, cloud.client("dynamodb"))


def opened(name: str, owner: Owner, expires: float) -> LifecycleConnection:
    return LifecycleConnection(connection=name, owner=owner, expires=expires)


def test_a_token_is_used_once_and_a_retry_is_answered_alike(
    lifecycle: LifecycleConnections,
) -> None:
    lifecycle.issue(TOKEN)
    used = lifecycle.use(TOKEN.digest, "c1=", 1000.0)
    assert used == replace(TOKEN, connection="c1=")
    assert lifecycle.use(TOKEN.digest, "c1=", 1001.0) == used
    assert lifecycle.use(TOKEN.digest, "c2=", 1001.0) is None


def test_a_token_that_is_unknown_or_expired_is_none(lifecycle: LifecycleConnections) -> None:
    lifecycle.issue(TOKEN)
    assert lifecycle.use(TOKEN.digest, "c1=", 1060.0) is None
    assert lifecycle.use("e" * 64, "c1=", 1000.0) is None


def test_a_token_is_issued_once(lifecycle: LifecycleConnections) -> None:
    lifecycle.issue(TOKEN)
    with pytest.raises(Stale):
        lifecycle.issue(replace(TOKEN, owner=JOHN))


def test_an_owner_s_connections_are_those_of_use_now(lifecycle: LifecycleConnections) -> None:
    first, second = opened("c1=", JOHN, 1900.5), opened("c2=", JOHN, 1950.0)
    for one in (second, first, opened("c3=", MARY, 1900.0), opened("c4=", JOHN, 1000.0)):
        lifecycle.open(one)
    assert list(lifecycle.of(JOHN, 1000.0, 10)) == [first, second]
    assert list(lifecycle.of(JOHN, 1000.0, 1)) == [first]
    assert list(lifecycle.of(JOHN, 1900.6, 10)) == [second]


def test_connections_are_due_in_the_order_in_which_they_expire(
    lifecycle: LifecycleConnections,
) -> None:
    late, later = opened("c1=", JOHN, 1100.0), opened("c2=", MARY, 1200.0)
    for one in (later, late, opened("c3=", MARY, 1300.25)):
        lifecycle.open(one)
    assert list(lifecycle.due(1300.0, 10)) == [late, later]
    assert list(lifecycle.due(1300.0, 1)) == [late]


def test_a_closed_connection_is_forgotten_and_again_is_nothing(
    lifecycle: LifecycleConnections,
) -> None:
    lifecycle.open(opened("c1=", JOHN, 1100.0))
    lifecycle.close("c1=")
    lifecycle.close("c1=")
    assert list(lifecycle.of(JOHN, 1000.0, 10)) == []
    assert list(lifecycle.due(2000.0, 10)) == []
