"""What `nodes` is made of, from its environment."""

from __future__ import annotations

import time
from collections.abc import Mapping

from lambdas.adapters import retention
from lambdas.adapters.connections import ApiClients
from lambdas.adapters.ec2 import Ec2Instances
from lambdas.adapters.presence import IotPresence
from lambdas.adapters.sqs import SqsLater
from lambdas.adapters.sts import StsChannelCredentials
from lambdas.adapters.table import TableNodes, TableSessions
from lambdas.environment import flag, required, stage
from lambdas.nodes.enrolment import Enrolment
from lambdas.nodes.handler import Nodes
from lambdas.nodes.policy import PolicyPlace
from lambdas.nodes.presence import PresenceEvents
from lambdas.telemetry import counter

#: Strict mode: nodes that no administrator has registered cannot enrol.
REGISTERED_ONLY = "REGISTERED_NODES_ONLY"


def build(environ: Mapping[str, str]) -> tuple[Nodes, PresenceEvents]:
    table, here = required(environ, "TABLE"), stage(environ)
    role_id = required(environ, "CHANNEL_ROLE_ID")
    nodes = TableNodes(table)
    presence = IotPresence()
    presence.endpoint()  # read once, at init
    calls = Nodes(
        enrolment=Enrolment(nodes, Ec2Instances(), time.time, flag(environ, REGISTERED_ONLY)),
        credentials=StsChannelCredentials(required(environ, "CHANNEL_ROLE_ARN")),
        presence=presence,
        place=PolicyPlace(required(environ, "AGENT_API_ARN"), here),
        stage=here,
        channel_role_id=role_id,
        clock=time.time,
        count=counter("nodes", here),
    )
    events = PresenceEvents(
        nodes=nodes,
        sessions=TableSessions(table, history=retention.history(environ)),
        clients=ApiClients(required(environ, "STREAM_MANAGEMENT_URL")),
        later=SqsLater(required(environ, "RECHECK_QUEUE")),
        stage=here,
        channel_role_id=role_id,
        clock=time.time,
    )
    return calls, events
