"""What somebody is woken for: alarms, and the topic that all of them tell."""

from __future__ import annotations

from aws_cdk import ArnFormat, Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.config import Config
from infra.notifications import subscribe

_CLOUDWATCH = "cloudwatch.amazonaws.com"
#: As `lambdas/telemetry.py` writes them: namespace, and the services of two families.
NAMESPACE, NODES_SERVICE, SWEEP_SERVICE = "Hatchway", "hatchway-nodes", "hatchway-sweep"
ARCHIVE_SERVICE = "hatchway-archive"
RELAY_SERVICE, UPLINK_SERVICE = "hatchway-relay", "hatchway-uplink"
#: Metric → who counts it, and what it means. One of them in five minutes is an alarm.
COUNTED = {
    "RecordingFailed": (
        ARCHIVE_SERVICE,
        "A session's recording was not stored, or a destination did not take its log.",
    ),
    "RecordingMismatch": (
        ARCHIVE_SERVICE,
        "A node or client sent other content under a number that it had used: tampering.",
    ),
    "OutputUnrecorded": (
        UPLINK_SERVICE,
        "What nodes printed was not recorded: the log group or the key that seals did not take it.",
    ),
    "InputUnrecorded": (
        RELAY_SERVICE,
        "What clients sent was not recorded: the log group or the key that seals did not take it.",
    ),
    "EnrolmentRefused": (NODES_SERVICE, "Somebody without the node's secret said to be a node."),
    "MessagesDropped": (
        NODES_SERVICE,
        "Messages reached an agent that were forged, old or not for it.",
    ),
    "Gaps": (
        NODES_SERVICE,
        "Output of a session was lost between a node and its client; the recording names the gap.",
    ),
    "SweepBehind": (
        SWEEP_SERVICE,
        "The sweep did not get to all sessions, or ended one two and a half minutes late.",
    ),
}
#: The audit family's count of denials, `denialsAlarm` of them in five minutes.
AUDIT_SERVICE = "hatchway-audit"
BURST = "Many calls were refused in five minutes: the audit trail says whose and why."
_PERIOD = Duration.minutes(5)


class Alarms(Construct):
    """The topic is encrypted with the notifications' key, and only CloudWatch writes to it."""

    def __init__(self, scope: Construct, config: Config, key: kms.Key) -> None:
        super().__init__(scope, "Alarms")
        self._config = config
        self.topic = sns.Topic(
            self,
            "Topic",
            topic_name=config.name("alarms"),
            display_name=f"Hatchway {config.stage} alarms",
            master_key=key,
            enforce_ssl=True,
        )
        self._let_cloudwatch_in(key)
        subscribe(self.topic, config.alarm_email, config.alarm_url)
        for metric, (service, meaning) in COUNTED.items():
            self._count(metric, service, meaning)
        self._count("Denials", AUDIT_SERVICE, BURST, config.denials_alarm)

    def watch(self, name: str, queue: sqs.Queue, meaning: str) -> None:
        """Alarms while anything lies in a dead-letter queue."""
        waiting = queue.metric_approximate_number_of_messages_visible(
            period=_PERIOD, statistic="Maximum"
        )
        self._alarm(waiting, name, meaning)

    def connect(self) -> None:
        """Has every alarm of the stack tell the topic; called when all of them are made."""
        tell = actions.SnsAction(self.topic)
        for each in Stack.of(self).node.find_all():
            if isinstance(each, cloudwatch.Alarm):
                each.add_alarm_action(tell)

    def unheeded(self, name: str, rule: str, meaning: str) -> None:
        """Alarms where EventBridge could not call what a rule names."""
        failed = cloudwatch.Metric(
            namespace="AWS/Events",
            metric_name="FailedInvocations",
            dimensions_map={"RuleName": rule},
            period=_PERIOD,
            statistic="Sum",
        )
        self._alarm(failed, name, meaning)

    def _count(self, metric: str, service: str, meaning: str, threshold: int = 1) -> None:
        counted = cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=metric,
            dimensions_map={"service": service, "stage": self._config.stage},
            period=_PERIOD,
            statistic="Sum",
        )
        self._alarm(counted, metric, meaning, threshold)

    def _alarm(
        self, metric: cloudwatch.Metric, name: str, meaning: str, threshold: int = 1
    ) -> None:
        metric.create_alarm(
            self,
            name,
            alarm_name=self._config.name(name),
            alarm_description=meaning,
            threshold=threshold,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )

    def _let_cloudwatch_in(self, key: kms.Key) -> None:
        """The topic's policy for TLS replaces SNS's own, which would let alarms in."""
        stack = Stack.of(self)
        alarms = stack.format_arn(
            service="cloudwatch",
            resource="alarm",
            resource_name=self._config.name("*"),
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="OurAlarms",
                principals=[iam.ServicePrincipal(_CLOUDWATCH)],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={
                    "StringEquals": {"aws:SourceAccount": stack.account},
                    "ArnLike": {"aws:SourceArn": alarms},
                },
            )
        )
        key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal(_CLOUDWATCH)],
                actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                resources=["*"],
            )
        )
