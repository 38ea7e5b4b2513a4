"""The port Directory: what holds for the memory twin and for IAM alike."""

from __future__ import annotations

import uuid
from typing import Protocol

import pytest

from hatchway.core.errors import InvalidNextToken, ValidationException
from lambdas.adapters import paging
from lambdas.adapters.iam import IamDirectory
from lambdas.memory.iam import EC2_TRUST, MemoryDirectory
from lambdas.ports import Directory, KnownPrincipal
from tests.contract.cloud import Cloud


class World(Protocol):
    @property
    def directory(self) -> Directory: ...

    def user(self) -> KnownPrincipal: ...

    def role(self) -> KnownPrincipal: ...


class MemoryWorld:
    def __init__(self) -> None:
        self.directory = MemoryDirectory()

    def user(self) -> KnownPrincipal:
        name = f"u{uuid.uuid4().hex}"
        arn = f"arn:aws:iam::000000000000:user/teams/{name}"
        return self._add(KnownPrincipal(arn=arn, name=name, user_id=f"AIDA{name}"))

    def role(self) -> KnownPrincipal:
        name = f"r{uuid.uuid4().hex}"
        arn = f"arn:aws:iam::000000000000:role/teams/{name}"
        return self._add(KnownPrincipal(arn=arn, name=name, role_id=f"AROA{name}"))

    def _add(self, known: KnownPrincipal) -> KnownPrincipal:
        self.directory.add(known)
        return known


class AwsWorld:
    def __init__(self, cloud: Cloud) -> None:
        self._iam = cloud.client("iam")
        self.directory = IamDirectory(client=self._iam)

    def user(self) -> KnownPrincipal:
        name = f"u{uuid.uuid4().hex}"
        made = self._iam.create_user(UserName=name, Path="/teams/")["User"]
        return KnownPrincipal(arn=made["Arn"], name=name, user_id=made["UserId"])

    def role(self) -> KnownPrincipal:
        name = f"r{uuid.uuid4().hex}"
        made = self._iam.create_role(
            RoleName=name, Path="/teams/", AssumeRolePolicyDocument=EC2_TRUST
        )["Role"]
        return KnownPrincipal(arn=made["Arn"], name=name, role_id=made["RoleId"])


@pytest.fixture
def world(cloud: Cloud | None) -> World:
    return MemoryWorld() if cloud is None else AwsWorld(cloud)


def everybody(directory: Directory, size: int) -> list[str]:
    token, found = "", []
    for _ in range(1000):
        page = directory.list(size, token)
        assert len(page.principals) <= size
        found += [known.arn for known in page.principals]
        token = page.next_token
        if not token:
            return found
    raise AssertionError("the list has no end")


def test_users_and_roles_are_found_by_their_whole_arn(world: World) -> None:
    for known in (world.user(), world.role()):
        assert world.directory.find(known.arn) == known
        assert world.directory.find(known.arn.replace("/teams/", "/")) is None
        assert world.directory.find(known.arn + "x") is None
        assert world.directory.find(known.arn.replace(known.account, "999999999999")) is None


def test_a_role_session_is_found_by_its_role_without_the_path(world: World) -> None:
    role = world.role()
    arn = f"arn:aws:sts::{role.account}:assumed-role/{role.name}/jane"
    found = world.directory.find(arn)
    assert found is not None
    assert (found.arn, found.role_id, found.session) == (role.arn, role.role_id, "jane")
    assert world.directory.find(arn.replace(role.account, "999999999999")) is None
    assert world.directory.find(arn.replace(role.name, "nobody")) is None


@pytest.mark.parametrize("size", [1, 2, 25])
def test_the_list_has_everybody_once_whatever_the_size_of_a_page(world: World, size: int) -> None:
    made = [world.user(), world.role(), world.user(), world.role()]
    found = everybody(world.directory, size)
    assert len(found) == len(set(found))
    assert {known.arn for known in made} <= set(found)


def test_a_token_that_is_no_token_of_this_list_is_refused(world: World) -> None:
    for token in ("junk", paging.issue("nodes", "x"), "x" * 600):
        with pytest.raises(InvalidNextToken):
            world.directory.list(1, token)


@pytest.mark.parametrize("size", [0, 201])
def test_a_page_has_a_size(world: World, size: int) -> None:
    with pytest.raises(ValidationException):
        world.directory.list(size)
