"""A node is who EC2 says it is, and may do what is its own: credentials, secrets, tickets."""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Iterator

import pytest

from hatchway.core.keys import ticket_key
from hatchway.core.tickets import Ticket, seal_ticket
from hatchway.core.tokens import token_digest
from local.deployment import STAGE
from local.signed import Reply
from local.stack import Stack
from tests.integration.bare_client import BareClient, pack
from tests.integration.handmade_node import (
    HandmadeNode,
    enrol,
    enrolled,
    new_secret,
    online,
)
from tests.integration.ledger import secret_keys
from tests.integration.logs import lines
from tests.integration.mqtt import GRANTED, NOT_AUTHORIZED, MqttClient, Refused
from tests.integration.sessions import Started, connect, start, terminate

pytestmark = pytest.mark.stack


def refused(reply: Reply, code: str, status: int = 403) -> None:
    assert (reply.status, reply.code) == (status, code), (reply.status, reply.fields)


# --- enrolment ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def node(stack: Stack) -> HandmadeNode:
    return enrolled(stack)


@pytest.fixture(scope="module")
def other(stack: Stack) -> HandmadeNode:
    return enrolled(stack)


def test_the_same_secret_again_gives_credentials_again(node: HandmadeNode) -> None:
    reply = enrol(node.stack, node.node, node.enrolment, node.instance)
    assert reply.status == 200
    assert reply.fields["Stage"] == STAGE


def test_a_second_secret_is_refused_and_an_alarm_raised(node: HandmadeNode) -> None:
    refused(enrol(node.stack, node.node, new_secret(), node.instance), "NodeRefused")
    assert enrol(node.stack, node.node, node.enrolment, node.instance).status == 200
    warned = [
        line
        for line in lines(node.stack, "nodes")
        if line.get("node") == node.node and line.get("code") == "NodeRefused"
    ]
    assert warned
    assert all(line["level"] == "WARNING" for line in warned)


@pytest.mark.parametrize("bad", ["x", "A" * 42, "A" * 44, "A" * 42 + "B", "=" * 43])
def test_a_secret_that_no_agent_makes_is_refused(stack: Stack, bad: str) -> None:
    fresh = stack.run_instance({"team": "web"})
    refused(enrol(stack, fresh, bad, stack.instance_credentials(fresh)), "NodeRefused")


def test_a_role_off_the_list_is_refused(stack: Stack) -> None:
    role = stack.make_role(f"unlisted-{secrets.token_hex(4)}", allowed=False)
    fresh = stack.run_instance({"team": "web"}, role)
    credentials = secret_keys(stack.instance_credentials(fresh, role), "unlisted role")
    refused(enrol(stack, fresh, new_secret(), credentials), "NodeRefused")


@pytest.mark.parametrize("allowed", [True, False], ids=["listed role", "unlisted role"])
def test_another_roles_session_named_like_the_node_is_not_the_node(
    stack: Stack, node: HandmadeNode, allowed: bool
) -> None:
    role = stack.make_role(f"other-{secrets.token_hex(4)}", allowed=allowed)
    imposter = secret_keys(stack.instance_credentials(node.node, role), "imposter")
    refused(enrol(stack, node.node, node.enrolment, imposter), "NodeRefused")


def test_a_session_of_the_right_role_with_another_name_is_not_the_node(
    stack: Stack, node: HandmadeNode, other: HandmadeNode
) -> None:
    refused(enrol(stack, node.node, node.enrolment, other.instance), "NodeRefused")
    person = secret_keys(stack.instance_credentials("somebody"), "odd session name")
    refused(enrol(stack, node.node, node.enrolment, person), "NodeRefused")


def test_an_instance_that_does_not_run_is_refused(stack: Stack) -> None:
    absent = "i-" + secrets.token_hex(9)[:17]
    refused(enrol(stack, absent, new_secret(), stack.instance_credentials(absent)), "NodeRefused")


# --- what channel credentials reach -------------------------------------------------------------


def test_channel_credentials_make_no_channel_credentials(node: HandmadeNode) -> None:
    reply = enrol(node.stack, node.node, node.enrolment, node.channel)
    refused(reply, "AccessDeniedException")


def test_an_instance_role_makes_channel_credentials_and_nothing_else(node: HandmadeNode) -> None:
    api = node.stack.agent_api(node.instance)
    refused(api.call("GET", f"/agent/{node.node}/sessions"), "AccessDeniedException")
    refused(
        api.call("POST", f"/agent/{node.node}/reports", {"Dropped": {}}), "AccessDeniedException"
    )


def test_the_api_routes_of_another_node_are_closed(node: HandmadeNode, other: HandmadeNode) -> None:
    api = node.stack.agent_api(node.channel)
    refused(api.call("GET", f"/agent/{other.node}/sessions"), "AccessDeniedException")
    refused(
        api.call("POST", f"/agent/{other.node}/reports", {"Dropped": {}}), "AccessDeniedException"
    )
    for rest in ("/open", "/ticket", "/frames", "/end"):
        reply = node.call("POST", "john-0123456789abcdef0", rest, {}, node=other.node)
        refused(reply, "AccessDeniedException")


def test_the_client_ids_of_another_node_are_refused(
    stack: Stack, node: HandmadeNode, other: HandmadeNode
) -> None:
    for client_id in (other.client_id, f"{other.client_id}/0123456789abcdef0", "anything"):
        with pytest.raises(Refused), MqttClient(stack, node.channel, client_id):
            pass


def test_the_topics_of_another_node_are_refused(node: HandmadeNode, other: HandmadeNode) -> None:
    filters = [
        f"{other.client_id}/control",
        f"{other.client_id}/#",
        f"{other.client_id}/data/0123456789abcdef0",
        f"hatchway/{STAGE}/+/control",
        f"hatchway/{STAGE}/#",
        "hatchway/#",
        "#",
        "$aws/events/presence/#",
    ]
    for topic_filter in filters:
        with MqttClient(node.stack, node.channel, f"{node.client_id}/0") as client:
            assert _subscribed(client, topic_filter) != GRANTED, topic_filter
    with MqttClient(node.stack, node.channel, node.client_id) as client:
        assert client.subscribe(f"{node.client_id}/control") == GRANTED


def test_a_node_publishes_nothing_not_even_to_itself(
    node: HandmadeNode, other: HandmadeNode
) -> None:
    for topic in (f"{node.client_id}/control", f"{other.client_id}/control"):
        with MqttClient(node.stack, node.channel, f"{node.client_id}/1") as client:
            assert client.publish(topic, b"{}") in ([NOT_AUTHORIZED], [-1])


def test_an_instance_role_and_a_person_have_no_part_in_iot(
    stack: Stack, node: HandmadeNode
) -> None:
    for credentials in (node.instance, stack.credentials("john")):
        with pytest.raises(Refused), MqttClient(stack, credentials, node.client_id):
            pass


def _subscribed(client: MqttClient, topic_filter: str) -> int:
    try:
        return client.subscribe(topic_filter)
    except Exception:  # the broker may cut the connection instead
        return -1


# --- sessions -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def attached(node: HandmadeNode) -> Iterator[HandmadeNode]:
    """The node with its control channel up, so that people may start sessions on it."""
    with online(node):
        yield node


@pytest.fixture
def session(attached: HandmadeNode) -> Iterator[Started]:
    started = start(attached.stack, node=attached.node)
    yield started
    terminate(attached.stack, started.session_id)


def test_open_asks_for_the_enrolment_secret(attached: HandmadeNode, session: Started) -> None:
    refused(attached.open(session.session_id, new_secret()), "NodeRefused")
    refused(attached.open(session.session_id, "x"), "NodeRefused")
    assert attached.open(session.session_id).status == 200


def test_another_agent_process_does_not_take_a_session_over(
    attached: HandmadeNode, session: Started
) -> None:
    assert attached.open(session.session_id).status == 200
    body = {"AgentInstanceId": "another"}
    refused(attached.call("POST", session.session_id, "/ticket", body), "SessionEnded", 410)
    end = {"AgentInstanceId": "another", "Reason": "exited", "ExitCode": 0}
    assert attached.call("POST", session.session_id, "/end", end).status in (403, 410)


def test_a_session_of_another_node_does_not_exist_for_it(
    stack: Stack, attached: HandmadeNode
) -> None:
    elsewhere = start(stack)
    refused(attached.open(elsewhere.session_id), "DoesNotExistException", 404)
    body = {"AgentInstanceId": "x"}
    reply = attached.call("POST", elsewhere.session_id, "/ticket", body)
    refused(reply, "DoesNotExistException", 404)
    terminate(stack, elsewhere.session_id)


# --- tickets ------------------------------------------------------------------------------------


@pytest.fixture
def carried(attached: HandmadeNode, session: Started) -> tuple[BareClient, str]:
    """A client of `session`, and the ticket that lets the node upload to it."""
    client = connect(attached.stack, session)
    return client, str(attached.open(session.session_id).fields["Ticket"])


def frame(text: str = "x") -> str:
    """Something that an agent may send."""
    return pack("output_stream_data", 0, text.encode(), 1)


def test_the_right_ticket_reaches_the_client(
    attached: HandmadeNode, session: Started, carried: tuple[BareClient, str]
) -> None:
    client, ticket = carried
    assert attached.frames(session.session_id, ticket, frame("by hand")).status == 200
    client.until(lambda: b"by hand" in client.output)


def test_a_ticket_of_another_session_uploads_nothing(
    attached: HandmadeNode, session: Started, carried: tuple[BareClient, str]
) -> None:
    client, _ = carried
    second = start(attached.stack, node=attached.node)
    foreign = str(attached.open(second.session_id).fields["Ticket"])
    refused(attached.frames(session.session_id, foreign, frame()), "TicketInvalid")
    terminate(attached.stack, second.session_id)
    assert client.output == b""


def test_a_ticket_does_not_open_another_nodes_frames(
    other: HandmadeNode, session: Started, carried: tuple[BareClient, str]
) -> None:
    """The other node's own route, with its own credentials and a ticket of this one."""
    _, ticket = carried
    refused(other.frames(session.session_id, ticket, frame()), "TicketInvalid")


def test_a_forged_ticket_uploads_nothing(
    attached: HandmadeNode, session: Started, carried: tuple[BareClient, str]
) -> None:
    client, ticket = carried
    payload, _, mac = ticket.partition(".")
    longer = payload[:-4] + ("AAAA" if payload[-4:] != "AAAA" else "BBBB")
    tickets = [
        f"{longer}.{mac}",
        f"{payload}.{base64.urlsafe_b64encode(bytes(32)).decode().rstrip('=')}",
        payload,
        f"{payload}.",
        "x.y",
        "e30.e30",
        "A" * 5000,
    ]
    for forged in tickets:
        refused(attached.frames(session.session_id, forged, frame()), "TicketInvalid")
    assert attached.frames(session.session_id, "", frame()).status == 403
    assert client.output == b""


@pytest.mark.parametrize(
    ("key_of", "expires", "code"),
    [
        pytest.param("ticket", -1, "TicketExpired", id="expired"),
        pytest.param("seal", 60, "TicketInvalid", id="made with the other secret"),
    ],
)
def test_a_ticket_past_its_time_or_of_another_key_uploads_nothing(
    attached: HandmadeNode, session: Started, key_of: str, expires: int, code: str
) -> None:
    """Made by root from the service's own secrets: the agent cannot make even these."""
    found = attached.stack.emulator.client("secretsmanager")
    real = found.get_secret_value(SecretId=f"hatchway-{STAGE}/ticket")
    given = found.get_secret_value(SecretId=f"hatchway-{STAGE}/{key_of}")
    key_id = str(real["VersionId"])[:8]
    value = str(given["SecretString"]).encode()
    now = int(time.time())
    ticket = Ticket(key_id, session.session_id, attached.node, "abcdefgh", 1, now, now + expires)
    text = seal_ticket(ticket, ticket_key(value, key_id=key_id))
    refused(attached.frames(session.session_id, text, frame()), code)


@pytest.mark.parametrize(
    "kind", ["input_stream_data", "channel_closed"], ids=["the client's", "the service's"]
)
def test_an_agent_may_not_send_what_is_not_its_own(
    attached: HandmadeNode, session: Started, carried: tuple[BareClient, str], kind: str
) -> None:
    _, ticket = carried
    reply = attached.frames(session.session_id, ticket, pack(kind, 0, b"{}", 1))
    refused(reply, "MalformedMessage", 400)


@pytest.mark.parametrize("text", ["", "not base64 !", "{}", "QUJD"])
def test_an_upload_that_is_no_message_has_a_typed_error(
    attached: HandmadeNode, session: Started, carried: tuple[BareClient, str], text: str
) -> None:
    _, ticket = carried
    refused(attached.frames(session.session_id, ticket, text), "MalformedMessage", 400)


def test_an_upload_that_is_too_large_has_a_typed_error(
    attached: HandmadeNode, session: Started, carried: tuple[BareClient, str]
) -> None:
    _, ticket = carried
    reply = attached.frames(session.session_id, ticket, "A" * (128 * 1024 + 4))
    assert reply.status in (400, 413)
    assert reply.code in ("PayloadTooLarge", "MalformedMessage")


# --- reset --------------------------------------------------------------------------------------


def test_after_a_reset_another_secret_may_enrol_and_the_connections_are_closed(
    stack: Stack,
) -> None:
    made = enrolled(stack)
    with online(made):
        reply = stack.people("admin").call("POST", f"/nodes/{made.node}/reset", {})
        assert reply.status == 200, reply.fields
        assert enrol(stack, made.node, new_secret(), made.instance).status == 200
        refused(enrol(stack, made.node, made.enrolment, made.instance), "NodeRefused")


def test_a_reset_with_a_digest_ends_the_sessions_and_lets_that_secret_alone_enrol(
    stack: Stack,
) -> None:
    made = enrolled(stack)
    chosen = new_secret()
    with online(made):
        session = start(stack, node=made.node)
        assert made.open(session.session_id).status == 200
        body = {"EnrolmentDigest": token_digest(chosen)}
        reply = stack.people("admin").call("POST", f"/nodes/{made.node}/reset", body)
        assert (reply.status, reply.fields["Terminated"], reply.fields["Failed"]) == (200, 1, 0)
        ticket = {"AgentInstanceId": made.agent_instance}
        refused(made.call("POST", session.session_id, "/ticket", ticket), "SessionEnded", 410)
        refused(made.open(session.session_id), "NodeRefused")
    for other in (made.enrolment, new_secret()):
        refused(enrol(stack, made.node, other, made.instance), "NodeRefused")
    assert enrol(stack, made.node, chosen, made.instance).status == 200


def test_an_instance_that_is_registered_beforehand_enrols_with_that_secret_alone(
    stack: Stack,
) -> None:
    fresh = stack.run_instance({"team": "web"})
    chosen, instance = new_secret(), stack.instance_credentials(fresh)
    body = {"EnrolmentDigest": token_digest(chosen)}
    assert stack.people("admin").call("POST", f"/nodes/{fresh}/reset", body).status == 200
    refused(enrol(stack, fresh, new_secret(), instance), "NodeRefused")
    assert enrol(stack, fresh, chosen, instance).status == 200
