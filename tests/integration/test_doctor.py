"""`hatchway doctor` against the deployed stacks: what it says is what a session would meet."""

from __future__ import annotations

import json

import pytest

from hatchway.core.errors import Exit
from local.identities import ADMIN
from local.stack import Stack
from tests.integration.terminal import cli

pytestmark = pytest.mark.stack


def findings(text: str) -> dict[str, str]:
    return {one["Check"]: one["State"] for one in json.loads(text)["Findings"]}


def test_whoever_may_start_and_may_ask_finds_nothing_wrong(stack: Stack) -> None:
    done = cli(stack, "doctor", stack.demo.node, "--output", "json", user=ADMIN)
    assert done.returncode == Exit.OK, done.stdout + done.stderr
    assert set(findings(done.stdout).values()) == {"ok"}


def test_who_may_not_ask_about_policies_is_told_what_was_not_looked_at(stack: Stack) -> None:
    done = cli(stack, "doctor", stack.demo.node, "--output", "json")
    assert done.returncode == Exit.OK, done.stdout + done.stderr
    found = findings(done.stdout)
    assert found["permission to start"] == "skipped"
    assert {found[name] for name in found if name != "permission to start"} == {"ok"}


def test_a_node_that_is_away_is_the_fault(stack: Stack) -> None:
    gone = stack.run_instance({"team": "web"})
    done = cli(stack, "doctor", gone, user=ADMIN)
    assert done.returncode == Exit.NOT_CONNECTED, done.stdout
    assert done.stdout.splitlines()[-2].startswith("failed   node: ")
