"""Trace ids: the same for whoever knows the session, and only what X-Ray would write is taken."""

from __future__ import annotations

import re

import pytest

from hatchway.core.names import trace_in, trace_root

SESSION = "john-0123456789abcdef0"


def test_all_who_know_a_session_know_its_trace() -> None:
    root = trace_root(SESSION)
    assert re.fullmatch(r"1-[0-9a-f]{8}-[0-9a-f]{24}", root)
    assert trace_root(SESSION) == root
    assert trace_root("john-0123456789abcdef1") != root
    assert trace_in(f"Root={root}") == root
    assert trace_in(f"Self=1-67891234-abcdef012345678912345678;Root={root};Sampled=1") == root


@pytest.mark.parametrize(
    "header",
    ["", "Root=", "Root=1-x", "root=1-00000000-" + "0" * 24, "Root=1-00000000-" + "0" * 25, "\n"],
)
def test_what_is_no_trace_is_none(header: str) -> None:
    assert trace_in(header) == ""
