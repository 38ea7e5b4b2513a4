"""What the SNS topic sends while something happens: read through a queue made for the purpose."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from mypy_boto3_sqs import SQSClient

from local.emulator import ACCOUNT, REGION, Emulator

#: The longest poll that SQS has, and the most messages in one.
_POLL = 20
_BATCH = 10


@dataclass(slots=True)
class Inbox:
    """A queue subscribed to the topic, and what it has received so far."""

    client: SQSClient
    queue_url: str
    received: list[str] = field(default_factory=list)

    def wait_for(self, wanted: Callable[[str], bool], seconds: float) -> list[str]:
        """All messages so far, once one of them is `wanted` or `seconds` are over."""
        deadline = time.monotonic() + seconds
        while not any(map(wanted, self.received)):
            left = deadline - time.monotonic()
            if left <= 0:
                break
            self._receive(min(_POLL, max(1, round(left))))
        return list(self.received)

    def _receive(self, seconds: int) -> None:
        answer = self.client.receive_message(
            QueueUrl=self.queue_url, WaitTimeSeconds=seconds, MaxNumberOfMessages=_BATCH
        )
        for message in answer.get("Messages", []):
            self.received.append(message["Body"])
            self.client.delete_message(
                QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"]
            )


@contextmanager
def inbox(emulator: Emulator, topic_arn: str) -> Iterator[Inbox]:
    """An inbox of its own for whoever asks, gone afterwards."""
    sqs = emulator.client("sqs")
    sns = emulator.client("sns")
    name = f"hatchway-inbox-{secrets.token_hex(6)}"
    url = sqs.create_queue(QueueName=name, Attributes={"Policy": _policy(name, topic_arn)})
    subscription = sns.subscribe(
        TopicArn=topic_arn,
        Protocol="sqs",
        Endpoint=_queue_arn(name),
        Attributes={"RawMessageDelivery": "true"},
        ReturnSubscriptionArn=True,
    )
    try:
        yield Inbox(sqs, url["QueueUrl"])
    finally:
        sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
        sqs.delete_queue(QueueUrl=url["QueueUrl"])


def _queue_arn(name: str) -> str:
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"


def _policy(name: str, topic_arn: str) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": _queue_arn(name),
        "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
