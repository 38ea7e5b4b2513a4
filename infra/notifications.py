"""Every change of state as an event, and as a text that a person can read."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.config import Config

SOURCE = "hatchway"
SESSION_CHANGE = "Session State Change"
#: Two texts, for a member that an event does not have would stand in the text as its placeholder.
RUNNING = ("Connecting", "Connected", "Disconnected", "Terminating")
ENDED = ("Terminated", "Failed")


def _member(name: str) -> str:
    return events.EventField.from_path(f"$.detail.{name}")


def _subject() -> str:
    return (
        f"Hatchway {_member('stage')}: session {_member('sessionId')} on {_member('target')} is "
        f"{_member('status')}"
    )


def running_text() -> str:
    """What of a session that goes on is told. The reason is last: its owner wrote it."""
    return (
        f"{_subject()} (it was {_member('previousStatus')}). Time: {_member('time')}. "
        f"Owner: {_member('owner')}. Document: {_member('documentName')}. "
        f"Reason given: {_member('reason')}"
    )


def ended_text() -> str:
    """What of a session that is over is told."""
    return (
        f"{_subject()} after {_member('durationSeconds')} seconds ({_member('endReason')}). "
        f"Time: {_member('time')}. Owner: {_member('owner')}. "
        f"Document: {_member('documentName')}. Reason given: {_member('reason')}"
    )


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
        self._rule("Running", RUNNING, running_text())
        self._rule("Ended", ENDED, ended_text())
        if config.notify_email:
            self.topic.add_subscription(subscriptions.EmailSubscription(config.notify_email))

    def _topic(self) -> sns.Topic:
        # EventBridge can use a customer key only; its target lets it in, without a condition, as
        # EventBridge documents none for encrypted topics.
        key = kms.Key(
            self,
            "Key",
            description=f"Hatchway {self._config.stage}: notifications",
            enable_key_rotation=True,
        )
        return sns.Topic(
            self,
            "Topic",
            topic_name=self._config.name("notifications"),
            display_name=f"Hatchway {self._config.stage}",
            master_key=key,
            enforce_ssl=True,
        )

    def _rule(self, name: str, statuses: Sequence[str], text: str) -> None:
        rule = events.Rule(
            self,
            name,
            rule_name=self._config.name(name.lower()),
            description=f"Tells people about sessions that are {', '.join(statuses)}",
            event_bus=self.bus,
            event_pattern=events.EventPattern(
                source=[SOURCE],
                detail_type=[SESSION_CHANGE],
                detail={"status": list(statuses)},
            ),
        )
        # EventBridge takes a text in quotes only, and delivers them with it to SNS.
        rule.add_target(
            targets.SnsTopic(self.topic, message=events.RuleTargetInput.from_text(text))
        )
