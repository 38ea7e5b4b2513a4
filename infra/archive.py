"""The archive's queue: sessions to look at, from the clock, from ends, from failed recordings."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.config import Config
from infra.findings import accept
from infra.function import FamilyFunction

#: Minutes until a message comes again; AWS advises six times the function's timeout.
VISIBILITY = 30
#: Sessions that one invocation looks at, and invocations at once: GetLogEvents takes 25 calls a
#: second of an account, and a new account has ten executions in all.
BATCH, AT_ONCE = 5, 4
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

    def serve(self, config: Config, archive: FamilyFunction, bus: events.IEventBus) -> None:
        """Looks for the function: each minute, and at the end of each session."""
        archive.function.add_event_source(
            sources.SqsEventSource(
                self.queue,
                batch_size=BATCH,
                max_concurrency=AT_ONCE,
                report_batch_item_failures=True,
            )
        )
        events.Rule(
            self,
            "EveryMinute",
            rule_name=config.name("archive"),
            description=f"Hatchway {config.stage}: recordings of what runs go into the archive",
            schedule=events.Schedule.rate(Duration.minutes(1)),
            targets=[targets.LambdaFunction(archive.function, retry_attempts=0)],
        )
        events.Rule(
            self,
            "Ends",
            rule_name=config.name("archive-ends"),
            description=f"Hatchway {config.stage}: recordings of what ended go into the archive",
            event_bus=bus,
            event_pattern=events.EventPattern(
                source=["hatchway"],
                detail_type=["Session State Change"],
                detail={"status": ["Terminated", "Failed"]},
            ),
            targets=[
                targets.SqsQueue(
                    self.queue,
                    message=events.RuleTargetInput.from_object(
                        {
                            "v": 1,
                            "why": "ended",
                            "session": events.EventField.from_path("$.detail.sessionId"),
                        }
                    ),
                )
            ],
        )
