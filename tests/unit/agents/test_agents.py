"""The agent API's sessions: the node's own only, one process each, tickets that never outlast."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from hatchway.core import wire
from hatchway.core.errors import ThrottlingException
from hatchway.core.keys import seal_key, ticket_key
from hatchway.core.lifecycle import Status
from hatchway.core.tickets import TICKET_LIFE, Ticket, open_ticket
from hatchway.core.tokens import new_token, token_digest
from hatchway.core.transcript.stated import Stated
from lambdas.agents.handler import assemble
from lambdas.edge import serve
from lambdas.memory.destinations import MemoryLooks
from lambdas.memory.secrets import MemorySecrets
from lambdas.ports import LATE, Look, Session, Why
from tests.unit.edge.world import (
    CHANNEL_ROLE,
    CONNECTION,
    NODE,
    OTHER_NODE,
    SESSION,
    World,
    recorded,
)

SECRET = new_token(b"\7" * 32)


class Setting:
    def __init__(self) -> None:
        self.world = World()
        self.seal, self.ticket = MemorySecrets("seal"), MemorySecrets("ticket")
        self.looks = MemoryLooks()
        self.agents = assemble(
            sessions=self.world.sessions,
            nodes=self.world.nodes,
            clients=self.world.clients,
            looks=self.looks,
            seal=self.seal,
            ticket=self.ticket,
            channel_role_id=CHANNEL_ROLE,
            clock=self.world.clock,
            random=self.world.random,
            stage="local",
        )
        self.world.enrol(enrolment=token_digest(SECRET), online=True)
        self.world.start(reason="disk full")

    def call(
        self, verb: str, body: object, session: str = SESSION, **identity: str
    ) -> tuple[int, dict[str, Any]]:
        event = recorded("rest_open.json")
        event["resource"] = "/agent/{nodeId}/sessions/{sessionId}/" + verb
        if verb == "sessions":
            event |= {"httpMethod": "GET", "resource": "/agent/{nodeId}/sessions"}
        event["pathParameters"]["sessionId"] = session
        event["requestContext"]["identity"] |= identity
        event["body"] = json.dumps(body)
        answer = serve("agents", event, self.agents.handle, self.world.lines)
        status = answer["statusCode"]
        assert isinstance(status, int)
        return status, json.loads(str(answer["body"]))

    def refused(self, verb: str, body: object, **more: str) -> tuple[int, str]:
        status, answer = self.call(verb, body, **more)
        return status, answer["__type"]

    def open(self, agent: str = "agent-1", **changes: object) -> dict[str, Any]:
        body = {"EnrolmentSecret": SECRET, "AgentInstanceId": agent} | changes
        status, answer = self.call("open", body)
        assert status == 200, answer
        return answer

    def renew(self, agent: str = "agent-1", **changes: object) -> dict[str, Any]:
        status, answer = self.call("ticket", self.renewal(agent, **changes))
        assert status == 200, answer
        return answer

    def renewal(self, agent: str = "agent-1", **changes: object) -> dict[str, object]:
        return {"AgentInstanceId": agent} | changes

    def ticket_in(self, answer: dict[str, Any]) -> Ticket:
        secret = self.ticket.current()
        key = ticket_key(secret.value, key_id=secret.key_id)
        now = int(self.world.clock())
        return open_ticket(answer["Ticket"], key, node=NODE, session=SESSION, now=now)

    def client_text(self) -> list[dict[str, Any]]:
        """What the service said to the client, as `channel_closed` payloads."""
        frames = [f for text in self.world.clients.sent[CONNECTION] for f in wire.from_text(text)]
        return [json.loads(wire.parse(frame).payload) for frame in frames]


@pytest.fixture
def setting() -> Setting:
    return Setting()


@pytest.fixture
def world(setting: Setting) -> World:
    return setting.world


# --- who may call --------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["sessions", "open", "ticket", "end"])
@pytest.mark.parametrize(
    "user", [f"{CHANNEL_ROLE}:{OTHER_NODE}", f"AROAANOTHERROLEEXAMPL:{NODE}", "AIDAJOHN", ""]
)
def test_nobody_but_this_nodes_channel_role_calls_anything(
    setting: Setting, verb: str, user: str
) -> None:
    assert setting.refused(verb, {}, user=user) == (403, "NodeRefused")


@pytest.mark.parametrize("verb", ["open", "ticket", "end"])
def test_another_nodes_session_does_not_exist(setting: Setting, verb: str) -> None:
    setting.world.change(target=OTHER_NODE)
    bodies: dict[str, object] = {
        "open": {"EnrolmentSecret": SECRET, "AgentInstanceId": "agent-1"},
        "ticket": setting.renewal(),
        "end": {"AgentInstanceId": "agent-1", "Reason": "exited"},
    }
    assert setting.refused(verb, bodies[verb]) == (404, "DoesNotExistException")
    assert setting.refused(verb, bodies[verb], session="mary-0123456789abcdef0") == (
        404,
        "DoesNotExistException",
    )


def test_an_unknown_route_is_refused(setting: Setting) -> None:
    assert setting.refused("frames", {}) == (400, "ValidationException")


def test_an_unknown_member_is_refused(setting: Setting) -> None:
    body = {"EnrolmentSecret": SECRET, "AgentInstanceId": "agent-1", "Shell": "/bin/sh"}
    assert setting.refused("open", body) == (400, "ValidationException")


# --- sessions ------------------------------------------------------------------------------------


def test_a_node_lists_its_sessions_that_are_not_ended(setting: Setting) -> None:
    setting.world.start("mary-0123456789abcdef0", target=OTHER_NODE)
    setting.world.start("past-0123456789abcdef0", status=Status.FAILED, ended=1.8e9)
    assert setting.call("sessions", {}) == (
        200,
        {
            "Sessions": [
                {
                    "SessionId": SESSION,
                    "Status": "Connecting",
                    "Generation": 0,
                    "AgentInstanceDigest": "",
                }
            ],
            "ServerTime": setting.world.clock(),
        },
    )


def test_a_list_does_not_tell_what_a_ticket_asks_for(setting: Setting) -> None:
    setting.open("agent-1")
    _, answer = setting.call("sessions", {})
    assert answer["Sessions"][0]["AgentInstanceDigest"] == token_digest("agent-1")
    assert '"agent-1"' not in json.dumps(answer)


# --- open ----------------------------------------------------------------------------------------


def test_open_attaches_the_agent_and_gives_what_it_needs(setting: Setting) -> None:
    setting.world.client()
    answer = setting.open()
    session = setting.world.get()
    assert (session.status, session.agent_instance) == (Status.CONNECTED, "agent-1")
    secret = setting.seal.current()
    key = seal_key(secret.value, key_id=secret.key_id, node=NODE, session=SESSION)
    assert answer | {"Ticket": ""} == {
        "SessionId": SESSION,
        "Document": {"schemaVersion": "1.0", "inputs": {}},
        "Owner": "arn:aws:iam::123456789012:user/john",
        "Reason": "disk full",
        "Recorded": True,
        "RunAs": "",
        "NodeName": "",
        "Stage": "local",
        "StartedAt": session.started,
        "Ticket": "",
        "TicketExpires": int(setting.world.clock()) + TICKET_LIFE,
        "Generation": 1,
        "Connected": True,
        "SealKeyId": secret.key_id,
        "SealKey": base64.b64encode(key).decode(),
        "ServerTime": setting.world.clock(),
    }
    ticket = setting.ticket_in(answer)
    assert (ticket.connection, ticket.generation) == (CONNECTION, 1)


def test_open_before_the_client_leaves_the_session_connecting(setting: Setting) -> None:
    answer = setting.open()
    assert setting.world.get().status is Status.CONNECTING
    assert answer["Connected"] is False
    assert setting.ticket_in(answer).connection == ""


def test_open_again_by_the_same_process_changes_nothing(setting: Setting) -> None:
    first = setting.open()
    before = setting.world.get()
    assert setting.open() == first
    assert setting.world.get() == before


@pytest.mark.parametrize("secret", [new_token(b"\1" * 32), "x", SECRET + "A"])
def test_without_the_enrolment_secret_nothing_is_opened(setting: Setting, secret: str) -> None:
    body = {"EnrolmentSecret": secret, "AgentInstanceId": "agent-1"}
    assert setting.refused("open", body) == (403, "NodeRefused")
    assert setting.world.get().agent_instance == ""
    assert secret not in json.dumps(dict(setting.world.lines.last))


def test_a_node_that_never_enrolled_or_was_reset_opens_nothing() -> None:
    setting = Setting()
    node = setting.world.node()
    setting.world.nodes.update(node, type(node)(node_id=NODE))
    body = {"EnrolmentSecret": SECRET, "AgentInstanceId": "agent-1"}
    assert setting.refused("open", body) == (403, "NodeRefused")
    assert setting.world.lines.written[-1][0] == "WARNING"


def test_a_session_of_a_dead_agent_process_is_over(setting: Setting) -> None:
    setting.world.client()
    setting.open()
    body = {"EnrolmentSecret": SECRET, "AgentInstanceId": "agent-2"}
    assert setting.refused("open", body) == (410, "SessionEnded")
    session = setting.world.get()
    assert (session.status, session.end_reason) == (Status.TERMINATED, "agent restarted")
    assert [said["Output"] for said in setting.client_text()] == ["agent restarted"]
    assert setting.world.clients.closed == [CONNECTION]
    assert setting.refused("open", body) == (410, "SessionEnded")


@pytest.mark.parametrize("status", [Status.TERMINATED, Status.FAILED])
def test_an_ended_session_cannot_be_opened(setting: Setting, status: Status) -> None:
    setting.world.change(status=status, ended=1.8e9)
    body = {"EnrolmentSecret": SECRET, "AgentInstanceId": "agent-1"}
    assert setting.refused("open", body) == (410, "SessionEnded")


def test_opening_what_was_terminated_before_it_ran_ends_it_at_once(setting: Setting) -> None:
    setting.world.change(status=Status.TERMINATING, end_reason="Terminated by someone")
    body = {"EnrolmentSecret": SECRET, "AgentInstanceId": "agent-1"}
    assert setting.refused("open", body) == (410, "SessionEnded")
    session = setting.world.get()
    assert (session.status, session.end_reason) == (Status.TERMINATED, "Terminated by someone")


def test_opening_again_while_it_is_being_terminated_leaves_the_end_to_the_agent(
    setting: Setting,
) -> None:
    setting.open()
    setting.world.change(status=Status.TERMINATING)
    body = {"EnrolmentSecret": SECRET, "AgentInstanceId": "agent-1"}
    assert setting.refused("open", body) == (410, "SessionEnded")
    assert setting.world.get().status is Status.TERMINATING


# --- ticket --------------------------------------------------------------------------------------


def test_a_renewed_ticket_names_the_client_of_now(setting: Setting) -> None:
    setting.open()
    setting.world.client()
    setting.world.clock.advance(20)
    answer = setting.renew()
    ticket = setting.ticket_in(answer)
    assert answer["Status"] == "Connecting"
    assert (ticket.connection, ticket.generation) == (CONNECTION, 1)
    assert ticket.expires == int(setting.world.clock()) + TICKET_LIFE


def test_a_ticket_carries_neither_secret_nor_key(setting: Setting) -> None:
    answer = setting.open()
    payload = base64.urlsafe_b64decode(answer["Ticket"].split(".")[0] + "==")
    for secret in (setting.seal.current().value, setting.ticket.current().value):
        assert secret not in payload
    assert answer["SealKey"] not in payload.decode()


def test_a_silent_client_is_closed_and_the_session_disconnected(setting: Setting) -> None:
    setting.open()
    setting.world.client()
    setting.world.change(status=Status.CONNECTED)
    answer = setting.renew(ClientSilent=1)
    assert (answer["Status"], answer["Connected"]) == ("Disconnected", False)
    assert setting.world.get().connection == ""
    assert setting.world.clients.closed == [CONNECTION]
    again = setting.renew(ClientSilent=1)
    assert again["Status"] == "Disconnected"


@pytest.mark.parametrize("generation", [0, 2, 9])
def test_silence_of_another_generation_is_old_news(setting: Setting, generation: int) -> None:
    setting.open()
    setting.world.client()
    setting.world.change(status=Status.CONNECTED)
    assert setting.renew(ClientSilent=generation)["Connected"] is True
    assert setting.world.clients.closed == []


def test_a_silent_client_that_cannot_be_closed_is_detached_all_the_same(
    setting: Setting,
) -> None:
    setting.open()
    setting.world.client()
    setting.world.change(status=Status.CONNECTED)
    setting.world.clients.failure = ThrottlingException()
    assert setting.renew(ClientSilent=1)["Status"] == "Disconnected"


def test_while_terminating_the_ticket_has_expired_and_names_nobody(setting: Setting) -> None:
    setting.open()
    setting.world.client()
    setting.world.change(status=Status.TERMINATING)
    answer = setting.renew()
    assert (answer["Status"], answer["Connected"]) == ("Terminating", False)
    assert answer["TicketExpires"] == int(setting.world.clock())


@pytest.mark.parametrize(
    "changes",
    [
        {"agent_instance": ""},
        {"agent_instance": "agent-2"},
        {"status": Status.TERMINATED, "ended": 1.8e9},
        {"status": Status.FAILED, "ended": 1.8e9},
    ],
)
def test_a_process_that_does_not_run_the_session_gets_no_ticket(
    setting: Setting, changes: dict[str, Any]
) -> None:
    setting.open()
    setting.world.change(**changes)
    assert setting.refused("ticket", setting.renewal()) == (410, "SessionEnded")


# --- end -----------------------------------------------------------------------------------------


def end(setting: Setting, **members: object) -> Session:
    body = {"AgentInstanceId": "agent-1", "Reason": "exited"} | members
    assert setting.call("end", body) == (200, {})
    return setting.world.get()


def connected(setting: Setting) -> None:
    setting.world.client()
    setting.open()


def test_an_exit_ends_the_session_and_says_a_silent_farewell(setting: Setting) -> None:
    connected(setting)
    setting.world.clock.advance(9)
    session = end(setting, ExitCode=3)
    assert (session.status, session.exit_code) == (Status.TERMINATED, 3)
    assert session.ended == setting.world.clock()
    assert [said["Output"] for said in setting.client_text()] == [""]
    assert setting.world.clients.closed == [CONNECTION]


def test_the_same_end_again_changes_nothing_and_repeats_the_farewell(setting: Setting) -> None:
    connected(setting)
    setting.world.clients.failure = ThrottlingException()
    first = end(setting, ExitCode=0)
    setting.world.clients.failure = None
    setting.world.clock.advance(5)
    assert end(setting, ExitCode=1) == first
    assert setting.world.clients.closed == [CONNECTION]


def test_an_end_says_how_much_there_was_once(setting: Setting) -> None:
    connected(setting)
    client = "00000000-0000-0000-0000-000000000001"
    first = end(setting, ExitCode=0, Sent=7, Taken=3, Client=client)
    assert first.stated == Stated(sent=7, taken=3, client=client)
    assert end(setting, Sent=9).stated == first.stated
    assert setting.looks.asked == []  # the end itself has it looked at


def test_an_end_without_a_count_says_nothing_of_it(setting: Setting) -> None:
    connected(setting)
    assert end(setting, ExitCode=0).stated is None


def test_a_count_is_taken_of_a_session_that_was_ended_before(setting: Setting) -> None:
    connected(setting)
    setting.world.change(status=Status.TERMINATED, ended=setting.world.clock())
    session = end(setting, Reason="terminated", Sent=4)
    assert session.stated == Stated(sent=4)
    assert (session.status, session.end_reason) == (Status.TERMINATED, "")


def test_a_count_that_comes_after_the_end_has_the_archive_look_once_more(setting: Setting) -> None:
    """Its own last look may be over by then."""
    connected(setting)
    setting.world.change(status=Status.TERMINATED, ended=setting.world.clock())
    setting.world.clock.advance(LATE)
    for _ in range(2):
        end(setting, Reason="terminated", Sent=4)
    assert setting.looks.asked == [(Look(session_id=SESSION, why=Why.LATE), LATE)]


def test_where_that_look_cannot_be_asked_for_the_agents_next_attempt_asks(setting: Setting) -> None:
    connected(setting)
    setting.world.change(status=Status.TERMINATED, ended=setting.world.clock())
    setting.looks.failure = ThrottlingException()
    body = {"AgentInstanceId": "agent-1", "Reason": "terminated", "Sent": 4}
    assert setting.call("end", body)[0] == 429
    setting.looks.failure = None
    assert end(setting, Reason="terminated", Sent=4).stated == Stated(sent=4)
    assert len(setting.looks.asked) == 1


def test_an_end_after_the_end_that_counts_nothing_asks_for_no_look(setting: Setting) -> None:
    connected(setting)
    setting.world.change(status=Status.TERMINATED, ended=setting.world.clock())
    end(setting, Reason="terminated")
    assert setting.looks.asked == []


@pytest.mark.parametrize(
    "members", [{"Sent": -1}, {"Sent": 1 << 54}, {"Sent": 1, "Client": "x" * 37}, {"Sent": "1"}]
)
def test_a_count_that_is_none_is_refused(setting: Setting, members: dict[str, object]) -> None:
    connected(setting)
    body = {"AgentInstanceId": "agent-1", "Reason": "exited"} | members
    assert setting.refused("end", body) == (400, "ValidationException")


@pytest.mark.parametrize("told_to", [False, True])
def test_an_end_waits_for_a_client_that_just_connects_unless_another_call_has(
    setting: Setting, told_to: bool
) -> None:
    connected(setting)
    setting.world.change(attached=setting.world.clock())
    if told_to:
        setting.world.change(status=Status.TERMINATING)
    setting.world.clients.young.add(CONNECTION)
    end(setting, Reason="could not be started")
    assert setting.world.clients.closed == ([] if told_to else [CONNECTION])


@pytest.mark.parametrize(
    ("members", "status"),
    [
        ({"Reason": "could not be started"}, Status.FAILED),
        ({"Reason": "could not be started: run-as user bob does not exist"}, Status.FAILED),
        ({"Reason": "terminated by the client"}, Status.TERMINATED),
        ({"Reason": "could not be started", "ExitCode": 1}, Status.TERMINATED),
    ],
)
def test_what_never_ran_has_failed(
    setting: Setting, members: dict[str, object], status: Status
) -> None:
    connected(setting)
    assert end(setting, **members).status is status


def test_an_end_before_both_sides_were_there_is_a_failure(setting: Setting) -> None:
    setting.open()
    session = end(setting, Reason="agent stopped")
    assert (session.status, session.end_reason) == (Status.FAILED, "agent stopped")


def test_the_reason_for_which_it_was_told_to_end_stands(setting: Setting) -> None:
    connected(setting)
    setting.world.change(status=Status.TERMINATING, end_reason="Terminated by someone")
    session = end(setting, Reason="terminated", ExitCode=129)
    assert (session.status, session.end_reason) == (Status.TERMINATED, "Terminated by someone")
    assert [said["Output"] for said in setting.client_text()] == ["Terminated by someone"]


def test_an_agent_cannot_write_escapes_into_the_reason(setting: Setting) -> None:
    connected(setting)
    assert end(setting, Reason="bye\x1b]52;c;eA==\x07").end_reason == "bye]52;c;eA=="


def test_another_process_cannot_end_the_session(setting: Setting) -> None:
    connected(setting)
    body = {"AgentInstanceId": "agent-2", "Reason": "exited"}
    assert setting.refused("end", body) == (410, "SessionEnded")
    assert setting.world.get().status is Status.CONNECTED


@pytest.mark.parametrize("code", [1 << 32, -(1 << 31) - 1, "0", 1.5, True])
def test_an_exit_status_is_a_number_in_its_range(setting: Setting, code: object) -> None:
    connected(setting)
    body = {"AgentInstanceId": "agent-1", "Reason": "exited", "ExitCode": code}
    assert setting.refused("end", body) == (400, "ValidationException")


def test_no_secret_ticket_or_key_is_logged(setting: Setting) -> None:
    answer = setting.open()
    setting.renew()
    logged = json.dumps([dict(fields) for _, fields in setting.world.lines.written])
    for secret in (SECRET, answer["Ticket"], answer["SealKey"]):
        assert secret not in logged
    assert len(setting.world.lines.written) == 2
