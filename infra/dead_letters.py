"""Queues for what could not be delivered, kept for as long as SQS keeps anything."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.findings import accept

KEPT = Duration.days(14)


def dead_letters(scope: Construct, name: str) -> sqs.Queue:
    """`Untold` below `scope`. Whoever makes one has it watched (infra/alarms.py)."""
    queue = sqs.Queue(
        scope,
        "Untold",
        queue_name=name,
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        retention_period=KEPT,
    )
    accept(queue, "AwsSolutions-SQS3", "This is the dead-letter queue.")
    return queue
