"""The archive's queue: sessions to look at, from the clock, from ends, from failed recordings."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.config import Config
from infra.findings import accept

#: Minutes until a message comes again; AWS advises six times the function's timeout.
VISIBILITY = 30
#: How often it comes before it is put aside.
ATTEMPTS = 4


class ArchiveQueue(Construct):
    """A session that fails every time is put aside for two weeks, and an alarm says so."""

    def __init__(self, scope: Construct, config: Config) -> None:
        super().__init__(scope, "ArchiveQueue")
        self.dead = sqs.Queue(
            self,
            "Dead",
            queue_name=config.name("archive-dead"),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        accept(self.dead, "AwsSolutions-SQS3", "This is the dead-letter queue.")
        self.queue = sqs.Queue(
            self,
            "Queue",
            queue_name=config.name("archive"),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            visibility_timeout=Duration.minutes(VISIBILITY),
            retention_period=Duration.days(4),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead, max_receive_count=ATTEMPTS),
        )
