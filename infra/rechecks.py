"""A node that went is looked at again some seconds later: the queue from `nodes` to `sweep`."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.config import Config
from infra.findings import accept
from infra.function import FamilyFunction

#: Nodes that one invocation looks at. It begins with what is there: no window delays it.
BATCH = 10
#: Invocations at once, so that many nodes lost together leave room for others: a new account has
#: ten in all.
AT_ONCE = 5
#: Minutes until a message comes again; AWS advises six times the function's timeout.
VISIBILITY = 6
#: How often it comes before it is put aside.
ATTEMPTS = 3
#: Minutes that a message lives: its attempts, and room.
RETENTION = 60


class Rechecks(Construct):
    """The minute sweep is the safety net: a message that is lost costs a minute."""

    def __init__(self, scope: Construct, config: Config, sweep: FamilyFunction) -> None:
        super().__init__(scope, "Rechecks")
        dead = sqs.Queue(
            self,
            "Dead",
            queue_name=config.name("rechecks-dead"),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        accept(dead, "AwsSolutions-SQS3", "This is the dead-letter queue.")
        self.queue = sqs.Queue(
            self,
            "Queue",
            queue_name=config.name("rechecks"),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.minutes(RETENTION),
            visibility_timeout=Duration.minutes(VISIBILITY),
            dead_letter_queue=sqs.DeadLetterQueue(queue=dead, max_receive_count=ATTEMPTS),
        )
        sweep.function.add_event_source(
            sources.SqsEventSource(
                self.queue,
                batch_size=BATCH,
                max_concurrency=AT_ONCE,
                report_batch_item_failures=True,
            )
        )
        self._alarm(config.name("rechecks-dead"), dead)

    def _alarm(self, name: str, dead: sqs.Queue) -> None:
        waiting = dead.metric_approximate_number_of_messages_visible(
            period=Duration.minutes(5), statistic="Maximum"
        )
        waiting.create_alarm(
            self,
            "Waiting",
            alarm_name=name,
            alarm_description="A node that went could not be looked at again; see sweep's log.",
            threshold=1,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
