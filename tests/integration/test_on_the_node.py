"""What a session is on the node: whose it is, what it finds, and what its document says."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local.identities import ADMIN
from local.stack import Stack
from tests.integration.bare_client import BareClient
from tests.integration.sessions import (
    QUIET,
    connect,
    connect_quietly,
    start,
    terminate,
    wait_status,
)
from tests.integration.terminal import cli, terminal
from tests.integration.written import session_document
from tests.machine_user import MISSING, machine_user, remove

pytestmark = pytest.mark.stack
as_root = pytest.mark.skipif(bool(MISSING), reason=MISSING)


@contextmanager
def session(stack: Stack, document: str, node: str = "") -> Iterator[tuple[str, BareClient]]:
    """A session with a document, its client attached."""
    started = start(stack, ADMIN, node, DocumentName=document)
    client = connect(stack, started)
    try:
        yield started.session_id, client
    finally:
        client.socket.close()
        terminate(stack, started.session_id)


@contextmanager
def shell(stack: Stack, document: str) -> Iterator[BareClient]:
    """The same, when its shell runs."""
    with session(stack, document) as (_, client):
        client.greet()
        client.resize(200, 24)
        yield client


def asked(client: BareClient, command: str) -> list[str]:
    """What the command prints, word for word."""
    client.run(QUIET + "echo qu''iet", "quiet")
    shown = client.run(f"echo be''gin; {command}; echo en''d", "end\r\n")
    return shown.partition("begin\r\n")[2].rpartition("end\r\n")[0].split()


# --- run as -------------------------------------------------------------------------------------


@as_root
def test_a_session_runs_as_the_user_with_its_groups_and_home(stack: Stack) -> None:
    with (
        machine_user("--shell", "/bin/bash") as (alice, group),
        session_document(stack, runAsEnabled=True, runAsDefaultUser=alice) as document,
        shell(stack, document) as client,
    ):
        said = asked(client, "id -un; id -Gn; pwd; echo $HOME $SHELL $USER $LOGNAME; umask")
    home = f"/home/{alice}"
    assert said == [alice, alice, group, home, home, "/bin/bash", alice, alice, "0022"]


def test_a_user_that_is_not_there_fails_the_session_and_the_client_is_told_who(
    stack: Stack,
) -> None:
    nobody = f"hw-{secrets.token_hex(4)}"
    why = f"could not be started: run-as user {nobody} does not exist on this node"
    with session_document(stack, runAsEnabled=True, runAsDefaultUser=nobody) as document:
        arguments = ("--target", stack.demo.node, "--document-name", document)
        done = cli(stack, "start-session", *arguments, user=ADMIN, typed="id\n")
        session_id = start(stack, ADMIN, DocumentName=document).session_id
        assert wait_status(stack, session_id, "Failed")["EndReason"] == why
    assert done.returncode != 0
    assert why in done.stderr, done.stderr


@as_root
def test_a_session_user_is_created_when_the_document_asks_for_it(stack: Stack) -> None:
    name = f"hw-{secrets.token_hex(4)}"
    own = {"sessionUser": name, "createSessionUser": True}
    try:
        with session_document(stack, own=own) as document, shell(stack, document) as client:
            said = asked(client, "id -un; id -Gn; pwd")
        assert said == [name, name, f"/home/{name}"]
    finally:
        remove(name)


# --- shell, environment, profile, banner --------------------------------------------------------


def test_the_document_chooses_shell_environment_limits_and_profile(stack: Stack) -> None:
    own = {
        "shell": {"linux": "/bin/sh"},
        "loginShell": True,
        "environment": {"TICKET": "T-1", "HOME": "/nowhere"},
        "limits": {"nofile": 99},
    }
    profile = {"linux": "cd /usr\nkept=by-the-profile"}
    with (
        session_document(stack, own=own, shellProfile=profile) as document,
        shell(stack, document) as client,
    ):
        said = asked(client, "echo $0 $TICKET $kept; pwd; ulimit -n; echo $HOME")
    assert said[:5] == ["-sh", "T-1", "by-the-profile", "/usr", "99"]
    assert said[5] != "/nowhere"


def test_the_banner_comes_first_and_says_who_and_where(stack: Stack) -> None:
    with (
        session_document(stack, own={"banner": True}) as document,
        shell(stack, document) as client,
    ):
        client.until(lambda: b"\r\n" in client.output)
        first = client.output.decode().partition("\r\n")[0]
    assert first.startswith(f"hatchway: demo ({stack.demo.node}), local, as ")


def test_terminal_and_language_come_from_the_person_where_the_node_knows_them(
    stack: Stack, tmp_path: Path
) -> None:
    with terminal(stack, tmp_path) as shell_of_john:
        assert shell_of_john.run("echo $TERM") == "xterm"
        shell_of_john.leave("exit")


# --- the end ------------------------------------------------------------------------------------


def test_a_daemon_of_the_session_ends_with_it(stack: Stack) -> None:
    """It has left process session and terminal, and ignores what asks it to end."""
    if not _grouped(stack):
        pytest.skip("the demo's agent has no control groups on this machine")
    started = start(stack)
    client = connect_quietly(stack, started, 200)
    daemon = "trap '' HUP TERM; echo at-$$-; while :; do sleep 1000; done"
    shown = client.run(f'(setsid sh -c "{_escaped(daemon)}" &)', "-\r\n")
    pid = int(shown.partition("at-")[2].partition("-")[0])
    assert _alive(pid)
    terminate(stack, started.session_id)
    wait_status(stack, started.session_id, "Terminated")
    client.socket.close()
    assert not _alive(pid)


def _escaped(text: str) -> str:
    return text.replace("$", "\\$")


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def _grouped(stack: Stack) -> bool:
    log = stack.places.log(f"agent-{stack.demo.node}").read_text()
    starts = [line for line in log.splitlines() if '"event":"starting"' in line]
    return os.geteuid() == 0 and '"cgroups":true' in starts[-1]
