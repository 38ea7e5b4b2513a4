"""Every change of state as an event, and as a text that a person can read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.config import Config
from infra.dead_letters import dead_letters

SOURCE = "hatchway"
SESSION_CHANGE = "Session State Change"
#: What people are told of: a session that began (not one that came back), and its end.
BEGAN = {"status": ["Connected"], "previousStatus": ["Connecting"]}
ENDED = {"status": ["Terminated", "Failed"]}


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
        self._rule("Began", BEGAN)
        self._rule("Ended", ENDED)
        if config.notify_email:
            self.topic.add_subscription(subscriptions.EmailSubscription(config.notify_email))

    def _topic(self) -> sns.Topic:
        # EventBridge can use a customer key only; its target lets it in, without a condition, as
        # EventBridge documents none for encrypted topics.
        self.key = kms.Key(
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
            master_key=self.key,
            enforce_ssl=True,
        )

    def _rule(self, name: str, detail: Mapping[str, Sequence[str]]) -> None:
        rule = events.Rule(
            self,
            name,
            rule_name=self._config.name(name.lower()),
            description=f"Tells people about sessions that {name.lower()}",
            event_bus=self.bus,
            event_pattern=events.EventPattern(
                source=[SOURCE], detail_type=[SESSION_CHANGE], detail=dict(detail)
            ),
        )
        # The text is made by the events function. EventBridge takes a text in quotes only, and
        # delivers them with it to SNS.
        text = events.EventField.from_path("$.detail.summary")
        rule.add_target(
            targets.SnsTopic(
                self.topic,
                message=events.RuleTargetInput.from_text(text),
                dead_letter_queue=self.untold,
            )
        )
