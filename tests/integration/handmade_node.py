"""A node whose agent is the test: it holds the credentials, the secret and the tickets itself.

Tests of refusals need what an agent never gives away: real channel credentials, real tickets.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import quote

from botocore.credentials import ReadOnlyCredentials

from local import agents
from local.deployment import STAGE
from local.instances import NodeRole
from local.signed import Reply
from local.stack import Stack
from local.waiting import until
from tests.integration.ledger import secret, secret_keys
from tests.integration.mqtt import GRANTED, MqttClient

ONLINE = 20.0


def new_secret() -> str:
    """An enrolment secret as an agent makes it: 256 random bits, base64url."""
    text = base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()
    return secret(text, "enrolment secret")


def enrol(stack: Stack, node: str, enrolment: str, instance: ReadOnlyCredentials) -> Reply:
    """`channel`, as whoever holds these credentials."""
    body = {
        "EnrolmentSecret": enrolment,
        "AgentVersion": "1.0.0.0",
        "AgentInstanceId": secrets.token_hex(16),
        "Platform": "handmade",
    }
    return stack.agent_api(instance).call("POST", f"/agent/{node}/channel", body)


def channel_credentials(reply: Reply) -> ReadOnlyCredentials:
    assert reply.status == 200, (reply.status, reply.fields)
    given = reply.fields["Credentials"]
    assert isinstance(given, dict)
    found = ReadOnlyCredentials(
        given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]
    )
    return secret_keys(found, "channel credentials")


@dataclass(frozen=True, slots=True)
class HandmadeNode:
    """One enrolled node: `instance` are its metadata's credentials, `channel` the service's."""

    stack: Stack
    node: str
    enrolment: str
    instance: ReadOnlyCredentials
    channel: ReadOnlyCredentials
    agent_instance: str = field(default_factory=lambda: secrets.token_hex(16))

    @property
    def client_id(self) -> str:
        return f"hatchway/{STAGE}/{self.node}"

    def open(self, session: str, enrolment: str = "") -> Reply:
        body = {
            "EnrolmentSecret": enrolment or self.enrolment,
            "AgentInstanceId": self.agent_instance,
        }
        reply = self.call("POST", session, "/open", body)
        for name in ("Ticket", "SealKey"):
            if name in reply.fields:
                secret(str(reply.fields[name]), name)
        return reply

    def frames(self, session: str, ticket: str, text: str) -> Reply:
        """Uploads text to whoever the ticket says is the session's client."""
        headers = {"X-Hatchway-Ticket": ticket, "Content-Type": "text/plain"}
        return self.call("POST", session, "/frames", text, headers)

    def call(
        self,
        method: str,
        session: str,
        rest: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        node: str = "",
    ) -> Reply:
        """One call of a session's routes with the channel credentials; `node` is another's."""
        path = f"/agent/{node or self.node}/sessions/{quote(session, safe='')}{rest}"
        return self.stack.agent_api(self.channel).call(method, path, body, headers)


def enrolled(stack: Stack, role: NodeRole | None = None) -> HandmadeNode:
    """A new instance that has enrolled, and is not connected."""
    node = stack.run_instance({"Name": f"handmade-{secrets.token_hex(4)}", "team": "web"}, role)
    instance = secret_keys(stack.instance_credentials(node, role), "instance credentials")
    enrolment = new_secret()
    channel = channel_credentials(enrol(stack, node, enrolment, instance))
    return HandmadeNode(stack, node, enrolment, instance, channel)


@contextmanager
def online(made: HandmadeNode) -> Iterator[MqttClient]:
    """The node with its control channel up; the client that holds it."""
    with MqttClient(made.stack, made.channel, made.client_id) as control:
        assert control.subscribe(f"{made.client_id}/control") == GRANTED
        stack = made.stack
        until(
            lambda: agents.connected(stack.places, stack.stacks, made.node) or None,
            ONLINE,
            "The handmade node is not online",
        )
        yield control
