"""The demo as `make up` leaves it, and `make shell` over it."""

from __future__ import annotations

import configparser
import os
import stat
import subprocess
import sys
import tomllib

import pytest

from local import agents, processes
from local import stack as local_stack
from local.places import ROOT
from local.progress import Progress
from local.stack import Stack
from local.waiting import until

pytestmark = pytest.mark.stack


def test_clients_find_their_settings_in_two_private_files(stack: Stack) -> None:
    settings = tomllib.loads(stack.places.config.read_text())
    assert settings.keys() == {"api_url", "region", "ca_bundle", "node_id"}
    assert settings["node_id"] == stack.demo.node
    profiles = configparser.RawConfigParser()
    profiles.read(stack.places.credentials)
    assert profiles.sections() == ["admin", "john", "mary"]
    for path in (stack.places.config, stack.places.credentials):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_john_may_start_on_the_demo_node_and_mary_may_not(stack: Stack) -> None:
    path = f"/nodes/{stack.demo.node}/sessions"
    started = stack.people("john").call("POST", path, {"Reason": "a test"})
    assert started.status == 200
    stack.people("john").call("DELETE", f"/sessions/{started.fields['SessionId']}")
    assert stack.people("mary").call("POST", path, {}).code == "AccessDeniedException"
    assert stack.people(None).call("POST", path, {}).status == 403


def test_a_second_up_starts_and_deploys_nothing(stack: Stack) -> None:
    agent = processes.recorded(agents.record(stack.places, stack.demo.node))
    steps = _Lines()
    again = local_stack.up(stack.places, stack.base, Progress(steps))  # type: ignore[arg-type]
    assert again == stack
    assert processes.recorded(agents.record(stack.places, stack.demo.node)) == agent
    assert steps.written == []


class _Lines:
    """A stream that keeps what is written."""

    def __init__(self) -> None:
        self.written: list[str] = []

    def write(self, text: str) -> None:
        self.written.append(text)

    def flush(self) -> None:
        """Nothing waits."""


def test_make_shell_takes_a_script_and_tells_what_it_caused(stack: Stack) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "local", "shell"],
        cwd=ROOT,
        env={**stack.base, "HATCHWAY_LOCAL_DIR": str(stack.places.directory)},
        input="echo sum $((20 + 22))\nexit 3\n",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    assert "sum 42" in done.stdout
    for line in ("Session    john-", "Exit code  3", " left "):
        assert line in done.stderr


def test_the_shell_finds_none_of_the_demos_keys(stack: Stack) -> None:
    keys = stack.places.credentials
    script = (
        f"env | grep -c -E 'AWS|HATCHWAY'; head -c 1 {keys} >/dev/null && echo readable; exit\n"
    )
    done = subprocess.run(
        [*local_stack.CLI, "start-session", "--target", stack.demo.node],
        cwd=ROOT,
        env=stack.environ("john"),
        input=script,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    lines = [line.strip() for line in done.stdout.splitlines()]
    assert "0" in lines
    if os.geteuid() == 0:
        assert "readable" not in lines


def test_more_nodes_can_be_started_beside_the_demos(stack: Stack) -> None:
    role = stack.make_role("hatchway-more-nodes")
    node = stack.run_instance({"Name": "more", "team": "db"}, role)
    with stack.agent(node, role):
        listed = stack.people("admin").call("GET", "/nodes?MaxResults=200").fields["Nodes"]
        assert isinstance(listed, list)
        assert {"more", "demo"} <= {found.get("Name") for found in listed}
    assert processes.recorded(agents.record(stack.places, node)) is None


def test_the_agent_is_back_within_thirty_seconds_of_a_restart(stack: Stack) -> None:
    log = stack.places.log(f"agent-{stack.demo.node}")
    size = log.stat().st_size
    local_stack.restart_emulator(stack)
    until(lambda: "control channel up" in log.read_text()[size:], 30, "The agent was not back")
    assert agents.connected(stack.places, stack.stacks, stack.demo.node)
