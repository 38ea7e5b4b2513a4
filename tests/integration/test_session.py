"""A session from end to end: the command line in a terminal and in a pipe, reconnects, names."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import pytest

from hatchway.cli.exits import apart
from hatchway.core.errors import Exit
from local.stack import Stack
from tests.integration.ledger import secret
from tests.integration.sessions import (
    Started,
    connect,
    path_of,
    person,
    quiet_shell,
    reconnect,
    resume,
    start,
    terminate,
    wait_status,
)
from tests.integration.terminal import PROMPT, cli, terminal

pytestmark = pytest.mark.stack

NOTIFIED = 20.0


# --- the command line ---------------------------------------------------------------------------


def test_a_person_types_resizes_interrupts_and_leaves(stack: Stack, tmp_path: Path) -> None:
    typed = secret(secrets.token_hex(8), "typed text")
    with stack.inbox() as inbox:
        with terminal(stack, tmp_path, "--target", stack.demo.node, "--reason", "a look") as shell:
            assert shell.run(f"echo {typed} | rev") == typed[::-1]
            assert shell.run("stty size") == "24 80"
            shell.child.setwinsize(40, 132)
            shell.child.send("until [ \"$(stty size)\" = '40 132' ]; do :; done; echo si''zed\r")
            shell.child.expect_exact("sized")
            shell.child.expect_exact(PROMPT)
            shell.child.send("echo sle''eping; sleep 100\r")
            shell.child.expect_exact("sleeping")
            shell.child.sendcontrol("c")
            shell.child.expect_exact(PROMPT)
            assert shell.run("echo $?") == "130"
            assert shell.leave("exit 3") == 3
        before, after = shell.settings
        assert before == after != ""
        ended = wait_status(stack, shell.session_id, "Terminated")
        texts = inbox.wait_for(lambda text: shell.session_id in text and " left " in text, NOTIFIED)
    assert ended["ExitCode"] == 3
    assert ended["EndReason"] == "exited"
    assert ended["Reason"] == "a look"
    listed = _listed(stack, "--state", "History", "--filter", f"SessionId={shell.session_id}")
    assert [session["Status"] for session in listed] == ["Terminated"]
    assert (listed[0]["ExitCode"], listed[0]["EndReason"]) == (3, "exited")
    _check_texts([text for text in texts if shell.session_id in text], stack.demo.node)


def _check_texts(texts: list[str], node: str) -> None:
    """Sentences for a person: no JSON, no gap left to fill in, and no quotes but EventBridge's own,
    which it puts around every text."""
    plain = [text.removeprefix('"').removesuffix('"') for text in texts]
    assert len(plain) == 2
    began, ended = sorted(plain, key=lambda text: " left " in text)
    assert began.startswith(f"Hatchway local: john opened a session on {node}, ")
    assert ended.startswith(f"Hatchway local: john left {node} after 0:00:")
    assert "(exited, exit code 3)" in ended
    for text in plain:
        assert "Reason: “a look”." in text
        assert not set('"{}<>$\\\n') & set(text), text


def _listed(stack: Stack, *arguments: str) -> list[Mapping[str, object]]:
    done = cli(stack, "describe-sessions", *arguments, "--output", "json")
    assert done.returncode == 0, done.stderr
    found: list[Mapping[str, object]] = json.loads(done.stdout)["Sessions"]
    return found


def test_a_script_in_a_pipe_runs_without_a_terminal(stack: Stack) -> None:
    word = secrets.token_hex(6)
    done = cli(
        stack, "start-session", "--target", stack.demo.node, typed=f"echo {word}|rev\nexit 5\n"
    )
    assert done.returncode == 5, done.stderr
    assert word[::-1] in done.stdout


def test_a_script_without_exit_ends_with_its_input(stack: Stack) -> None:
    done = cli(stack, "start-session", "--target", stack.demo.node, typed="echo o''ver; false")
    assert done.returncode == 1, done.stderr
    assert "over" in done.stdout


def test_every_verb_answers_json_for_programs(stack: Stack) -> None:
    started = start(stack)
    nodes = json.loads(cli(stack, "list-nodes", "--output", "json").stdout)["Nodes"]
    ours = next(node for node in nodes if node["NodeId"] == stack.demo.node)
    assert (ours["Name"], ours["PingStatus"], ours["Tags"]["team"]) == ("demo", "Online", "web")
    status = cli(stack, "get-connection-status", "--target", "demo", "--output", "json")
    assert json.loads(status.stdout) == {"Target": stack.demo.node, "Status": "connected"}
    active = _listed(stack, "--filter", f"Target={stack.demo.node}")
    assert started.session_id in [session["SessionId"] for session in active]
    ended = cli(stack, "terminate-session", "--session-id", started.session_id, "--output", "json")
    assert json.loads(ended.stdout) == {"SessionId": started.session_id}
    wait_status(stack, started.session_id, "Terminated", "Failed")


def test_a_person_reads_tables(stack: Stack) -> None:
    done = cli(stack, "list-nodes")
    assert stack.demo.node in done.stdout
    assert "Online" in done.stdout
    with pytest.raises(ValueError, match="Expecting value"):
        json.loads(done.stdout)


# --- targets ------------------------------------------------------------------------------------


def test_a_target_is_an_id_a_name_or_a_tag_and_must_be_one_node(stack: Stack) -> None:
    rack = secrets.token_hex(4)
    tags = {"team": "web", "rack": rack}
    first, second = (stack.run_instance({**tags, "Name": f"{rack}-{n}"}) for n in (1, 2))
    with stack.agent(first), stack.agent(second):
        assert _status(stack, f"{rack}-1") == (0, first)
        assert _status(stack, second) == (0, second)
        both = cli(stack, "start-session", "--target", f"tag:rack={rack}")
        assert both.returncode == apart(Exit.USAGE)
        assert "TargetAmbiguous" in both.stderr
        assert first in both.stderr
        assert second in both.stderr
        none = cli(stack, "start-session", "--target", f"tag:rack={rack}x")
        assert none.returncode == apart(Exit.NOT_FOUND)
        assert "TargetUnknown" in none.stderr
    done = cli(stack, "start-session", "--target", "tag:Name=demo", typed="exit 4\n")
    assert done.returncode == 4, done.stderr
    gone = cli(stack, "start-session", "--target", f"{rack}-1")
    assert gone.returncode == apart(Exit.NOT_CONNECTED)
    assert "TargetNotConnected" in gone.stderr


def _status(stack: Stack, target: str) -> tuple[int, str]:
    done = cli(stack, "get-connection-status", "--target", target, "--output", "json")
    return done.returncode, json.loads(done.stdout)["Target"]


# --- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a+b=c,d.e@f", "n" * 64], ids=["odd", "longest"])
def test_any_iam_user_name_can_start_list_resume_and_terminate(stack: Stack, name: str) -> None:
    with person(stack, name) as user:
        started = start(stack, user.credentials)
        assert started.session_id.rpartition("-")[0] == name
        client = connect(stack, started)
        client.greet()
        client.resize(80, 24)
        client.run("echo na''med", "named")
        api = stack.people(user.credentials)
        mine = quote(f"Owner={user.arn}", safe="")
        listed = api.call("GET", f"/sessions?State=Active&Filter={mine}").fields
        assert [s["SessionId"] for s in _sessions(listed)] == [started.session_id]
        one = api.call("GET", path_of(started.session_id)).fields
        assert (one["SessionId"], one["Owner"]) == (started.session_id, user.arn)
        reconnect(stack, client, resume(stack, started.session_id, user.credentials))
        client.run("echo ag''ain", "again")
        terminate(stack, started.session_id, user.credentials)
        client.until(lambda: client.closed is not None)
        assert wait_status(stack, started.session_id, "Terminated")["Owner"] == user.arn


def _sessions(fields: Mapping[str, object]) -> list[dict[str, object]]:
    found = fields["Sessions"]
    assert isinstance(found, list)
    return found


# --- JSON routes and reconnects -----------------------------------------------------------------


def test_the_json_routes_answer_on_the_stream(stack: Stack) -> None:
    started = start(stack, Reason="routes")
    client = connect(stack, started)
    client.greet()
    client.resize(80, 24)
    client.run("echo re''ady", "ready")
    assert client.ask("ping").keys() == {"action", "RequestId"}
    said = client.ask("describeSession", SessionId=started.session_id)
    assert (said["SessionId"], said["Status"], said["Reason"]) == (
        started.session_id,
        "Connected",
        "routes",
    )
    next_one = Started.of(client.ask("resumeSession"))
    assert next_one.session_id == started.session_id
    assert next_one.token != started.token
    client.socket.close()
    reconnect(stack, client, next_one)
    client.run("echo mo''ved", "moved")
    assert client.ask("terminateSession")["SessionId"] == started.session_id
    client.until(lambda: client.closed is not None)
    ended = wait_status(stack, started.session_id, "Terminated")
    assert ended["EndReason"] == "Terminated by its client"


def test_output_is_byte_exact_across_cut_connections(stack: Stack) -> None:
    """Cut in the middle of the output, three times, without a goodbye."""
    lines, cuts = 6000, 3
    wanted = "".join(f"{n}\n" for n in range(1, lines + 1)).encode()
    with quiet_shell(stack) as (session_id, client):
        at = len(client.output)
        client.type(f"seq 1 {lines} | tr -d '\\r'; echo fin''ished\r")
        for cut in range(1, cuts + 1):
            client.until(lambda cut=cut: len(client.output) - at > cut * len(wanted) // (cuts + 2))  # type: ignore[misc]
            client.socket.socket.shutdown(2)
            reconnect(stack, client, resume(stack, session_id))
        client.until(lambda: b"\nfinished" in client.output[at:])
        shown = bytes(client.output[at:]).replace(b"\r\n", b"\n").lstrip(b"\n")
        assert shown == wanted + b"finished\n"


def test_input_is_taken_once_and_in_order_across_a_cut(stack: Stack) -> None:
    with quiet_shell(stack) as (session_id, client):
        client.type("n=0\r")
        for _ in range(10):
            client.type("n=$((n+1))\r")
        client.socket.socket.shutdown(2)
        reconnect(stack, client, resume(stack, session_id))
        assert "\ncounted 10" in "\n" + client.run("echo cou''nted $n", "counted")


def test_a_cut_connection_leaves_the_session_disconnected_and_resumable(stack: Stack) -> None:
    with quiet_shell(stack) as (session_id, client):
        client.type("kept=yes\r")
        client.run("echo st''ored", "stored")
        client.socket.socket.shutdown(2)
        wait_status(stack, session_id, "Disconnected")
        reconnect(stack, client, resume(stack, session_id))
        assert "kept: yes" in client.run("echo ke''pt: $kept", "kept: ")
        wait_status(stack, session_id, "Connected")


def test_a_later_client_takes_over_and_the_earlier_one_is_told(stack: Stack) -> None:
    with quiet_shell(stack) as (session_id, client):
        earlier = client.socket
        reconnect(stack, client, resume(stack, session_id))
        client.run("echo ta''ken", "taken")
        frames = list(earlier)  # until it was closed; what it had not read yet comes first
        assert json.loads(str(frames[-1]))["notice"] == "takenOver"
