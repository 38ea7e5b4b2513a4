"""The soak in short: both ways at once through a network that loses, repeats, reorders and cuts."""

from __future__ import annotations

import pytest

from benchmarks.soak import MAX_GROWTH, Plan, growth, soak
from local.stack import Stack

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(200)]

PLAN = Plan(size=1_500_000, seconds=9.0, cut_every=4.0)


async def test_every_byte_arrives_in_order_though_messages_are_lost_and_connections_cut(
    stack: Stack,
) -> None:
    found = await soak(stack, PLAN)
    assert (found.wrong, found.up, found.down) == ("", PLAN.size, PLAN.size)
    # It was put to the test.
    assert found.counts["lost"] > 10
    assert found.restored >= found.cuts >= 1
    assert max(growth(found.agent), growth(found.client)) <= MAX_GROWTH
