"""Word of changes to what recordings rest on: functions, keys, log groups, bucket, and these rules.

They come from CloudTrail's management events: an account without a trail that logs them gets none.
A deployment changes functions as well, and says so; whoever gets the text knows of it, or asks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import Fn, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from infra.config import Config
from infra.function import FamilyFunction
from infra.notifications import NEWS
from infra.records import Records

#: What `lambdas/notify/handler.py` takes for urgent.
KIND = "Evidence Changed"
#: Lambda's event names end in the date of its API.
FUNCTION_CHANGES = (
    "UpdateFunctionCode",
    "UpdateFunctionConfiguration",
    "DeleteFunction",
    "AddPermission",
    "RemovePermission",
    "PutFunctionEventInvokeConfig",
)
KEY_CHANGES = ("PutKeyPolicy", "ScheduleKeyDeletion", "DisableKey", "CreateGrant")
LOG_CHANGES = (
    "DeleteLogGroup",
    "DeleteLogStream",
    "PutRetentionPolicy",
    "DeleteRetentionPolicy",
    "DisassociateKmsKey",
    "DeleteSubscriptionFilter",
)
BUCKET_CHANGES = (
    "DeleteBucket",
    "DeleteBucketEncryption",
    "DeleteBucketPolicy",
    "PutBucketEncryption",
    "PutBucketLifecycle",
    "PutBucketObjectLockConfiguration",
    "PutBucketPolicy",
    "PutBucketReplication",
    "PutBucketVersioning",
)
RULE_CHANGES = ("DeleteRule", "DisableRule", "PutRule", "RemoveTargets")

Detail = Mapping[str, object]


class Tampering(Construct):
    """One rule for each kind of thing, on the account's default bus."""

    def __init__(
        self, scope: Construct, config: Config, notify: FamilyFunction, records: Records
    ) -> None:
        super().__init__(scope, "Tampering")
        self._config, self._notify = config, notify
        ours = config.name("*")
        prefixes = [{"prefix": name} for name in FUNCTION_CHANGES]
        # A function is named by its name or by its ARN.
        function = {"functionName": [{"wildcard": ours}, {"wildcard": f"arn:*:function:{ours}"}]}
        self._rule("functions", "lambda", prefixes, function)
        # A key by its id or by its ARN. The names of the rest are the deployment's own.
        keys = [each.key_arn for each in (records.key, records.signing, records.sealing)]
        ids = [Fn.select(1, Fn.split("/", arn)) for arn in keys]
        self._rule("keys", "kms", KEY_CHANGES, {"keyId": [*keys, *ids]})
        groups = [config.recordings, config.session_log, config.audit_log]
        self._rule("logs", "logs", LOG_CHANGES, {"logGroupName": groups})
        stack = Stack.of(self)
        bucket = {"bucketName": [config.archive(stack.account, stack.region)]}
        self._rule("archive", "s3", BUCKET_CHANGES, bucket)
        self._rule("rules", "events", RULE_CHANGES, {"name": [{"wildcard": ours}]})

    def _rule(self, what: str, service: str, names: Sequence[object], parameters: Detail) -> None:
        rule = events.Rule(
            self,
            what.title(),
            rule_name=self._config.name(f"changed-{what}"),
            description=f"Hatchway {self._config.stage}: somebody changed {what} of recordings",
            event_pattern=events.EventPattern(
                source=[f"aws.{service}"],
                detail_type=["AWS API Call via CloudTrail"],
                detail={
                    "eventSource": [f"{service}.amazonaws.com"],
                    "eventName": list(names),
                    "requestParameters": dict(parameters),
                },
            ),
        )
        rule.add_target(
            targets.LambdaFunction(self._notify.function, event=self._text(), max_event_age=NEWS)
        )

    def _text(self) -> events.RuleTargetInput:
        path = events.EventField.from_path
        who, name = path("$.detail.userIdentity.arn"), path("$.detail.eventName")
        summary = (
            f"Hatchway {self._config.stage}: {who} called {name} on what recordings rest on. "
            f"At {path('$.detail.eventTime')}, from {path('$.detail.sourceIPAddress')}; CloudTrail "
            f"has it as {path('$.detail.eventID')}."
        )
        return events.RuleTargetInput.from_object(
            {"detail-type": KIND, "id": path("$.id"), "detail": {"summary": summary}}
        )
