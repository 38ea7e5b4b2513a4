"""EC2 instances of the embedded AWS with their roles: what an administrator of an account makes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from local.deployment import Stacks
from local.emulator import Emulator
from local.errors import LauncherError
from local.identities import ADMIN, read_credentials
from local.places import Places
from local.signed import Signed

_IMAGE = "ami-0123456789abcdef0"
_EC2_ONLY = json.dumps(
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


@dataclass(frozen=True, slots=True)
class NodeRole:
    """An instance role with its profile of the same name."""

    name: str
    arn: str


def make_role(emulator: Emulator, stacks: Stacks, name: str, *, trust: str = _EC2_ONLY) -> NodeRole:
    """An instance role as a customer makes it: for EC2 only, with the stack's managed policy."""
    iam = emulator.client("iam")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.attach_role_policy(RoleName=name, PolicyArn=stacks["NodePolicyArn"])
    iam.create_instance_profile(InstanceProfileName=name)
    iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
    return NodeRole(name, arn)


def allow_role(places: Places, stacks: Stacks, role: NodeRole) -> None:
    """Puts a role on the list of those whose instances may enrol, as the demo's administrator."""
    admin = Signed(stacks["PeopleApiUrl"], places.ca_bundle, read_credentials(places, ADMIN))
    reply = admin.call("POST", "/node-roles", {"RoleArn": role.arn})
    if reply.status != 200:
        raise LauncherError(f"The node role was refused: {reply.status} {reply.fields}")


def run_instance(emulator: Emulator, role: NodeRole, tags: Mapping[str, str]) -> str:
    """Starts an EC2 instance with the role's profile and the tags; its id."""
    answer = emulator.client("ec2").run_instances(
        ImageId=_IMAGE,
        InstanceType="t4g.nano",
        MinCount=1,
        MaxCount=1,
        IamInstanceProfile={"Name": role.name},
        MetadataOptions={"HttpTokens": "required"},
        TagSpecifications=[
            {
                "ResourceType": "instance",
                "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
            }
        ],
    )
    return str(answer["Instances"][0]["InstanceId"])
