"""DescribeSessions and the ends of sessions through the deployed stacks: filters together, pages
that hold while sessions come and go, `--watch`, and ends that meet."""

from __future__ import annotations

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from websockets.exceptions import InvalidStatus

from local.identities import ADMIN, JOHN
from local.places import ROOT
from local.stack import CLI, Stack
from tests.integration.sessions import connect, path_of, start, terminate, wait_status

pytestmark = pytest.mark.stack
PATIENCE = 30.0


def describe(stack: Stack, query: str) -> dict[str, object]:
    reply = stack.people(ADMIN).call("GET", f"/sessions?{query}")
    assert reply.status == 200, (reply.status, reply.fields)
    return reply.fields


def ids(answer: dict[str, object]) -> list[str]:
    listed = answer["Sessions"]
    assert isinstance(listed, list)
    return [one["SessionId"] for one in listed]


def test_all_seven_filters_hold_together(stack: Stack) -> None:
    wanted, other = start(stack, Reason="a look"), start(stack, ADMIN)
    shown = stack.people(JOHN).call("GET", path_of(wanted.session_id)).fields
    began = float(str(shown["StartDate"]))
    filters = {
        "InvokedAfter": _moment(began - 60),
        "InvokedBefore": _moment(began + 60),
        "Target": stack.demo.node,
        "Owner": str(shown["Owner"]),
        "Status": "Connecting",
        "SessionId": wanted.session_id,
    }
    query = "&".join(f"Filter={quote(f'{k}={v}', safe='')}" for k, v in filters.items())
    assert ids(describe(stack, f"State=Active&{query}")) == [wanted.session_id]
    access = quote("AccessType=Standard", safe="")
    found = ids(describe(stack, f"State=Active&Filter={access}"))
    assert {wanted.session_id, other.session_id} <= set(found)
    query = query.replace(quote("Status=Connecting", safe=""), quote("Status=Connected", safe=""))
    assert ids(describe(stack, f"State=Active&{query}")) == []
    for session in (wanted, other):
        terminate(stack, session.session_id)


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_pages_are_newest_first_and_hold_while_sessions_come_and_go(stack: Stack) -> None:
    sessions = [start(stack).session_id for _ in range(5)]
    first = describe(stack, "State=Active&MaxResults=2")
    assert ids(first) == sessions[:-3:-1]
    late = start(stack).session_id
    terminate(stack, sessions[0])
    token = quote(str(first["NextToken"]), safe="")
    second = describe(stack, f"State=Active&MaxResults=2&NextToken={token}")
    assert ids(second) == [sessions[2], sessions[1]]
    for session in (*sessions[1:], late):
        terminate(stack, session)
    ended = ids(describe(stack, "State=History&MaxResults=50"))
    assert set(sessions) <= set(ended)


def test_watch_shows_what_changes_as_it_does(stack: Stack) -> None:
    watch = subprocess.Popen(
        [*CLI, "describe-sessions", "--watch", "--interval", "1", "--output", "json"],
        env=stack.environ(JOHN),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert watch.stdout is not None
    try:
        started = start(stack)
        _until(watch, started.session_id, "Connecting")
        terminate(stack, started.session_id)
        told = _until(watch, started.session_id, "Terminated")
        assert told["SessionId"] == started.session_id
    finally:
        watch.terminate()
        watch.wait(timeout=PATIENCE)
        watch.stdout.close()


def _until(watch: subprocess.Popen[str], session: str, status: str) -> dict[str, object]:
    assert watch.stdout is not None
    for line in watch.stdout:
        told: dict[str, object] = json.loads(line)
        if told["SessionId"] == session and told["Status"] == status:
            return told
    raise AssertionError("it ended")


def test_ending_twice_at_once_ends_once(stack: Stack) -> None:
    started = start(stack)
    client = connect(stack, started)
    wait_status(stack, started.session_id, "Connected")

    def end(_number: int) -> int:
        return stack.people(JOHN).call("DELETE", path_of(started.session_id)).status

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(end, range(4))) == {200}
    ended = wait_status(stack, started.session_id, "Terminated")
    assert ended["EndDate"]
    client.socket.close()


def test_what_is_ended_before_it_began_never_runs(stack: Stack) -> None:
    started = start(stack)
    terminate(stack, started.session_id)
    ended = wait_status(stack, started.session_id, "Terminated", "Failed")
    assert "ExitCode" not in ended
    with pytest.raises(InvalidStatus):
        connect(stack, started)


def test_a_start_on_a_node_that_is_away_fails_at_once(stack: Stack) -> None:
    gone = stack.run_instance({"team": "web"})
    reply = stack.people(ADMIN).call("POST", f"/nodes/{gone}/sessions", {})
    assert (reply.status, reply.code) == (409, "TargetNotConnected")
