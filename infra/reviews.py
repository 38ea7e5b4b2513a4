"""What has permissions looked at again: the clock, and changes of IAM and of instances' tags.

An event says only that something changed; many of them become one review.
"""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.config import Config
from infra.findings import accept
from infra.function import FamilyFunction

#: Seconds in which changes are collected before one review looks at them all.
COLLECT = 5
#: Most changes that one review stands for; SQS's own limit.
BATCH = 10_000
#: Reviews of changes at once; EventBridge's minute comes besides. AWS's least.
AT_ONCE = 2
#: All that changes what a user or role may do. Names of IAM's API.
IAM_CHANGES = (
    "AddUserToGroup",
    "AttachGroupPolicy",
    "AttachRolePolicy",
    "AttachUserPolicy",
    "CreatePolicyVersion",
    "DeleteGroupPolicy",
    "DeleteRole",
    "DeleteRolePermissionsBoundary",
    "DeleteRolePolicy",
    "DeleteUser",
    "DeleteUserPermissionsBoundary",
    "DeleteUserPolicy",
    "DetachGroupPolicy",
    "DetachRolePolicy",
    "DetachUserPolicy",
    "PutGroupPolicy",
    "PutRolePermissionsBoundary",
    "PutRolePolicy",
    "PutUserPermissionsBoundary",
    "PutUserPolicy",
    "RemoveUserFromGroup",
    "SetDefaultPolicyVersion",
    "TagRole",
    "TagUser",
    "UntagRole",
    "UntagUser",
    "UpdateGroup",
    "UpdateUser",
)


class Reviews(Construct):
    """The clock is what can be relied on: an event that is late or lost costs a minute."""

    def __init__(self, scope: Construct, config: Config, review: FamilyFunction) -> None:
        super().__init__(scope, "Reviews")
        self._config = config
        self._every_minute(review)
        self.queue = changes = self._queue(review)
        # IAM is in us-east-1: elsewhere this rule waits for a rule there that passes its events on.
        self._on(changes, "iam-changes", "permissions", _iam_pattern())
        self._on(changes, "tag-changes", "instances' tags", _tag_pattern())

    def _every_minute(self, review: FamilyFunction) -> None:
        events.Rule(
            self,
            "EveryMinute",
            rule_name=self._config.name("review"),
            description=f"Hatchway {self._config.stage}: ends what is not permitted any more",
            schedule=events.Schedule.rate(Duration.minutes(1)),
            targets=[targets.LambdaFunction(review.function, retry_attempts=0)],
        )

    def _queue(self, review: FamilyFunction) -> sqs.Queue:
        queue = sqs.Queue(
            self,
            "Changes",
            queue_name=self._config.name("changes"),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            # What waited longer has been looked at by the clock.
            retention_period=Duration.minutes(5),
            visibility_timeout=Duration.minutes(2),
        )
        accept(
            queue,
            "AwsSolutions-SQS3",
            "A change that cannot be delivered is found by the review of the next minute.",
        )
        review.function.add_event_source(
            sources.SqsEventSource(
                queue,
                batch_size=BATCH,
                max_batching_window=Duration.seconds(COLLECT),
                max_concurrency=AT_ONCE,
            )
        )
        return queue

    def _on(self, queue: sqs.IQueue, name: str, what: str, pattern: events.EventPattern) -> None:
        events.Rule(
            self,
            name.title().replace("-", ""),
            rule_name=self._config.name(name),
            description=f"Hatchway {self._config.stage}: {what} changed, so look at all sessions",
            event_pattern=pattern,
            targets=[
                targets.SqsQueue(
                    queue, message=events.RuleTargetInput.from_object({"changed": what})
                )
            ],
        )


def _iam_pattern(names: Sequence[str] = IAM_CHANGES) -> events.EventPattern:
    return events.EventPattern(
        source=["aws.iam"],
        detail_type=["AWS API Call via CloudTrail"],
        detail={"eventSource": ["iam.amazonaws.com"], "eventName": list(names)},
    )


def _tag_pattern() -> events.EventPattern:
    return events.EventPattern(
        source=["aws.tag"],
        detail_type=["Tag Change on Resource"],
        detail={"service": ["ec2"], "resource-type": ["instance"]},
    )
