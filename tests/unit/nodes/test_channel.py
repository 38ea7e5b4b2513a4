"""Channel credentials: for the instance that EC2 knows, with the secret that came first."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from hatchway.core.errors import ThrottlingException
from hatchway.core.tokens import new_token, token_digest
from lambdas.memory.ec2 import MemoryInstances
from lambdas.memory.iot import MemoryPresence
from lambdas.memory.later import MemoryLater
from lambdas.memory.nodes import MemoryNodes
from lambdas.memory.sts import MemoryChannelCredentials
from lambdas.nodes.dispatch import dispatch
from lambdas.nodes.enrolment import ATTEMPTS, Enrolment
from lambdas.nodes.handler import MAX_KINDS, Nodes
from lambdas.nodes.policy import MAX_POLICY, PolicyPlace
from lambdas.nodes.presence import PresenceEvents
from lambdas.ports import InstanceFacts, Node, NodeRole
from tests.unit.edge.world import CHANNEL_ROLE, NODE, OTHER_NODE, World, recorded

ROLE = "AROAINSTANCEROLEEXAMP"
PROFILE = "arn:aws:iam::123456789012:instance-profile/web"
SECRET = new_token(b"\7" * 32)
API = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/local"


class Setting:
    def __init__(self) -> None:
        self.world = World()
        self.registered_only = False
        facts = InstanceFacts(
            node_id=NODE, running=True, profile_arn=PROFILE, tags={"Name": "web-1", "team": "web"}
        )
        self.instances = MemoryInstances(facts, profiles={PROFILE: ROLE})
        self.credentials = MemoryChannelCredentials(self.world.clock)
        self.counted: list[tuple[str, int]] = []
        self.world.nodes.put_role(
            NodeRole(role_id=ROLE, role_arn="arn:aws:iam::123456789012:role/web")
        )

    @property
    def calls(self) -> Nodes:
        return Nodes(
            enrolment=Enrolment(
                self.world.nodes, self.instances, self.world.clock, self.registered_only
            ),
            credentials=self.credentials,
            presence=MemoryPresence("data.example:443"),
            place=PolicyPlace(API, "local"),
            stage="local",
            channel_role_id=CHANNEL_ROLE,
            clock=self.world.clock,
            count=lambda name, value: self.counted.append((name, value)),
        )

    def send(self, event: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        presence = PresenceEvents(
            nodes=self.world.nodes,
            sessions=self.world.sessions,
            clients=self.world.clients,
            later=MemoryLater(),
            stage="local",
            channel_role_id=CHANNEL_ROLE,
            clock=self.world.clock,
        )
        answer = dispatch(event, self.calls, presence, self.world.lines)
        status = answer["statusCode"]
        assert isinstance(status, int)
        return status, json.loads(str(answer["body"]))

    def channel(
        self, user: str = f"{ROLE}:{NODE}", node: str = NODE, **members: object
    ) -> tuple[int, dict[str, Any]]:
        event = recorded("rest_channel.json")
        event["pathParameters"]["nodeId"] = node
        event["requestContext"]["identity"]["user"] = user
        event["body"] = json.dumps(
            json.loads(event["body"]) | {"EnrolmentSecret": SECRET} | members
        )
        return self.send(event)

    def refused(self, *args: str, **members: Any) -> tuple[int, str]:
        status, answer = self.channel(*args, **members)
        return status, answer["__type"]


@pytest.fixture
def setting() -> Setting:
    return Setting()


def test_an_instance_gets_an_hour_of_the_channel_role_cut_down_to_it(setting: Setting) -> None:
    status, answer = setting.channel()
    now = setting.world.clock()
    assert status == 200
    assert answer == {
        "Credentials": {
            "AccessKeyId": "ASIA0000000000000001",
            "SecretAccessKey": "secret of " + NODE,
            "SessionToken": "token of " + NODE,
            "Expiration": now + 3600,
        },
        "IotEndpoint": "data.example:443",
        "Stage": "local",
        "ServerTime": now,
    }
    assert setting.world.node() == Node(
        node_id=NODE,
        role_id=ROLE,
        enrolment=token_digest(SECRET),
        name="web-1",
        tags={"Name": "web-1", "team": "web"},
        agent_version="1.0.0",
        agent_instance="agent-1",
        platform="Linux",
        last_seen=now,
        version=1,
    )


def test_the_session_policy_names_this_node_only_literally_and_without_channel(
    setting: Setting,
) -> None:
    setting.channel()
    [(node, text)] = setting.credentials.issued
    iot = "arn:aws:iot:us-east-1:123456789012:"
    assert node == NODE
    assert len(text) <= MAX_POLICY
    assert json.loads(text)["Statement"] == [
        {
            "Effect": "Allow",
            "Action": "iot:Connect",
            "Resource": [
                f"{iot}client/hatchway/local/{NODE}",
                f"{iot}client/hatchway/local/{NODE}/*",
            ],
        },
        {
            "Effect": "Allow",
            "Action": "iot:Subscribe",
            "Resource": [f"{iot}topicfilter/hatchway/local/{NODE}/*"],
        },
        {
            "Effect": "Allow",
            "Action": "iot:Receive",
            "Resource": [f"{iot}topic/hatchway/local/{NODE}/*"],
        },
        {
            "Effect": "Allow",
            "Action": "execute-api:Invoke",
            "Resource": [
                f"{API}/GET/agent/{NODE}/sessions",
                f"{API}/POST/agent/{NODE}/sessions/*",
                f"{API}/POST/agent/{NODE}/reports",
            ],
        },
    ]
    assert "$" not in text
    assert "channel" not in text


def test_the_longest_names_still_fit_a_session_policy() -> None:
    place = PolicyPlace(
        "arn:aws-us-gov:execute-api:us-gov-east-1:123456789012:a1b2c3d4e5/s234567890123456",
        "s234567890123456",
    )
    assert len(place.policy(NODE)) <= MAX_POLICY


@pytest.mark.parametrize("arn", ["", "arn:aws:execute-api:us-east-1:1:a/b", API + "/*"])
def test_an_api_arn_of_another_shape_is_refused_at_init(arn: str) -> None:
    with pytest.raises(ValueError, match="AGENT_API_ARN"):
        PolicyPlace(arn, "local")


@pytest.mark.parametrize(
    "user",
    [
        "AIDAJOHN",
        "",
        NODE,
        f":{NODE}",
        f"{ROLE}:{OTHER_NODE}",
        f"{ROLE}:{NODE}:{NODE}",
        f"AROAANOTHERROLEEXAMPL:{NODE}",  # not on the list
        f"{CHANNEL_ROLE}:{NODE}",  # channel credentials do not renew themselves
    ],
)
def test_only_a_listed_roles_session_named_like_the_node_is_admitted(
    setting: Setting, user: str
) -> None:
    assert setting.refused(user) == (403, "NodeRefused")
    assert setting.world.nodes.get(NODE) is None
    assert setting.credentials.issued == []


@pytest.mark.parametrize(
    "change",
    [
        {"running": False},
        {"profile_arn": ""},
        {"profile_arn": "arn:aws:iam::123456789012:instance-profile/other"},
    ],
)
def test_ec2_has_the_last_word_on_who_the_instance_is(
    setting: Setting, change: dict[str, Any]
) -> None:
    facts = setting.instances.instances[NODE]
    setting.instances.instances[NODE] = replace(facts, **change)
    assert setting.refused() == (403, "NodeRefused")


def test_an_instance_unknown_to_ec2_is_refused(setting: Setting) -> None:
    setting.instances.instances.clear()
    assert setting.refused() == (403, "NodeRefused")


def test_a_profile_with_another_listed_role_is_refused(setting: Setting) -> None:
    setting.instances.profiles[PROFILE] = "AROAANOTHERROLEEXAMPL"
    assert setting.refused() == (403, "NodeRefused")


def test_a_managed_node_cannot_enrol_yet(setting: Setting) -> None:
    node = "mi-0123456789abcdef0"
    assert setting.refused(f"{ROLE}:{node}", node) == (400, "UnsupportedNodeType")


def test_the_same_secret_again_is_idempotent_and_writes_nothing(setting: Setting) -> None:
    setting.channel()
    before = setting.world.node()
    assert setting.channel()[0] == 200
    assert setting.world.node() is before


def test_what_changed_about_the_instance_is_noted(setting: Setting) -> None:
    setting.channel()
    facts = setting.instances.instances[NODE]
    setting.instances.instances[NODE] = replace(facts, tags={"team": "db"})
    setting.channel(AgentVersion="1.1.0", AgentInstanceId="agent-2")
    node = setting.world.node()
    assert (node.name, node.tags) == ("", {"team": "db"})
    assert (node.agent_version, node.agent_instance) == ("1.1.0", "agent-2")


def test_another_secret_is_refused_with_an_alarm(setting: Setting) -> None:
    setting.channel()
    other = new_token(b"\1" * 32)
    assert setting.refused(EnrolmentSecret=other) == (403, "NodeRefused")
    assert setting.counted == [("EnrolmentRefused", 1)]
    assert setting.world.lines.written[-1][0] == "WARNING"
    assert setting.world.node().enrolment == token_digest(SECRET)


def test_after_a_reset_the_next_secret_enrols(setting: Setting) -> None:
    setting.channel()
    node = setting.world.node()
    setting.world.nodes.update(node, replace(node, enrolment=""))
    other = new_token(b"\1" * 32)
    assert setting.channel(EnrolmentSecret=other)[0] == 200
    assert setting.world.node().enrolment == token_digest(other)


@pytest.mark.parametrize("registered_only", [False, True])
def test_a_registered_node_enrols_with_that_secret_and_no_other(
    setting: Setting, registered_only: bool
) -> None:
    setting.registered_only = registered_only
    setting.world.nodes.create(Node(node_id=NODE, enrolment=token_digest(SECRET)))
    other = new_token(b"\1" * 32)
    assert setting.refused(EnrolmentSecret=other) == (403, "NodeRefused")
    assert setting.counted == [("EnrolmentRefused", 1)]
    assert setting.channel()[0] == 200


def test_in_strict_mode_no_node_enrols_that_is_not_registered(setting: Setting) -> None:
    setting.registered_only = True
    assert setting.refused() == (403, "NodeRefused")
    assert setting.world.nodes.get(NODE) is None
    setting.world.nodes.create(Node(node_id=NODE))  # reset, without a digest
    assert setting.refused() == (403, "NodeRefused")
    assert setting.world.node().enrolment == ""


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"EnrolmentSecret": "short"}, "NodeRefused"),
        ({"EnrolmentSecret": ""}, "ValidationException"),
        ({"AgentVersion": "x" * 33}, "ValidationException"),
        ({"Platform": None}, "ValidationException"),
        ({"NodeId": OTHER_NODE}, "ValidationException"),
    ],
)
def test_a_claim_out_of_shape_is_refused(
    setting: Setting, members: dict[str, object], code: str
) -> None:
    assert setting.refused(**members)[1] == code
    assert setting.world.nodes.get(NODE) is None


def test_a_platform_cannot_carry_escapes(setting: Setting) -> None:
    setting.channel(Platform="Linux\x1b[2J")
    assert setting.world.node().platform == "Linux[2J"


def test_a_throttled_dependency_says_when_to_come_back(setting: Setting) -> None:
    setting.credentials.failure = ThrottlingException()
    event = recorded("rest_channel.json")
    event["body"] = json.dumps(json.loads(event["body"]) | {"EnrolmentSecret": SECRET})
    status, answer = setting.send(event)
    assert (status, answer["__type"]) == (429, "ThrottlingException")


class Racing(MemoryNodes):
    """Another call enrols the node between read and write, `races` times."""

    def __init__(self, races: int) -> None:
        super().__init__()
        self.races = races

    def create(self, node: Node) -> Node:
        self._race(node)
        return super().create(node)

    def update(self, read: Node, changed: Node) -> Node:
        self._race(read)
        return super().update(read, changed)

    def _race(self, node: Node) -> None:
        if not self.races:
            return
        self.races -= 1
        stored = self.get(node.node_id)
        if stored is None:
            super().create(Node(node_id=node.node_id, enrolment=token_digest("first")))
        else:
            super().update(stored, replace(stored, last_seen=stored.last_seen + 1))


def racing(races: int) -> Setting:
    setting = Setting()
    roles = setting.world.nodes.roles()
    setting.world.nodes = Racing(races)
    for role in roles:
        setting.world.nodes.put_role(role)
    return setting


def test_of_two_first_secrets_one_wins_and_the_other_is_refused() -> None:
    assert racing(1).refused() == (403, "NodeRefused")


def test_races_without_end_are_a_conflict() -> None:
    setting = racing(0)
    setting.channel()
    nodes = setting.world.nodes
    assert isinstance(nodes, Racing)
    nodes.races = ATTEMPTS
    assert setting.refused(AgentVersion="2.0.0") == (409, "ConflictException")


def test_no_secret_or_credential_is_logged(setting: Setting) -> None:
    _, answer = setting.channel()
    [(_, fields)] = setting.world.lines.written
    logged = json.dumps(dict(fields))
    assert SECRET not in logged
    assert token_digest(SECRET) not in logged
    assert answer["Credentials"]["SecretAccessKey"] not in logged


# --- reports -------------------------------------------------------------------------------------


def report(setting: Setting, dropped: object, user: str = f"{CHANNEL_ROLE}:{NODE}") -> int:
    event = recorded("rest_reports.json")
    event["requestContext"]["identity"]["user"] = user
    event["body"] = json.dumps({"Dropped": dropped})
    return setting.send(event)[0]


def test_a_report_is_a_warning_and_a_metric(setting: Setting) -> None:
    assert report(setting, {"forged": 2, "expired": 1}) == 200
    level, fields = setting.world.lines.written[-1]
    assert level == "WARNING"
    assert (fields["dropped_forged"], fields["dropped_expired"]) == (2, 1)
    assert setting.counted == [("MessagesDropped", 3)]


def test_gaps_and_retries_are_metrics_of_their_own_and_alarm_nobody_of_forgeries(
    setting: Setting,
) -> None:
    assert report(setting, {"gapBytes": 4096, "retries": 7}) == 200
    assert setting.world.lines.written[-1][0] == "INFO"
    assert setting.counted == [("Gaps", 4096), ("Retries", 7)]


def test_an_empty_report_is_nothing_to_worry_about(setting: Setting) -> None:
    assert report(setting, {}) == 200
    assert setting.world.lines.written[-1][0] == "INFO"
    assert setting.counted == []


@pytest.mark.parametrize(
    "dropped",
    [
        None,
        [],
        {"forged": -1},
        {"forged": "2"},
        {"forged": 1_000_000_001},
        {"a b": 1},
        {"x" * 33: 1},
        {f"k{n}": 1 for n in range(MAX_KINDS + 1)},
    ],
)
def test_a_report_is_bounded(setting: Setting, dropped: object) -> None:
    assert report(setting, dropped) == 400


@pytest.mark.parametrize("user", [f"{ROLE}:{NODE}", f"{CHANNEL_ROLE}:{OTHER_NODE}", "AIDAJOHN"])
def test_only_the_nodes_channel_credentials_report(setting: Setting, user: str) -> None:
    assert report(setting, {"forged": 1}, user) == 403
    assert setting.counted == []


def test_another_route_is_refused(setting: Setting) -> None:
    assert setting.send(recorded("rest_open.json"))[0] == 400
