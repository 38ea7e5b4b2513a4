"""The ports LogGroups, Buckets, Encryption and Leases, memory and AWS alike."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import pytest

from hatchway.core.errors import LogDestinationAbsent
from lambdas.adapters.destinations import PART, AwsEncryption, CloudWatchGroups, S3Buckets
from lambdas.adapters.leases import TableLeases
from lambdas.memory.clock import ManualClock
from lambdas.memory.destinations import MemoryDestinations, MemoryLeases
from lambdas.ports import CLAIM, Buckets, Busy, Encryption, Leases, LogGroups
from tests.contract.cloud import Cloud


@dataclass(frozen=True)
class Places:
    """A log group and a bucket each with and without a key, and the ports."""

    cloud: Cloud | None
    memory: MemoryDestinations
    groups: LogGroups
    buckets: Buckets
    encryption: Encryption
    plain: str
    sealed: str

    def events(self, group: str, stream: str) -> list[tuple[int, str]]:
        if self.cloud is None:
            return self.memory.events[group, stream]
        found = self.cloud.client("logs").get_log_events(
            logGroupName=group, logStreamName=stream, startFromHead=True
        )
        return [(each["timestamp"], each["message"]) for each in found["events"]]

    def object(self, bucket: str, key: str) -> bytes:
        if self.cloud is None:
            return self.memory.objects[bucket, key]
        found = self.cloud.client("s3").get_object(Bucket=bucket, Key=key)
        body: bytes = found["Body"].read()
        return body


@pytest.fixture
def places(cloud: Cloud | None) -> Places:
    plain, sealed = (f"hatchway-{uuid.uuid4().hex}" for _ in range(2))
    memory = MemoryDestinations()
    if cloud is None:
        memory.groups = memory.buckets = {plain: False, sealed: True}
        return Places(None, memory, memory, memory, memory, plain, sealed)
    logs, s3 = cloud.client("logs"), cloud.client("s3")
    key = cloud.client("kms").create_key()["KeyMetadata"]
    for name in (plain, sealed):
        s3.create_bucket(Bucket=name)
    logs.create_log_group(logGroupName=plain)
    logs.create_log_group(logGroupName=sealed, kmsKeyId=key["Arn"])
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
    s3.put_bucket_encryption(Bucket=sealed, ServerSideEncryptionConfiguration={"Rules": [rule]})
    owner = cloud.client("sts").get_caller_identity()["Account"]
    return Places(
        cloud,
        memory,
        CloudWatchGroups(client=logs),
        S3Buckets(owner, client=s3),
        AwsEncryption(owner, s3=s3, logs=logs),
        plain,
        sealed,
    )


class TestLogGroups:
    def test_a_stream_is_made_when_the_first_events_come(self, places: Places) -> None:
        now = 1_795_000_000_000
        events = [(now, "one"), (now, "two")]
        places.groups.append(places.plain, "john-1", events)
        places.groups.append(places.plain, "john-1", [(now + 1, "three")])
        assert [text for _, text in places.events(places.plain, "john-1")] == [
            "one",
            "two",
            "three",
        ]

    def test_a_log_group_that_is_not_there_is_absent(self, places: Places) -> None:
        with pytest.raises(LogDestinationAbsent):
            places.groups.append(f"{places.plain}-else", "john-1", [(0, "one")])


class TestBuckets:
    @pytest.mark.parametrize("size", [0, 10, PART, 2 * PART + 10])
    def test_parts_become_one_object(self, places: Places, size: int) -> None:
        parts = [b"x" * min(1 << 20, size - at) for at in range(0, size, 1 << 20)]
        places.buckets.put(places.sealed, "logs/john-1.log", iter(parts))
        assert places.object(places.sealed, "logs/john-1.log") == b"x" * size

    def test_a_bucket_that_is_not_there_is_absent(self, places: Places) -> None:
        with pytest.raises(LogDestinationAbsent):
            places.buckets.put(f"{places.plain}-else", "john-1.log", [b"x"])


class TestEncryption:
    def test_a_log_group_with_a_key_is_encrypted(self, places: Places) -> None:
        assert places.encryption.group(places.sealed)
        assert not places.encryption.group(places.plain)

    def test_a_bucket_with_a_default_is_encrypted(self, places: Places) -> None:
        assert places.encryption.bucket(places.sealed)

    def test_what_is_not_there_is_absent(self, places: Places) -> None:
        with pytest.raises(LogDestinationAbsent):
            places.encryption.group(places.plain[:-1])
        with pytest.raises(LogDestinationAbsent):
            places.encryption.bucket(f"{places.plain}-else")


@pytest.fixture
def leases(cloud: Cloud | None, clock: ManualClock) -> Leases:
    if cloud is None:
        return MemoryLeases(clock)
    return TableLeases(cloud.table(), clock, cloud.client("dynamodb"))


class TestLeases:
    def test_one_holds_it_at_a_time(self, leases: Leases) -> None:
        with leases.hold("s", 10.0), pytest.raises(Busy), leases.hold("s", 10.0):
            pass
        with leases.hold("s", 10.0), leases.hold("other", 10.0):
            pass

    def test_one_that_died_lets_go_after_its_time(self, leases: Leases, clock: ManualClock) -> None:
        held = leases.hold("s", 10.0)
        held.__enter__()
        clock.advance(12.0)
        with leases.hold("s", 10.0):
            pass

    def test_what_is_done_once_is_done_again_after_its_time(
        self, leases: Leases, clock: ManualClock
    ) -> None:
        with leases.once("s/told", 3600.0) as first:
            assert first
        clock.advance(3590.0)
        with leases.once("s/told", 3600.0) as again, leases.once("other", 3600.0) as another:
            assert (again, another) == (False, True)
        clock.advance(20.0)
        with leases.once("s/told", 3600.0) as first:
            assert first

    def test_one_does_at_a_time_what_is_done_once(self, leases: Leases) -> None:
        with leases.once("s/told", 3600.0), leases.once("s/told", 3600.0) as second:
            assert not second

    def test_what_raised_or_died_was_not_done(self, leases: Leases, clock: ManualClock) -> None:
        with pytest.raises(Busy), leases.once("s/told", 3600.0):
            raise Busy
        died = leases.once("s/told", 3600.0)
        assert died.__enter__()
        clock.advance(CLAIM + 2.0)
        with leases.once("s/told", 3600.0) as first:
            assert first
