"""The agent stops, dies, or finds no space on its disk: what becomes of its sessions."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local import agents, processes
from local.stack import Stack
from local.waiting import until
from tests.integration.bare_client import BareClient
from tests.integration.edges import another_node
from tests.integration.sessions import PATIENCE, quiet_shell, wait_status

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root: control groups, a small disk"),
]

#: Says its number, has left terminal and process session, and ignores what asks it to end.
DAEMON = "(setsid sh -c \"trap '' HUP TERM; echo at-\\$\\$-; while :; do sleep 1000; done\" &)"


def daemon(client: BareClient) -> int:
    return int(client.run(DAEMON, "-\r\n").partition("at-")[2].partition("-")[0])


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def agent_of(stack: Stack, node: str) -> processes.Process:
    found = processes.recorded(agents.record(stack.places, node))
    assert found is not None
    return found


def grouped(stack: Stack, node: str) -> None:
    """Skips where the agent could have no control groups."""
    if '"cgroups":true' not in stack.places.log(f"agent-{node}").read_text():
        pytest.skip("this machine has no control groups (v2) for an agent")


def test_a_killed_agents_shells_hang_up_and_its_next_start_ends_what_is_left(stack: Stack) -> None:
    with another_node(stack) as node, quiet_shell(stack, node=node) as (session, client):
        grouped(stack, node)
        shell = int(client.run("echo sh-$$-", "-\r\n").partition("sh-")[2].partition("-")[0])
        left = daemon(client)
        processes.kill(agent_of(stack, node))
        until(lambda: not alive(shell), PATIENCE, "the shell outlives its agent")
        assert alive(left), "only its control group knows of it"
        agents.start(stack.emulator, node, stack.base)
        until(lambda: not alive(left), PATIENCE, "the next agent leaves it")
        ended = wait_status(stack, session, "Terminated")
        assert ended["EndReason"] in ("agent restarted", "node lost")


def test_an_agent_that_is_stopped_ends_its_sessions_and_says_so(stack: Stack) -> None:
    with another_node(stack) as node, quiet_shell(stack, node=node) as (session, client):
        grouped(stack, node)
        left = daemon(client)
        os.kill(agent_of(stack, node).pid, signal.SIGTERM)
        assert wait_status(stack, session, "Terminated")["EndReason"] == "agent stopped"
        assert not alive(left)
        client.until(lambda: client.closed is not None or client.lost)


def test_a_full_disk_keeps_nobody_out(stack: Stack) -> None:
    with another_node(stack) as node:
        directory = stack.places.nodes / node / "state"
        with full(directory, keep="enrolment"):
            processes.stop(agents.record(stack.places, node))
            agents.start(stack.emulator, node, stack.base)
            agents.wait_online(stack.places, stack.stacks, node)
            with quiet_shell(stack, node=node) as (_, client):
                assert "works" in client.run("echo wo''rks", "works")


@contextmanager
def full(directory: Path, keep: str) -> Iterator[None]:
    """The directory on a disk of its own without a byte to spare, one file of it kept."""
    kept = (directory / keep).read_bytes()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k,mode=700", "tmpfs", str(directory)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("may not mount a disk")
    try:
        file = directory / keep
        file.touch(mode=0o600)
        file.write_bytes(kept)
        _fill(directory / "rest")
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(directory)], capture_output=True, check=False)


def _fill(file: Path) -> None:
    with pytest.raises(OSError, match="No space left"):
        file.write_bytes(b"x" * (1 << 20))
