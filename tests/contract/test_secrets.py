"""The port Secrets: what holds for the memory twin and for Secrets Manager alike."""

from __future__ import annotations

import uuid
from typing import Protocol

import pytest

from lambdas.adapters.secrets import PATIENCE, REREAD, SERVICE, SETTLED, ManagedSecret
from lambdas.adapters.signed import Signed
from lambdas.memory.clock import ManualClock
from lambdas.memory.secrets import MemorySecrets
from lambdas.ports import Secrets
from tests.contract.cloud import Cloud


class World(Protocol):
    @property
    def secrets(self) -> Secrets: ...

    def rotate(self) -> None:
        """A new version, and the time that all functions need to learn of it."""
        ...


class MemoryWorld:
    def __init__(self) -> None:
        self.secrets = MemorySecrets()

    def rotate(self) -> None:
        self.secrets.rotate()


class AwsWorld:
    def __init__(self, cloud: Cloud, clock: ManualClock) -> None:
        self._client = cloud.client("secretsmanager")
        self._name = f"seal-{uuid.uuid4().hex}"
        self._clock = clock
        self._client.create_secret(Name=self._name, SecretString="first of these")
        self.secrets = ManagedSecret(self._name, clock, Signed(SERVICE, PATIENCE, cloud.endpoint))

    def rotate(self) -> None:
        self._client.put_secret_value(SecretId=self._name, SecretString=uuid.uuid4().hex)
        self._clock.advance(SETTLED)


@pytest.fixture
def clock() -> ManualClock:
    # later than the versions that are made now, by AWS's own clock
    return ManualClock(4_000_000_000.0)


@pytest.fixture
def world(cloud: Cloud | None, clock: ManualClock) -> World:
    if cloud is not None and not cloud.endpoint:
        pytest.skip("moto answers the SDK only")
    return MemoryWorld() if cloud is None else AwsWorld(cloud, clock)


def test_the_current_version_has_a_key_id_of_eight_characters(world: World) -> None:
    secret = world.secrets.current()
    assert len(secret.key_id) == 8
    assert secret.value
    assert world.secrets.version(secret.key_id) == secret


def test_after_a_rotation_both_versions_are_in_use(world: World) -> None:
    first = world.secrets.current()
    world.rotate()
    second = world.secrets.current()
    assert second.key_id != first.key_id
    assert second.value != first.value
    assert world.secrets.version(first.key_id) == first
    assert world.secrets.version(second.key_id) == second


def test_after_two_rotations_the_first_version_is_out_of_use(
    world: World, clock: ManualClock
) -> None:
    first = world.secrets.current()
    world.rotate()
    world.rotate()
    assert world.secrets.current() != first
    clock.advance(REREAD)
    assert world.secrets.version(first.key_id) is None


def test_an_unknown_key_id_has_no_secret(world: World) -> None:
    assert world.secrets.version("00000000") is None
    assert world.secrets.version("") is None
