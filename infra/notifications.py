"""Every change of state as an event, and as a text that a person can read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.config import Config
from infra.dead_letters import dead_letters
from infra.function import FamilyFunction

SOURCE = "hatchway"
SESSION_CHANGE = "Session State Change"
#: What people are told of: a session that began (not one that came back), and its end.
BEGAN = {"status": ["Connected"], "previousStatus": ["Connecting"]}
ENDED = {"status": ["Terminated", "Failed"]}
#: What those are told of who are woken (`lambdas/notify/handler.py`).
URGENT = ("Node Identity Refused", "Recording Failed", "Recording Mismatch")
#: Hours after which what happened is not worth a text.
NEWS = Duration.hours(6)


class Notifications(Construct):
    """The bus, the topic, and the rules between them."""

    def __init__(self, scope: Construct, config: Config) -> None:
        super().__init__(scope, "Notifications")
        self._config = config
        self.bus = events.EventBus(
            self,
            "Bus",
            event_bus_name=f"hatchway-{config.stage}",
            description=f"Hatchway {config.stage}: changes of sessions and nodes",
        )
        self.topic = self._topic()
        #: Texts that SNS did not take.
        self.untold = dead_letters(self, config.name("untold-people"))
        subscribe(self.topic, config.notify_email, config.notify_url)

    def tell(self, notify: FamilyFunction, alarms: sns.Topic) -> None:
        """The default rules. The function words nothing: it takes the summary out of its quotes,
        which EventBridge itself cannot."""
        self._rule(notify, "Began", "sessions that began", [SESSION_CHANGE], BEGAN)
        self._rule(notify, "Ended", "sessions that ended", [SESSION_CHANGE], ENDED)
        self._rule(notify, "Urgent", "what somebody is woken for", URGENT, None)
        notify.function.configure_async_invoke(
            on_failure=destinations.SqsDestination(self.untold),
            retry_attempts=2,
            max_event_age=NEWS,
        )
        notify.grant("sns:Publish", on=[self.topic.topic_arn, alarms.topic_arn])
        notify.grant("kms:Decrypt", "kms:GenerateDataKey", on=[self.key.key_arn])
        notify.function.add_environment("ALARM_TOPIC", alarms.topic_arn)

    def _topic(self) -> sns.Topic:
        # Rules of one's own may send to the topic: the key lets EventBridge in, without a
        # condition, as EventBridge documents none for encrypted topics.
        self.key = kms.Key(
            self,
            "Key",
            description=f"Hatchway {self._config.stage}: notifications",
            enable_key_rotation=True,
        )
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("events.amazonaws.com")],
                actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                resources=["*"],
            )
        )
        return sns.Topic(
            self,
            "Topic",
            topic_name=self._config.name("notifications"),
            display_name=f"Hatchway {self._config.stage}",
            master_key=self.key,
            enforce_ssl=True,
        )

    def _rule(
        self,
        notify: FamilyFunction,
        name: str,
        what: str,
        kinds: Sequence[str],
        detail: Mapping[str, Sequence[str]] | None,
    ) -> None:
        rule = events.Rule(
            self,
            name,
            rule_name=self._config.name(name.lower()),
            description=f"Hatchway {self._config.stage}: tells people about {what}",
            event_bus=self.bus,
            event_pattern=events.EventPattern(
                source=[SOURCE],
                detail_type=list(kinds),
                detail=dict(detail) if detail is not None else None,
            ),
        )
        rule.add_target(
            targets.LambdaFunction(
                notify.function,
                dead_letter_queue=self.untold,
                max_event_age=NEWS,
            )
        )


def subscribe(topic: sns.Topic, email: str, url: str) -> None:
    """Whom the context names; SNS asks each of them to confirm."""
    if email:
        topic.add_subscription(subscriptions.EmailSubscription(email))
    if url:
        topic.add_subscription(subscriptions.UrlSubscription(url))
