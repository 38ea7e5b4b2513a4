"""The ports Archive, Signer, PublicKeys, PassedLog: the memory twins and AWS alike."""

from __future__ import annotations

import hashlib
import time
import uuid
from dataclasses import dataclass, replace

import pytest
from awscrt.crypto import EC

from hatchway.core.errors import DoesNotExistException, MalformedRecording
from lambdas.adapters import archive as adapters
from lambdas.adapters.archive import ArchiveBucket, KmsPublicKeys, KmsSigner, LogPassed
from lambdas.memory.archive import KEY, MemoryArchive, MemoryPassedLog, MemorySigner
from lambdas.memory.recordings import MemoryRecordings
from lambdas.ports import Archive, PassedLog, PublicKeys, Signer
from tests.contract.cloud import Cloud

SESSION = "ann-0123456789abcdef0"
#: CloudWatch Logs takes no events of two weeks ago.
AT = int(time.time() * 1000) - 60_000


@pytest.fixture
def archive(cloud: Cloud | None) -> Archive:
    if cloud is None:
        return MemoryArchive()
    client, name = cloud.client("s3"), f"archive-{uuid.uuid4().hex}"
    client.create_bucket(Bucket=name)
    return ArchiveBucket(name, client)


def test_what_was_put_is_got_and_the_newest_counts(archive: Archive) -> None:
    assert archive.get("recordings/a") is None
    archive.put("recordings/a", b"one")
    archive.put("recordings/a", b"two")
    assert archive.get("recordings/a") == b"two"


def test_an_object_that_is_too_large_is_refused(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (adapters, __import__("lambdas.memory.archive", fromlist=["MAX_OBJECT"])):
        monkeypatch.setattr(module, "MAX_OBJECT", 4)  # not sixteen megabytes for each world
    archive.put("fits", b"four")
    archive.put("large", b"fives")
    assert archive.get("fits") == b"four"
    with pytest.raises(MalformedRecording):
        archive.get("large")


def test_names_come_in_their_order_page_by_page(
    cloud: Cloud | None, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    if cloud is None:
        archive = MemoryArchive(page=2)
    monkeypatch.setattr(adapters, "MAX_NAMES", 2)
    wanted = [f"day/{n}" for n in range(5)]
    for name in (*reversed(wanted), "other/1"):
        archive.put(name, b"x")
    found, token = list[str](), ""
    while True:
        page = archive.names("day/", token)
        assert len(page.names) <= 2
        found += page.names
        token = page.next_token
        if not token:
            break
    assert found == wanted


@dataclass
class Keys:
    signer: Signer
    public: PublicKeys


@pytest.fixture
def keys(cloud: Cloud | None) -> Keys:
    if cloud is None:
        both = MemorySigner()
        return Keys(both, both)
    if not cloud.endpoint:
        pytest.skip("moto hashes what it signs, also where that is a digest already")
    client = cloud.client("kms")
    key = client.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    return Keys(KmsSigner(key, client), KmsPublicKeys(key, client))


def test_a_signature_is_right_by_the_key_that_it_names(keys: Keys) -> None:
    digest = hashlib.sha256(b"manifest").digest()
    signature = keys.signer.sign(digest)
    assert signature.algorithm == "ECDSA_SHA_256"
    checker = EC.new_key_from_der_data(keys.public.public_key(signature.key))
    assert checker.verify(digest, signature.value)
    assert not checker.verify(hashlib.sha256(b"other").digest(), signature.value)


def test_a_signer_knows_what_it_made(keys: Keys) -> None:
    digest = hashlib.sha256(b"manifest").digest()
    signature = keys.signer.sign(digest)
    assert keys.signer.made(digest, signature)
    assert not keys.signer.made(hashlib.sha256(b"other").digest(), signature)
    assert not keys.signer.made(digest, replace(signature, value=b"none"))
    assert not keys.signer.made(digest, replace(signature, key=signature.key + "-another"))


def test_another_key_is_none_of_ours(keys: Keys) -> None:
    with pytest.raises(DoesNotExistException):
        keys.public.public_key(KEY + "-another")


@pytest.fixture
def passed(cloud: Cloud | None) -> PassedLog:
    events = [(AT + n, f"event {n}") for n in range(5)]
    if cloud is None:
        recordings = MemoryRecordings()
        for at, text in events:
            recordings.append(SESSION, text, at)
        return MemoryPassedLog(recordings, page=2)
    client, group = cloud.client("logs"), f"/hatchway/{uuid.uuid4().hex}"
    client.create_log_group(logGroupName=group)
    client.create_log_stream(logGroupName=group, logStreamName=SESSION)
    client.put_log_events(
        logGroupName=group,
        logStreamName=SESSION,
        logEvents=[{"timestamp": at, "message": text} for at, text in events],
    )
    return LogPassed(group, client)


def read(log: PassedLog, since: int, session: str = SESSION) -> list[tuple[int, str]]:
    found, token = list[tuple[int, str]](), ""
    for _ in range(20):
        page = log.read(session, since, token)
        found += page.events
        token = page.next_token
        if not token:
            return found
    raise AssertionError("the log has no end")


def test_events_are_read_from_a_moment_to_the_end(passed: PassedLog) -> None:
    assert read(passed, 0) == [(AT + n, f"event {n}") for n in range(5)]
    assert read(passed, AT + 3) == [(AT + 3, "event 3"), (AT + 4, "event 4")]
    assert read(passed, AT + 5) == []


def test_a_session_of_which_nothing_passed_has_no_events(passed: PassedLog) -> None:
    assert read(passed, 0, "bob-0123456789abcdef0") == []
