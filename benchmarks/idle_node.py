"""What a node costs that nobody uses: its MQTT connection, and credentials fetched again and again.

One renewal is counted at the real handler's ports; how many there are in a month follows from when
the agent renews. Neither MQTT's pings nor connecting and subscribing are billed as messages.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from agent.link import RENEW_FROM, RENEW_TO
from benchmarks.metered import ACCESS_LOG, MEMORY, PLATFORM_LOG, counted
from benchmarks.prices import READ_UNIT, WRITE_UNIT, Bill, Item, Meter
from hatchway.core.tokens import new_token
from lambdas.adapters import items
from lambdas.edge import serve
from lambdas.memory.clock import ManualClock
from lambdas.memory.ec2 import MemoryInstances
from lambdas.memory.iot import MemoryPresence
from lambdas.memory.nodes import MemoryNodes
from lambdas.memory.sts import LIFE, MemoryChannelCredentials
from lambdas.nodes.enrolment import Enrolment
from lambdas.nodes.handler import Nodes
from lambdas.nodes.policy import PolicyPlace
from lambdas.ports import InstanceFacts, NodeRole

MONTH_MINUTES = 730 * 60
#: Nodes stand in the table and in the index byState.
COPIES = 2
_ROLE = "AROAINSTANCEROLEEXAMP"
_NODE = "i-0123456789abcdef0"
_PROFILE = "arn:aws:iam::123456789012:instance-profile/web"
_API = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/bench"
_EVENTS = Path(__file__).parent.parent / "tests" / "events"


def node_month(seconds: float) -> Bill:
    """A month of an online node without sessions; `seconds` is how long an invocation takes."""
    renewals = MONTH_MINUTES * 60 / (LIFE * (RENEW_FROM + RENEW_TO) / 2)
    one = renewal(seconds)
    counts = {item: count * renewals for item, count in one.counts.items()}
    return Bill({**counts, Item.IOT_MINUTE: MONTH_MINUTES})


def renewal(seconds: float) -> Bill:
    """One call of `channel` by a node that has enrolled before."""
    node = _Node(seconds)
    node.channel()
    node.meter.take()
    node.clock.advance(LIFE / 2)
    node.channel()
    return node.meter.take()


class _Node:
    def __init__(self, seconds: float) -> None:
        self.meter, self.clock, self._seconds = Meter(), ManualClock(), seconds
        self._store = MemoryNodes()
        self._store.put_role(NodeRole(role_id=_ROLE, role_arn="arn:aws:iam::123456789012:role/web"))
        facts = InstanceFacts(node_id=_NODE, running=True, profile_arn=_PROFILE, tags={"Name": "a"})
        store = counted(self._store, self._stored)
        self._nodes = Nodes(
            enrolment=Enrolment(
                store, MemoryInstances(facts, profiles={_PROFILE: _ROLE}), self.clock
            ),
            credentials=MemoryChannelCredentials(self.clock),
            presence=MemoryPresence("data.iot.invalid"),
            place=PolicyPlace(_API, "bench"),
            stage="bench",
            channel_role_id="AROACHANNELROLEEXAMPL",
            clock=self.clock,
            count=lambda name, value: None,
        )

    def channel(self) -> None:
        event: dict[str, Any] = json.loads((_EVENTS / "rest_channel.json").read_text())
        event["pathParameters"]["nodeId"] = _NODE
        event["requestContext"]["identity"]["user"] = f"{_ROLE}:{_NODE}"
        secret = {"EnrolmentSecret": new_token(bytes(32))}
        event["body"] = json.dumps(json.loads(event["body"]) | secret)
        self.meter.add(Item.REST_CALL)
        answer = serve("nodes", event, self._nodes.handle, self._invoked)
        if answer["statusCode"] != 200:
            raise RuntimeError(f"the node was refused: {answer['body']}")

    def _invoked(self, level: str, fields: object) -> None:
        self.meter.add(Item.LAMBDA_REQUEST)
        self.meter.add(Item.LAMBDA_GB_SECOND, self._seconds * MEMORY)
        self.meter.add(Item.LOG_BYTE, len(json.dumps(fields)) + PLATFORM_LOG + ACCESS_LOG)

    def _stored(self, method: str, arguments: tuple[Any, ...]) -> None:
        node = self._store.get(_NODE)
        size = len(json.dumps(items.of_node(node))) if node else 0
        if method in ("get", "role"):
            self.meter.units(Item.DYNAMODB_READ, size, READ_UNIT)
        else:
            for _ in range(COPIES):
                self.meter.units(Item.DYNAMODB_WRITE, size, WRITE_UNIT)
