"""What calls functions besides the APIs: IoT presence, the table's stream, the clock."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Duration, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_iot as iot
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from constructs import Construct

from infra.config import Config
from infra.dead_letters import dead_letters
from infra.findings import accept
from infra.function import FamilyFunction
from infra.notifications import SESSION_CHANGE, SOURCE

STREAM_BATCH = 50
STREAM_RETRIES = 10
#: Hours; an older change is not news any more.
STREAM_AGE = 6
#: Of a notice to a caller: tries, and how old it may be.
PUSH_RETRIES = 2
PUSH_AGE = Duration.minutes(2)


class Presence(Construct):
    """Connections of control channels, and of no other client of the account's IoT Core."""

    def __init__(self, scope: Construct, config: Config, nodes: FamilyFunction) -> None:
        super().__init__(scope, "Presence")
        # One rule each: a third kind of event tells of refused connections, which anybody causes.
        for event in ("connected", "disconnected"):
            rule = self._rule(config, event, nodes)
            nodes.function.add_permission(
                f"Presence{event.capitalize()}",
                principal=iam.ServicePrincipal("iot.amazonaws.com"),
                source_account=Stack.of(self).account,
                source_arn=rule.attr_arn,
            )

    def _rule(self, config: Config, event: str, nodes: FamilyFunction) -> iot.CfnTopicRule:
        # A data channel's client id has one level more, another stage's another second level.
        topics = f"$aws/events/presence/{event}/{config.topic_root}/+"
        to_function = iot.CfnTopicRule.ActionProperty(
            lambda_=iot.CfnTopicRule.LambdaActionProperty(function_arn=nodes.function.function_arn)
        )
        return iot.CfnTopicRule(
            self,
            event.capitalize(),
            rule_name=f"hatchway_{config.stage}_{event}",
            topic_rule_payload=iot.CfnTopicRule.TopicRulePayloadProperty(
                sql=f"SELECT * FROM '{topics}'",  # noqa: S608  a checked stage, in IoT's SQL
                aws_iot_sql_version="2016-03-23",
                description=f"Hatchway {config.stage}: nodes that are {event}",
                actions=[to_function],
            ),
        )


class Changes(Construct):
    """The table's stream to the events function; what cannot be told is kept for two weeks."""

    def __init__(
        self, scope: Construct, config: Config, table: dynamodb.ITable, function: FamilyFunction
    ) -> None:
        super().__init__(scope, "Changes")
        self.untold = dead_letters(self, config.name("untold-events"))
        accept(
            function.role,
            "AwsSolutions-IAM5",
            "dynamodb:ListStreams, which the event source asks for, knows no resource.",
            "Resource::*",
        )
        function.function.add_event_source(
            sources.DynamoEventSource(
                table,
                # A Service stack that is made again tells nobody again what its predecessor told.
                # Changes of the first minute after it was made may go untold.
                starting_position=lambda_.StartingPosition.LATEST,
                batch_size=STREAM_BATCH,
                bisect_batch_on_error=True,
                retry_attempts=STREAM_RETRIES,
                max_record_age=Duration.hours(STREAM_AGE),
                report_batch_item_failures=True,
                on_failure=sources.SqsDlq(self.untold),
                filters=[_of(kind) for kind in ("SESSION#", "NODE#")],
            )
        )


def _of(prefix: str) -> Mapping[str, object]:
    """Items whose changes are events: not tokens, connections and requests."""
    return lambda_.FilterCriteria.filter(
        {"dynamodb": {"Keys": {"pk": {"S": lambda_.FilterRule.begins_with(prefix)}}}}
    )


class EveryMinute(Construct):
    """EventBridge's finest grain."""

    def __init__(self, scope: Construct, config: Config, sweep: FamilyFunction) -> None:
        super().__init__(scope, "EveryMinute")
        events.Rule(
            self,
            "Rule",
            rule_name=config.name("sweep"),
            description=f"Hatchway {config.stage}: ends what is overdue",
            schedule=events.Schedule.rate(Duration.minutes(1)),
            # A sweep that was missed is made up for by the next one.
            targets=[targets.LambdaFunction(sweep.function, retry_attempts=0)],
        )


class Pushes(Construct):
    """Changes of sessions, to callers who have a lifecycle connection. Old news is none."""

    def __init__(
        self, scope: Construct, config: Config, bus: events.IEventBus, push: FamilyFunction
    ) -> None:
        super().__init__(scope, "Pushes")
        events.Rule(
            self,
            "Rule",
            rule_name=config.name("push"),
            description=f"Hatchway {config.stage}: tells callers of changes of their sessions",
            event_bus=bus,
            event_pattern=events.EventPattern(source=[SOURCE], detail_type=[SESSION_CHANGE]),
            targets=[
                targets.LambdaFunction(
                    push.function, retry_attempts=PUSH_RETRIES, max_event_age=PUSH_AGE
                )
            ],
        )
