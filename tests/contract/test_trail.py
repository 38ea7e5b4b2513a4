"""The ports TrailLog, RecordQueue and TrailObjects: the memory twins and AWS alike."""

from __future__ import annotations

import gzip
import json
import time
import uuid
from collections.abc import Sequence
from typing import Any

import pytest

from hatchway.core.errors import DoesNotExistException, InvalidNextToken
from lambdas.adapters import trail as adapters
from lambdas.adapters.trail import LogGroup, Objects, Queue, read
from lambdas.memory.trail import MemoryRecordQueue, MemoryTrailLog, MemoryTrailObjects
from lambdas.ports import Kept, RecordQueue, TrailLog, TrailObjects
from tests.contract.cloud import Cloud

#: CloudWatch Logs takes no events of two weeks ago.
AT = int(time.time() * 1000) - 60_000


def record(number: int, word: str = "web") -> Kept:
    text = json.dumps({"number": number, "word": word, "eventName": "StartSession"})
    return Kept(text=text, time=AT + number * 1000)


@pytest.fixture
def log(cloud: Cloud | None) -> TrailLog:
    if cloud is None:
        return MemoryTrailLog()
    client, group = cloud.client("logs"), f"/hatchway/{uuid.uuid4().hex}"
    client.create_log_group(logGroupName=group)
    return LogGroup(group, client)


def found(log: TrailLog, since: int, until: int, *words: str) -> list[int]:
    """Numbers of the records, from all pages."""
    numbers, token = list[int](), ""
    for _ in range(20):
        page = log.read(since, until, words, token)
        numbers += [json.loads(each)["number"] for each in page.records]
        token = page.next_token
        if not token:
            return numbers
    raise AssertionError("the trail has no end")


def test_what_was_appended_is_read_oldest_first_whatever_its_order_was(log: TrailLog) -> None:
    log.append([record(2), record(0)])
    log.append([record(1)])
    assert found(log, AT, AT + 60_000) == [0, 1, 2]


def test_a_time_has_both_its_ends(log: TrailLog) -> None:
    log.append([record(number) for number in range(5)])
    assert found(log, AT + 1000, AT + 3000) == [1, 2, 3]
    assert found(log, AT + 9000, AT + 20_000) == []


def test_all_words_must_be_in_a_record(log: TrailLog, cloud: Cloud | None) -> None:
    log.append([record(0, "web"), record(1, "db"), record(2, "web")])
    assert found(log, AT, AT + 60_000, "web") == [0, 2]
    if cloud is not None and not cloud.endpoint:
        pytest.skip("moto takes several words for one")
    assert found(log, AT, AT + 60_000, "web", "StartSession") == [0, 2]
    assert found(log, AT, AT + 60_000, "web", "EndSession") == []


def test_many_records_come_in_pages(
    log: TrailLog, cloud: Cloud | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if cloud is not None and cloud.endpoint:
        pytest.skip("the embedded AWS gives one page of FilterLogEvents, and no token")
    monkeypatch.setattr(adapters, "PAGE", 3)
    log.append([record(number) for number in range(10)])
    assert len(log.read(AT, AT + 60_000, (), "").records) == 3
    assert found(log, AT, AT + 60_000) == list(range(10))


def test_nothing_is_appended_without_a_word(log: TrailLog) -> None:
    log.append([])
    assert found(log, 0, AT + 60_000) == []


def test_a_log_group_that_is_not_there_is_an_error_of_its_own(cloud: Cloud | None) -> None:
    if cloud is None:
        pytest.skip("memory is always there")
    gone = LogGroup(f"/hatchway/{uuid.uuid4().hex}", cloud.client("logs"))
    with pytest.raises(DoesNotExistException):
        gone.read(0, AT, (), "")


def test_memory_refuses_a_token_that_is_none(cloud: Cloud | None) -> None:
    if cloud is not None:
        pytest.skip("neither moto nor the embedded AWS looks at a token")
    with pytest.raises(InvalidNextToken):
        MemoryTrailLog().read(0, AT, (), "other")


class Bodies:
    """A queue, and what lies in it."""

    def __init__(self, queue: RecordQueue, client: Any = None, url: str = "") -> None:
        self.queue, self._client, self._url = queue, client, url

    @property
    def records(self) -> Sequence[Kept]:
        if isinstance(self.queue, MemoryRecordQueue):
            return self.queue.records
        kept = list[Kept]()
        for _ in range(20):
            answer = self._client.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10)
            if not answer.get("Messages"):
                break
            for message in answer["Messages"]:
                kept += read(message["Body"])
        return kept


@pytest.fixture
def bodies(cloud: Cloud | None) -> Bodies:
    if cloud is None:
        return Bodies(MemoryRecordQueue())
    client = cloud.client("sqs")
    url = client.create_queue(QueueName=uuid.uuid4().hex)["QueueUrl"]
    return Bodies(Queue(url, client), client, url)


def test_what_is_queued_comes_out_whole_in_messages_that_sqs_takes(bodies: Bodies) -> None:
    records = [record(number, 'quote" and \\ and \u202e' * 400) for number in range(40)]
    bodies.queue.put(records)
    out = sorted(bodies.records, key=lambda each: each.time)
    assert out == records


def test_nothing_is_queued_for_nothing(bodies: Bodies) -> None:
    bodies.queue.put([])
    assert list(bodies.records) == []


def test_an_object_is_written_once_under_its_key(cloud: Cloud | None) -> None:
    objects: TrailObjects
    content = gzip.compress(b'{"Records": []}')
    if cloud is None:
        memory = objects = MemoryTrailObjects()
        objects.write("audit/1.json.gz", content)
        assert memory.objects == {"audit/1.json.gz": content}
        return
    client, bucket = cloud.client("s3"), f"archive-{uuid.uuid4().hex}"
    account = "000000000000" if cloud.endpoint else "123456789012"
    client.create_bucket(Bucket=bucket)
    objects = Objects(bucket, account, client)
    for _ in range(2):
        objects.write("audit/1.json.gz", content)
    stored = client.get_object(Bucket=bucket, Key="audit/1.json.gz")
    assert stored["Body"].read() == content
    assert stored["ContentEncoding"] == "gzip"
    assert client.list_objects_v2(Bucket=bucket)["KeyCount"] == 1
