"""A node's own network: away while nobody is reached or nothing arrives, back after a while."""

from __future__ import annotations

from agent.network import NOTICED, OwnNetwork


def test_it_is_away_while_calls_reach_nobody_and_back_with_the_first_that_does() -> None:
    network = OwnNetwork()
    assert not network.called(False, 0.0)
    assert not network.called(True, 1.0)
    assert network.away
    assert not network.called(True, 1.0 + NOTICED)
    assert network.called(False, 1.0 + NOTICED)
    assert not network.away
    assert not network.called(False, 9.0)


def test_a_single_call_that_failed_is_no_absence() -> None:
    network = OwnNetwork()
    network.called(True, 1.0)
    assert not network.called(False, 1.0 + NOTICED / 2)
    assert not network.away


def test_it_is_away_while_nothing_can_arrive() -> None:
    network = OwnNetwork()
    assert not network.up()
    network.down()
    assert network.away
    assert not network.called(False, 1.0)
    assert network.away
    assert network.up()
    assert not network.away
