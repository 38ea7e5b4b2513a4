"""The ports Policies and Roles: what holds for the memory twins and for IAM alike."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any, Protocol

import pytest

from hatchway.core.errors import AccessDeniedException, ValidationException
from lambdas.adapters.iam import IamPolicies, IamRoles
from lambdas.memory.clock import ManualClock
from lambdas.memory.iam import EC2_TRUST, MemoryPolicies, MemoryRoles
from lambdas.ports import Policies, PolicyDocument, PrincipalPolicies, Roles
from tests.contract.cloud import Cloud


def document(action: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


class World(Protocol):
    """Makes principals; each policy is named by its only action."""

    @property
    def policies(self) -> Policies: ...

    @property
    def roles(self) -> Roles: ...

    def user(self, *inline: str, tags: Mapping[str, str] | None = None) -> tuple[str, str]:
        """A user with inline policies: ARN and userid."""
        ...

    def role_session(self, *inline: str) -> tuple[str, str]: ...

    def role(self, trust: str = EC2_TRUST) -> tuple[str, str]:
        """A role: its ARN and id."""
        ...


class MemoryWorld:
    def __init__(self) -> None:
        self.policies = MemoryPolicies()
        self.roles = MemoryRoles()

    def user(self, *inline: str, tags: Mapping[str, str] | None = None) -> tuple[str, str]:
        return self._add(
            "arn:aws:iam::000000000000:user/teams/john", "AIDAJOHN", inline, tags or {}
        )

    def role_session(self, *inline: str) -> tuple[str, str]:
        arn = "arn:aws:sts::000000000000:assumed-role/Web/mary"
        return self._add(arn, "AROAWEB:mary", inline, None)

    def role(self, trust: str = EC2_TRUST) -> tuple[str, str]:
        made = self.roles.add("arn:aws:iam::000000000000:role/teams/Web", "AROAWEB", trust)
        return made.role_arn, made.role_id

    def _add(
        self, arn: str, userid: str, inline: tuple[str, ...], tags: Mapping[str, str] | None
    ) -> tuple[str, str]:
        texts = [json.dumps(document(action)) for action in inline]
        identity = [PolicyDocument(source="", name="", text=text) for text in texts]
        self.policies.add(arn, userid, PrincipalPolicies(identity=identity, tags=tags))
        return arn, userid


class AwsWorld:
    def __init__(self, cloud: Cloud) -> None:
        self.iam = cloud.client("iam")
        self.policies = IamPolicies(ManualClock(), client=self.iam)
        self.roles = IamRoles(client=self.iam)

    def user(
        self, *inline: str, tags: Mapping[str, str] | None = None, boundary: str = ""
    ) -> tuple[str, str]:
        name = f"j+o=h,n.@-{uuid.uuid4().hex}"
        more = {"PermissionsBoundary": boundary} if boundary else {}
        listed = [{"Key": key, "Value": value} for key, value in (tags or {}).items()]
        made = self.iam.create_user(UserName=name, Path="/teams/", Tags=listed, **more)["User"]
        for action in inline:
            self.iam.put_user_policy(
                UserName=name,
                PolicyName=action.replace(":", "."),
                PolicyDocument=json.dumps(document(action)),
            )
        return made["Arn"], made["UserId"]

    def role_session(self, *inline: str) -> tuple[str, str]:
        arn, role_id = self.role()
        name = arn.rpartition("/")[2]
        for action in inline:
            self.iam.put_role_policy(
                RoleName=name,
                PolicyName=action.replace(":", "."),
                PolicyDocument=json.dumps(document(action)),
            )
        account = arn.split(":")[4]
        return f"arn:aws:sts::{account}:assumed-role/{name}/mary", f"{role_id}:mary"

    def role(self, trust: str = EC2_TRUST) -> tuple[str, str]:
        made = self.iam.create_role(
            RoleName=f"r{uuid.uuid4().hex}", Path="/teams/", AssumeRolePolicyDocument=trust
        )["Role"]
        return made["Arn"], made["RoleId"]

    def managed(self, action: str) -> str:
        made = self.iam.create_policy(
            PolicyName=f"p{uuid.uuid4().hex}", PolicyDocument=json.dumps(document(action))
        )
        return str(made["Policy"]["Arn"])


@pytest.fixture
def world(cloud: Cloud | None) -> World:
    return MemoryWorld() if cloud is None else AwsWorld(cloud)


@pytest.fixture
def aws_world(cloud: Cloud | None) -> AwsWorld:
    if cloud is None:
        pytest.skip("the twin is given its policies whole")
    return AwsWorld(cloud)


def actions(documents: Any) -> list[str]:
    return sorted(json.loads(found.text)["Statement"][0]["Action"] for found in documents)


class TestPolicies:
    def test_a_user_has_inline_policies_and_tags(self, world: World) -> None:
        arn, userid = world.user("ssm:StartSession", "ssm:ResumeSession", tags={"team": "web"})
        found = world.policies.of(arn, userid)
        assert actions(found.identity) == ["ssm:ResumeSession", "ssm:StartSession"]
        assert found.tags == {"team": "web"}
        assert list(found.boundaries) == []

    def test_a_user_without_policies_has_none(self, world: World) -> None:
        found = world.policies.of(*world.user())
        assert list(found.identity) == []
        assert found.tags == {}

    def test_a_role_session_has_its_role_s_policies_and_unknown_tags(self, world: World) -> None:
        found = world.policies.of(*world.role_session("ssm:StartSession"))
        assert actions(found.identity) == ["ssm:StartSession"]
        assert found.tags is None

    @pytest.mark.parametrize("userid", ["", "AIDAOTHER", "AROAOTHER:mary"])
    def test_another_principal_of_the_name_is_refused(self, world: World, userid: str) -> None:
        for arn, _ in (world.user("ssm:StartSession"), world.role_session("ssm:StartSession")):
            with pytest.raises(AccessDeniedException):
                world.policies.of(arn, userid)

    @pytest.mark.parametrize(
        ("arn", "userid"),
        [
            ("arn:aws:iam::000000000000:user/nobody", "AIDANOBODY"),
            ("arn:aws:sts::000000000000:assumed-role/nobody/x", "AROANOBODY:x"),
            ("arn:aws:iam::000000000000:root", "000000000000"),
            ("arn:aws:sts::000000000000:federated-user/x", "000000000000:x"),
            ("junk", "junk"),
            ("", ""),
        ],
    )
    def test_who_is_neither_user_nor_role_session_is_refused(
        self, world: World, arn: str, userid: str
    ) -> None:
        with pytest.raises(AccessDeniedException):
            world.policies.of(arn, userid)


class TestAllPolicies:
    def test_a_user_s_groups_and_attached_policies_are_read(self, aws_world: AwsWorld) -> None:
        arn, userid = aws_world.user("ssm:Inline")
        name, group = arn.rpartition("/")[2], f"g{uuid.uuid4().hex}"
        iam = aws_world.iam
        iam.attach_user_policy(UserName=name, PolicyArn=aws_world.managed("ssm:Attached"))
        iam.create_group(GroupName=group)
        iam.put_group_policy(
            GroupName=group,
            PolicyName="inline",
            PolicyDocument=json.dumps(document("ssm:GroupInline")),
        )
        iam.attach_group_policy(GroupName=group, PolicyArn=aws_world.managed("ssm:GroupAttached"))
        iam.add_user_to_group(GroupName=group, UserName=name)
        found = aws_world.policies.of(arn, userid)
        assert actions(found.identity) == [
            "ssm:Attached",
            "ssm:GroupAttached",
            "ssm:GroupInline",
            "ssm:Inline",
        ]

    def test_a_user_s_boundary_is_read(self, cloud: Cloud | None, aws_world: AwsWorld) -> None:
        if cloud is not None and not cloud.endpoint:
            pytest.skip("moto's GetUser leaves the boundary out")
        made = aws_world.user("ssm:Inline", boundary=aws_world.managed("ssm:Boundary"))
        assert actions(aws_world.policies.of(*made).boundaries) == ["ssm:Boundary"]

    def test_a_role_s_attached_policies_and_boundary_are_read(self, aws_world: AwsWorld) -> None:
        arn, userid = aws_world.role_session("ssm:Inline")
        name = arn.split("/")[1]
        aws_world.iam.attach_role_policy(RoleName=name, PolicyArn=aws_world.managed("ssm:Attached"))
        aws_world.iam.put_role_permissions_boundary(
            RoleName=name, PermissionsBoundary=aws_world.managed("ssm:Boundary")
        )
        found = aws_world.policies.of(arn, userid)
        assert actions(found.identity) == ["ssm:Attached", "ssm:Inline"]
        assert actions(found.boundaries) == ["ssm:Boundary"]

    def test_the_default_version_of_a_policy_counts(self, aws_world: AwsWorld) -> None:
        arn, userid = aws_world.user()
        policy = aws_world.managed("ssm:First")
        aws_world.iam.attach_user_policy(UserName=arn.rpartition("/")[2], PolicyArn=policy)
        aws_world.iam.create_policy_version(
            PolicyArn=policy,
            PolicyDocument=json.dumps(document("ssm:Second")),
            SetAsDefault=True,
        )
        aws_world.iam.create_policy_version(
            PolicyArn=policy,
            PolicyDocument=json.dumps(document("ssm:Third")),
            SetAsDefault=False,
        )
        assert actions(aws_world.policies.of(arn, userid).identity) == ["ssm:Second"]


class TestRoles:
    def test_a_role_for_ec2_alone_is_resolved_to_its_id(self, world: World) -> None:
        arn, role_id = world.role()
        found = world.roles.ec2_only(arn)
        assert (found.role_arn, found.role_id) == (arn, role_id)

    def test_a_role_that_others_may_assume_is_refused(self, world: World) -> None:
        trust = json.loads(EC2_TRUST)
        trust["Statement"][0]["Principal"]["AWS"] = "arn:aws:iam::000000000000:root"
        arn, _ = world.role(json.dumps(trust))
        with pytest.raises(ValidationException):
            world.roles.ec2_only(arn)

    @pytest.mark.parametrize(
        "arn",
        [
            "arn:aws:iam::000000000000:role/nobody",
            "arn:aws:iam::000000000000:user/x",
            "arn:aws:sts::000000000000:assumed-role/Web/x",
            "Web",
            "",
        ],
    )
    def test_what_is_no_role_is_refused(self, world: World, arn: str) -> None:
        with pytest.raises(ValidationException):
            world.roles.ec2_only(arn)

    def test_a_role_of_another_path_is_another_role(self, world: World) -> None:
        arn, _ = world.role()
        with pytest.raises(ValidationException):
            world.roles.ec2_only(arn.replace("/teams/", "/other/"))
