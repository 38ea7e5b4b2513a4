"""The agent API's node routes: credentials for an instance that is the node, and its reports."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from hatchway.core.errors import ValidationException
from lambdas.edge import Call, Members
from lambdas.identity import channel_node
from lambdas.logline import Line
from lambdas.nodes.enrolment import Claim, Enrolment, EnrolmentRefused
from lambdas.nodes.policy import PolicyPlace
from lambdas.ports import ChannelCredentials, Clock, Presence
from lambdas.telemetry import Count

#: Characters of what an agent says of itself.
MAX_SECRET = 64
MAX_VERSION = 32
MAX_INSTANCE = 64
MAX_PLATFORM = 128
#: Kinds in a report, and the highest count of one.
MAX_KINDS = 32
MAX_COUNT = 1_000_000_000

#: Kinds that tell how the data flowed, and the metrics that they are: nobody did any of it.
FLOW = {"gapBytes": "Gaps", "retries": "Retries"}

_KIND = re.compile(r"[a-zA-Z][a-zA-Z0-9_-]{0,31}\Z")


@dataclass(frozen=True, slots=True)
class Nodes:
    """Calls of agents for their node as a whole."""

    enrolment: Enrolment
    credentials: ChannelCredentials
    presence: Presence
    place: PolicyPlace
    stage: str
    channel_role_id: str
    clock: Clock
    count: Count

    def handle(self, call: Call, line: Line) -> Mapping[str, object]:
        if call.route == "POST /agent/{nodeId}/channel":
            return self._channel(call, line)
        if call.route == "POST /agent/{nodeId}/reports":
            return self._report(call, line)
        raise ValidationException("There is no such route.")

    def _channel(self, call: Call, line: Line) -> Mapping[str, object]:
        """An hour of the channel role, for the instance that proves to be the node."""
        claim = _claim(
            call.members({"EnrolmentSecret", "AgentVersion", "AgentInstanceId", "Platform"})
        )
        node, role, facts = self.enrolment.identify(call)
        line.note(node=node, agentVersion=claim.agent_version)
        try:
            self.enrolment.enrol(node, role, facts, claim)
        except EnrolmentRefused:
            line.warning()
            self.count("EnrolmentRefused", 1)
            raise
        given = self.credentials.issue(node, self.place.policy(node))
        return {
            "Credentials": {
                "AccessKeyId": given.access_key_id,
                "SecretAccessKey": given.secret_access_key,
                "SessionToken": given.session_token,
                "Expiration": given.expiration,
            },
            "IotEndpoint": self.presence.endpoint(),
            "Stage": self.stage,
            "ServerTime": self.clock(),
        }

    def _report(self, call: Call, line: Line) -> Mapping[str, object]:
        """What the agent dropped: forged, replayed, expired … each worth a look."""
        node = channel_node(call, self.channel_role_id)
        dropped = _counts(call.members({"Dropped"}))
        line.note(node=node, **{f"dropped_{kind}": count for kind, count in dropped.items()})
        for kind, metric in FLOW.items():
            if count := dropped.pop(kind, 0):
                self.count(metric, count)
        if any(dropped.values()):
            line.warning()
            self.count("MessagesDropped", sum(dropped.values()))
        return {}


def _claim(members: Members) -> Claim:
    return Claim(
        secret=members.text("EnrolmentSecret", MAX_SECRET),
        agent_version=_plain(members.text("AgentVersion", MAX_VERSION)),
        agent_instance=members.text("AgentInstanceId", MAX_INSTANCE),
        platform=_plain(members.text("Platform", MAX_PLATFORM)),
    )


def _plain(text: str) -> str:
    """Text without anything that a terminal or a log reader would obey."""
    return "".join(c for c in text if c.isprintable())


def _counts(members: Members) -> dict[str, int]:
    dropped = members.values.get("Dropped")
    if not isinstance(dropped, dict) or len(dropped) > MAX_KINDS:
        raise ValidationException(f"Dropped is an object of at most {MAX_KINDS} kinds.")
    if not all(_KIND.match(kind) for kind in dropped):
        raise ValidationException("A kind is a word of up to 32 letters, digits, - and _.")
    counts = Members(dropped)
    return {kind: counts.integer(kind, 0, MAX_COUNT) for kind in dropped}
