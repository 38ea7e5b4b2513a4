"""Settings of the limits, and the names that sessions count towards."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hatchway.core.errors import InternalServerError
from hatchway.core.names import Owner
from lambdas import quotas
from tests.unit.edge.world import NODE, World


def test_each_setting_has_its_default() -> None:
    assert quotas.limits({}) == quotas.DEFAULTS


def test_each_setting_is_read() -> None:
    found = quotas.limits(
        {
            "MAX_SESSIONS_PER_USER": "1",
            "MAX_SESSIONS_PER_NODE": "2",
            "MAX_SESSIONS_PER_ACCOUNT": "3",
            "MAX_STARTS_PER_MINUTE": str(quotas.MOST),
            "MAX_SESSIONS_PER_ROLE": "4",
        }
    )
    assert (found.per_user, found.per_node, found.per_account) == (1, 2, 3)
    assert (found.starts_a_minute, found.per_role) == (quotas.MOST, 4)


@pytest.mark.parametrize("value", ["0", "-1", "x", "1.5", "²", str(quotas.MOST + 1)])
def test_an_unusable_setting_is_named(value: str) -> None:
    with pytest.raises(InternalServerError, match="MAX_SESSIONS_PER_NODE"):
        quotas.limits({"MAX_SESSIONS_PER_NODE": value})


def test_a_session_counts_towards_its_owner_its_node_and_its_account() -> None:
    session = World().start()
    assert quotas.names(session) == (
        "user/123456789012/AIDAJOHN",
        f"node/{NODE}",
        "account/123456789012",
    )
    again = replace(session, owner=Owner("123456789012", "AIDAJOHNNY"))
    assert quotas.recounted([session, again])[f"node/{NODE}"] == 2


def test_a_role_s_session_counts_towards_the_role_as_well() -> None:
    session = replace(World().start(), owner=Owner("123456789012", "AROAWEB:mary"))
    assert quotas.names(session)[3:] == ("role/123456789012/AROAWEB",)


def test_no_limits_are_no_limits() -> None:
    assert quotas.most(None) == (None, None, None, None)


def test_a_window_is_a_minute_of_one_owner() -> None:
    owner = Owner("1", "A")
    name, end = quotas.window(owner, 119.9)
    assert (name, end) == ("1/A/1", 120.0)
    assert quotas.window(owner, 120.0)[0] != name
