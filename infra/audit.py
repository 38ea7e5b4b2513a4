"""The audit trail: what functions and gateways write, gathered, kept for looking up and for long.

Functions write a record as a line of their log; a subscription of the log group brings it to the
family `audit`. What API Gateway refuses by itself comes from its access logs in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Duration, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_logs as logs
from aws_cdk import aws_logs_destinations as log_destinations
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.config import Config
from infra.findings import accept
from infra.function import FamilyFunction

#: The word that lines with a record have; `lambdas/trail.py` writes it.
MARK = "hatchwayAudit"
#: Access logs write `-` for a value that is not there.
REFUSED = '{ $.gatewayError != "-" }'
#: Seconds in which records are collected for one object, and most messages in it.
WINDOW, BATCH = 60, 1000
#: How often a batch of the queue comes before it is put aside.
ATTEMPTS = 5
#: Hours for which Lambda tries to hand over a batch of a subscription.
HAND_OVER = 6
PREFIX = "audit"


class AuditTrail(Construct):
    """Queue, subscriptions, and what the function may do. What it could not do is kept."""

    def __init__(self, scope: Construct, config: Config, audit: FamilyFunction) -> None:
        super().__init__(scope, "AuditTrail")
        self._config, self._audit = config, audit
        self.dead = self._dead("Dead", "audit-dead")
        self.ungathered = self._dead("Ungathered", "audit-ungathered")
        self.queue = self._queue()
        audit.function.configure_async_invoke(
            on_failure=destinations.SqsDestination(self.ungathered),
            retry_attempts=2,
            max_event_age=Duration.hours(HAND_OVER),
        )

    def follow(
        self, functions: Sequence[FamilyFunction], access_logs: Sequence[logs.LogGroup]
    ) -> None:
        """Subscribes to what the functions write, and to what the gateways refuse."""
        for function in functions:
            self._subscribe(function.log_group, logs.FilterPattern.all_terms(MARK))
        for group in access_logs:
            self._subscribe(group, logs.FilterPattern.literal(REFUSED))

    def keep(self, bucket: s3.IBucket, key: kms.IKey) -> None:
        """Lets the function write under its prefix, and to no other object."""
        audit = self._audit
        audit.grant(
            "s3:PutObject",
            on=[self._objects()],
            wildcard="Objects are named by their time; one prefix of one bucket.",
        )
        stack = Stack.of(self)
        through_s3 = {"kms:ViaService": f"s3.{stack.region}.{stack.url_suffix}"}
        audit.grant("kms:GenerateDataKey", on=[key.key_arn], when={"StringEquals": through_s3})
        audit.grant("sqs:SendMessage", on=[self.queue.queue_arn])
        audit.function.add_environment("AUDIT_QUEUE", self.queue.queue_url)

    def _objects(self) -> str:
        """By name: what another stack exports, cdk-nag knows by another name than we do."""
        stack = Stack.of(self)
        name = self._config.archive(stack.account, stack.region)
        return f"arn:{stack.partition}:s3:::{name}/{PREFIX}/*"

    def _subscribe(self, group: logs.LogGroup, pattern: logs.IFilterPattern) -> None:
        logs.SubscriptionFilter(
            group,
            "Audit",
            log_group=group,
            destination=log_destinations.LambdaDestination(self._audit.function),
            filter_pattern=pattern,
            filter_name=self._config.name("audit"),
        )

    def _queue(self) -> sqs.Queue:
        queue = sqs.Queue(
            self,
            "Queue",
            queue_name=self._config.name("audit"),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            # AWS advises six times the function's timeout, and the window besides.
            visibility_timeout=Duration.seconds(6 * 60 + WINDOW),
            retention_period=Duration.days(4),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead, max_receive_count=ATTEMPTS),
        )
        self._audit.function.add_event_source(
            sources.SqsEventSource(
                queue, batch_size=BATCH, max_batching_window=Duration.seconds(WINDOW)
            )
        )
        return queue

    def _dead(self, construct_id: str, name: str) -> sqs.Queue:
        queue = sqs.Queue(
            self,
            construct_id,
            queue_name=self._config.name(name),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        accept(queue, "AwsSolutions-SQS3", "This is the dead-letter queue.")
        return queue
