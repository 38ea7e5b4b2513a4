"""The stream's JSON routes over memory twins, for what a client asks there by itself."""

from __future__ import annotations

import io
from collections.abc import Mapping
from contextlib import redirect_stdout
from typing import Any

from hatchway.core.names import Owner
from lambdas.destinations import Allowed
from lambdas.logline import Write
from lambdas.memory.destinations import MemoryDestinations
from lambdas.memory.documents import MemoryDocuments
from lambdas.memory.ec2 import MemoryInstances
from lambdas.memory.iam import MemoryDirectory, MemoryPolicies, MemoryRoles, principal
from lambdas.memory.iot import MemoryDownlink, MemoryPresence
from lambdas.memory.nodes import MemoryNodes
from lambdas.memory.recordings import MemoryRecordings
from lambdas.ports import Clients, Clock, Random, SessionStore
from lambdas.sessions.frames import serve_frame
from lambdas.sessions.service import Service

_EVERYTHING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "ssm:*", "Resource": "*"}],
}


class Asking:
    """One owner, who may do everything."""

    def __init__(
        self,
        owner: Owner,
        arn: str,
        sessions: SessionStore,
        clients: Clients,
        clock: Clock,
        random: Random,
    ) -> None:
        policies = MemoryPolicies()
        policies.add(arn, owner.userid, principal(_EVERYTHING))
        destinations = MemoryDestinations()
        self._service = Service(
            sessions=sessions,
            nodes=MemoryNodes(),
            clients=clients,
            downlink=MemoryDownlink(),
            presence=MemoryPresence(),
            instances=MemoryInstances(),
            roles=MemoryRoles(),
            policies=policies,
            directory=MemoryDirectory(),
            documents=MemoryDocuments(),
            recordings=MemoryRecordings(),
            encryption=destinations,
            allowed=Allowed(own_bucket="", own_group="", owner=owner.account),
            clock=clock,
            random=random,
            stage="bench",
            region="us-east-1",
            stream_url="wss://stream.invalid/bench",
            channel_role_id="AROACHANNELROLEEXAMPL",
        )

    def ask(self, event: Mapping[str, Any], write: Write) -> int:
        """Answers one frame; the bytes of the audit trail's records about it."""
        trail = io.StringIO()
        with redirect_stdout(trail):
            serve_frame(self._service, event, write)
        return len(trail.getvalue())
