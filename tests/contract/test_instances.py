"""The port Instances: what holds for the memory twin and for EC2 alike."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Protocol

import pytest

from lambdas.adapters.ec2 import Ec2Instances
from lambdas.memory.clock import ManualClock
from lambdas.memory.ec2 import MemoryInstances
from lambdas.ports import InstanceFacts, Instances
from tests.contract.cloud import Cloud

#: One of those that moto knows: to list all 1,300 takes it seconds.
IMAGE = "ami-03cf127a"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "ec2.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)


class World(Protocol):
    """Makes what the port is to describe."""

    @property
    def instances(self) -> Instances: ...

    def profile(self) -> tuple[str, str]:
        """A new instance profile with a role: its ARN and the role's id."""
        ...

    def run(self, tags: Mapping[str, str], profile_arn: str = "") -> str: ...

    def stop(self, node_id: str) -> None: ...


class MemoryWorld:
    def __init__(self) -> None:
        self.instances = MemoryInstances()
        self._count = 0

    def profile(self) -> tuple[str, str]:
        arn = f"arn:aws:iam::000000000000:instance-profile/p{len(self.instances.profiles)}"
        self.instances.profiles[arn] = "AROA" + arn[-1]
        return arn, "AROA" + arn[-1]

    def run(self, tags: Mapping[str, str], profile_arn: str = "") -> str:
        self._count += 1
        node_id = f"i-{self._count:017x}"
        self.instances.instances[node_id] = InstanceFacts(
            node_id=node_id, running=True, profile_arn=profile_arn, tags=tags
        )
        return node_id

    def stop(self, node_id: str) -> None:
        known = self.instances.instances[node_id]
        self.instances.instances[node_id] = InstanceFacts(
            node_id=node_id, running=False, profile_arn=known.profile_arn, tags=known.tags
        )


class AwsWorld:
    def __init__(self, cloud: Cloud) -> None:
        self._ec2 = cloud.client("ec2")
        self._iam = cloud.client("iam")
        self._image = IMAGE
        self.instances = Ec2Instances(ManualClock(), client=self._ec2, iam=self._iam)

    def profile(self) -> tuple[str, str]:
        name = f"n{uuid.uuid4().hex}"
        role = self._iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]
        made = self._iam.create_instance_profile(InstanceProfileName=name, Path="/of/teams/")
        self._iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
        return made["InstanceProfile"]["Arn"], role["RoleId"]

    def run(self, tags: Mapping[str, str], profile_arn: str = "") -> str:
        wanted = {"IamInstanceProfile": {"Arn": profile_arn}} if profile_arn else {}
        listed = [{"Key": key, "Value": value} for key, value in tags.items()]
        answer = self._ec2.run_instances(
            ImageId=self._image,
            MinCount=1,
            MaxCount=1,
            TagSpecifications=[{"ResourceType": "instance", "Tags": listed}],
            **wanted,
        )
        return str(answer["Instances"][0]["InstanceId"])

    def stop(self, node_id: str) -> None:
        self._ec2.terminate_instances(InstanceIds=[node_id])


@pytest.fixture
def world(cloud: Cloud | None) -> World:
    return MemoryWorld() if cloud is None else AwsWorld(cloud)


def test_an_instance_has_its_tags_and_its_profile(world: World) -> None:
    arn, _ = world.profile()
    node_id = world.run({"team": "web", "Name": "web 1"}, arn)
    facts = world.instances.facts(node_id)
    assert facts is not None
    assert facts.running
    assert facts.profile_arn == arn
    assert facts.tags == {"team": "web", "Name": "web 1"}


def test_an_instance_without_a_profile_has_none(world: World) -> None:
    facts = world.instances.facts(world.run({"a": "b"}))
    assert facts is not None
    assert facts.profile_arn == ""


def test_an_unknown_instance_is_none(world: World) -> None:
    assert world.instances.facts("i-0fffffffffffffff0") is None


def test_an_instance_that_is_over_does_not_run(world: World) -> None:
    node_id = world.run({"a": "b"})
    world.stop(node_id)
    facts = world.instances.facts(node_id)
    assert facts is not None
    assert not facts.running


def test_many_are_described_at_once_and_the_unknown_are_absent(world: World) -> None:
    ids = [world.run({"n": str(n)}) for n in range(3)]
    facts = world.instances.facts_of([*ids, "i-0fffffffffffffff0"])
    assert {node_id: found.tags["n"] for node_id, found in facts.items()} == {
        node_id: str(n) for n, node_id in enumerate(ids)
    }
    assert world.instances.facts_of([]) == {}


def test_a_profile_names_its_role_s_id(world: World) -> None:
    arn, role_id = world.profile()
    assert world.instances.profile_role(arn) == role_id


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:iam::000000000000:instance-profile/none-of-this-name",
        "arn:aws:iam::999999999999:instance-profile/x",
        "junk",
        "",
    ],
)
def test_an_unknown_profile_has_no_role(world: World, arn: str) -> None:
    assert world.instances.profile_role(arn) == ""
