"""The port Later, memory and SQS alike: a message that names what went, held back until then."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from hatchway.core.errors import InternalServerError
from lambdas.adapters import sqs
from lambdas.adapters.sqs import MAX_DELAY, SqsLater
from lambdas.memory.later import MemoryLater
from lambdas.ports import Disconnection, Later
from tests.contract.cloud import Cloud

GONE = Disconnection(
    node_id="i-0123456789abcdef0",
    presence_session="a4666d2a7d844ae4ac5d7b38c9cb7967",
    presence_version=17,
)


@dataclass(frozen=True)
class Queue:
    """A queue and who sends to it; what waits in it, and what can be had now."""

    cloud: Cloud | None
    url: str
    later: Later

    def waiting(self) -> int:
        if isinstance(self.later, MemoryLater):
            return sum(seconds > 0 for _, seconds in self.later.asked)
        assert self.cloud is not None
        name = "ApproximateNumberOfMessagesDelayed"
        client = self.cloud.client("sqs")
        answer = client.get_queue_attributes(QueueUrl=self.url, AttributeNames=[name])
        return int(answer["Attributes"][name])

    def there(self) -> Sequence[Disconnection]:
        if isinstance(self.later, MemoryLater):
            return [gone for gone, seconds in self.later.asked if seconds == 0]
        assert self.cloud is not None
        answer = self.cloud.client("sqs").receive_message(QueueUrl=self.url, MaxNumberOfMessages=10)
        return [sqs.read(message["Body"]) for message in answer.get("Messages", ())]


@pytest.fixture
def queue(cloud: Cloud | None) -> Queue:
    if cloud is None:
        return Queue(None, "", MemoryLater())
    client = cloud.client("sqs")
    url = client.create_queue(QueueName=f"hatchway-{uuid.uuid4().hex}")["QueueUrl"]
    return Queue(cloud, url, SqsLater(url, client=client))


class TestLater:
    def test_a_look_is_held_back(self, queue: Queue) -> None:
        queue.later.look_again(GONE, 45)
        assert (queue.waiting(), queue.there()) == (1, [])

    def test_what_comes_names_the_disconnection(self, queue: Queue) -> None:
        queue.later.look_again(GONE, 0)
        assert queue.there() == [GONE]

    def test_asking_twice_is_looking_twice(self, queue: Queue) -> None:
        queue.later.look_again(GONE, 45)
        queue.later.look_again(GONE, 45)
        assert queue.waiting() == 2

    def test_it_is_at_most_fifteen_minutes_ahead(self, queue: Queue) -> None:
        queue.later.look_again(GONE, MAX_DELAY)
        for seconds in (-1, MAX_DELAY + 1):
            with pytest.raises(ValueError, match="900"):
                queue.later.look_again(GONE, seconds)
        assert queue.waiting() == 1

    def test_a_queue_that_is_not_there_is_an_error_of_ours(self, queue: Queue) -> None:
        if isinstance(queue.later, MemoryLater):
            queue.later.failure = InternalServerError()
        else:
            assert queue.cloud is not None
            queue.cloud.client("sqs").delete_queue(QueueUrl=queue.url)
        with pytest.raises(InternalServerError):
            queue.later.look_again(GONE, 45)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "{}",
        '{"v": 2, "node": "i-0", "presenceSession": "s", "presenceVersion": 1}',
        '{"v": 1, "presenceSession": "s", "presenceVersion": 1}',
        '{"v": 1, "node": "i-0", "presenceSession": null, "presenceVersion": 1}',
        '{"v": 1, "node": "i-0", "presenceSession": "s", "presenceVersion": "1"}',
    ],
)
def test_another_body_is_no_disconnection(body: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        sqs.read(body)
