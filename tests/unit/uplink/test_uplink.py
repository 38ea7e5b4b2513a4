"""The uplink: the node's channel credentials, a ticket for the session, an agent's types."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from hatchway.core.errors import ThrottlingException
from hatchway.core.keys import ticket_key
from hatchway.core.tickets import Ticket, seal_ticket
from hatchway.core.wire import MAX_TEXT_MESSAGE, MessageType, to_text
from lambdas.edge import serve
from lambdas.memory.secrets import MemorySecrets
from lambdas.uplink.handler import Uplink
from tests.unit.edge.frames import frame
from tests.unit.edge.world import (
    CHANNEL_ROLE,
    CONNECTION,
    NODE,
    OTHER_NODE,
    SESSION,
    World,
    recorded,
)

OUTPUT = frame(MessageType.OUTPUT, b"$ ")
STATE = frame(MessageType.AGENT_SESSION_STATE, b"{}")


class Setting:
    def __init__(self) -> None:
        self.world = World()
        self.world.clients.open(CONNECTION)
        self.secrets = MemorySecrets("ticket")
        self.uplink = Uplink(
            secrets=self.secrets,
            clients=self.world.clients,
            recorder=self.world.recorder,
            channel_role_id=CHANNEL_ROLE,
            clock=self.world.clock,
        )

    def ticket(self, secrets: MemorySecrets | None = None, **changes: Any) -> str:
        secret = (secrets or self.secrets).current()
        now = int(self.world.clock())
        one = Ticket(
            key_id=secret.key_id,
            session=SESSION,
            node=NODE,
            connection=CONNECTION,
            generation=1,
            activity=now,
            expires=now + 60,
        )
        key = ticket_key(secret.value, key_id=secret.key_id)
        return seal_ticket(replace(one, **changes), key)

    def upload(self, body: str, ticket: str | None = None, **changes: Any) -> tuple[int, str]:
        event = recorded("rest_frames.json") | {"body": body}
        given = self.ticket() if ticket is None else ticket
        event["multiValueHeaders"]["X-Hatchway-Ticket"] = [given]
        event["pathParameters"] |= changes.pop("path", {})
        event["requestContext"]["identity"] |= changes
        answer = serve(
            "uplink", event, self.uplink.handle, self.world.lines, max_body=MAX_TEXT_MESSAGE
        )
        status = answer["statusCode"]
        assert isinstance(status, int)
        return status, json.loads(str(answer["body"])).get("__type", "")

    @property
    def sent(self) -> list[str]:
        return self.world.clients.sent[CONNECTION]


@pytest.fixture
def setting() -> Setting:
    return Setting()


def test_an_upload_is_posted_as_it_is(setting: Setting) -> None:
    body = to_text([OUTPUT, frame(MessageType.ACKNOWLEDGE, b"{}")])
    assert setting.upload(body) == (200, "")
    assert setting.sent == [body]
    assert len(setting.world.lines.written) == 1


def test_an_agents_state_report_is_eaten(setting: Setting) -> None:
    assert setting.upload(to_text([STATE, OUTPUT])) == (200, "")
    assert setting.upload(to_text([STATE])) == (200, "")
    assert setting.sent == [to_text([OUTPUT])]


@pytest.mark.parametrize("kind", [MessageType.INPUT, MessageType.CHANNEL_CLOSED])
def test_what_an_agent_may_not_say_refuses_the_whole_upload(
    setting: Setting, kind: MessageType
) -> None:
    assert setting.upload(to_text([OUTPUT, frame(kind)])) == (400, "MalformedMessage")
    assert setting.sent == []


@pytest.mark.parametrize("body", ["", "hello", "AAAA", to_text([OUTPUT])[:-8]])
def test_an_upload_that_is_no_messages_is_refused(setting: Setting, body: str) -> None:
    assert setting.upload(body) == (400, "MalformedMessage")


def test_uploads_have_a_limit_in_bytes(setting: Setting) -> None:
    whole = to_text([frame(MessageType.OUTPUT, bytes(24_300))] * 4)
    assert MAX_TEXT_MESSAGE - 1000 < len(whole) <= MAX_TEXT_MESSAGE
    assert setting.upload(whole) == (200, "")
    assert setting.upload("A" * (MAX_TEXT_MESSAGE + 1)) == (413, "PayloadTooLarge")


@pytest.mark.parametrize(
    "user",
    [
        f"{CHANNEL_ROLE}:{OTHER_NODE}",
        f"AROAANOTHERROLEEXAMPL:{NODE}",
        f"{CHANNEL_ROLE}:{NODE}x",
        "AIDAJOHN",
        "",
    ],
)
def test_only_the_channel_roles_session_of_this_node_may_upload(
    setting: Setting, user: str
) -> None:
    assert setting.upload(to_text([OUTPUT]), user=user) == (403, "NodeRefused")
    assert setting.sent == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"session": "john-ffffffffffffffff0"}, "TicketInvalid"),
        ({"node": OTHER_NODE}, "TicketInvalid"),
        ({"expires": 1_800_000_000}, "TicketExpired"),
        ({"key_id": "00000000"}, "TicketInvalid"),
    ],
)
def test_a_ticket_for_anything_else_is_refused(
    setting: Setting, changes: dict[str, Any], code: str
) -> None:
    assert setting.upload(to_text([OUTPUT]), setting.ticket(**changes)) == (403, code)


@pytest.mark.parametrize("ticket", ["", "x", "a.b", "é.é", "A" * 2000])
def test_what_is_no_ticket_is_refused(setting: Setting, ticket: str) -> None:
    assert setting.upload(to_text([OUTPUT]), ticket) == (403, "TicketInvalid")


def test_a_ticket_made_with_another_secret_is_refused(setting: Setting) -> None:
    forged = MemorySecrets("forged")
    key_id = setting.secrets.current().key_id
    ticket = setting.ticket(forged, key_id=key_id)
    assert setting.upload(to_text([OUTPUT]), ticket) == (403, "TicketInvalid")


def test_tickets_outlive_one_rotation_of_their_secret_and_not_two(setting: Setting) -> None:
    ticket = setting.ticket()
    setting.secrets.rotate()
    assert setting.upload(to_text([OUTPUT]), ticket) == (200, "")
    setting.secrets.rotate()
    assert setting.upload(to_text([OUTPUT]), ticket) == (403, "TicketInvalid")


def test_without_a_client_the_agent_is_told_so(setting: Setting) -> None:
    assert setting.upload(to_text([OUTPUT]), setting.ticket(connection="")) == (410, "ClientGone")
    setting.world.clients.lose(CONNECTION)
    assert setting.upload(to_text([OUTPUT])) == (410, "ClientGone")


def test_a_throttled_client_is_a_429(setting: Setting) -> None:
    setting.world.clients.failure = ThrottlingException()
    assert setting.upload(to_text([OUTPUT])) == (429, "ThrottlingException")


def test_a_ticket_of_one_path_serves_no_other(setting: Setting) -> None:
    path = {"sessionId": "mary-0123456789abcdef0"}
    assert setting.upload(to_text([OUTPUT]), path=path) == (403, "TicketInvalid")


def test_nothing_of_the_ticket_or_the_output_is_logged(setting: Setting) -> None:
    ticket = setting.ticket()
    setting.upload(to_text([OUTPUT]), ticket)
    text = json.dumps(dict(setting.world.lines.last))
    assert ticket not in text
    assert to_text([OUTPUT]) not in text


def test_another_route_is_refused(setting: Setting) -> None:
    event = recorded("rest_open.json")
    answer = serve("uplink", event, setting.uplink.handle, setting.world.lines)
    assert answer["statusCode"] == 400
