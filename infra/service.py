"""The stack with the APIs, the functions and the events; it can be deleted and made again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aws_cdk import CfnOutput, Stack
from constructs import Construct, IConstruct

from infra.account import ApiGatewayAccount
from infra.agent_api import AgentApi, AgentFamilies
from infra.alarms import Alarms
from infra.archive import ArchiveQueue
from infra.audit import AuditTrail
from infra.audit_tables import AuditTables
from infra.cloud_trail import FUNCTION, OBJECT, TABLE, CloudTrail
from infra.config import AgentApiMode, Config
from infra.dashboard import Dashboard
from infra.data import DataStack
from infra.families import NODES, NODES_REGIONAL, All, Families, Keys, Surroundings
from infra.grants import Grants
from infra.identity import CallerPolicies, channel_role, let_channel_role_call
from infra.notifications import Notifications
from infra.people_api import PeopleApi
from infra.rechecks import Rechecks
from infra.rest import fill
from infra.reviews import Reviews
from infra.stream_api import StreamApi, StreamFamilies
from infra.tampering import Tampering
from infra.triggers import Changes, EveryMinute, Presence, Pushes

_AGENT_URL = "https://{api}.execute-api.{region}.{suffix}/{stage}"
#: An endpoint without private DNS is addressed by its own id.
_ENDPOINT_URL = "https://{api}-{endpoint}.execute-api.{region}.{suffix}/{stage}"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The interface endpoints through which agents come; `iot_data` is "" where it is not known."""

    execute_api: Sequence[str] = ()
    iot_data: str = ""


class ServiceStack(Stack):
    """The service itself; what has to be kept is in `data`."""

    def __init__(
        self,
        scope: Construct,
        config: Config,
        data: DataStack,
        endpoints: Endpoints,
        sources: Path,
    ) -> None:
        super().__init__(
            scope,
            f"Hatchway-{config.stage}-Service",
            description=f"Hatchway {config.stage}: APIs, functions, events",
        )
        self._config = config
        self._endpoints = tuple(endpoints.execute_api)
        # Nodes that come over the internet have the same role.
        self._iot_endpoint = "" if config.agent_api.regional else endpoints.iot_data
        self._notifications = Notifications(self, config)
        self._stream = StreamApi(self, config)
        self._archive_queue = ArchiveQueue(self, config)
        self._make_functions(data, sources)
        self._make_apis()
        self._wire(data)
        self._depend_on_account()
        self._output()

    def _make_functions(self, data: DataStack, sources: Path) -> None:
        urls = self._config.urls
        families = Families(
            self,
            self._config,
            Surroundings(
                notifications=self._notifications,
                stream_url=self._url(urls.stream, self._stream.api_id),
                stream_management_url=self._url(urls.stream_management, self._stream.api_id),
                archive_queue_url=self._archive_queue.queue.queue_url,
            ),
            sources,
        )
        both = self._config.agent_api is AgentApiMode.BOTH
        kinds = (NODES, NODES_REGIONAL) if both else (NODES,)
        nodes = [families.nodes(kind) for kind in kinds]
        roles = [each.role for each in nodes]
        self._channel = channel_role(self, self._config, roles, self._iot_endpoint)
        records = data.records
        keys = Keys(records.signing.key_arn, records.sealing.key_arn)
        self._all = All(
            nodes=nodes,
            connect=families.connect(self._channel),
            sessions=families.sessions(
                self._channel, data.records.archive.bucket_name, self.account
            ),
            agents=families.agents(self._channel),
            uplink=families.uplink(self._channel, keys.sealing),
            relay=families.relay(keys.sealing),
            events=families.events(),
            audit=families.audit(self.account, self.region),
            notify=families.notify(),
            sweep=families.sweep(),
            review=families.review(self._channel),
            documents=families.documents(self._channel),
            archive=families.archive(records.archive.bucket_name, keys, self.account),
            recordings=families.recordings(self._channel, records.archive.bucket_name, keys),
            push=families.push(),
        )

        # Who reads recordings is updated before who writes them: whatever form events get next.
        for writer in (self._all.uplink, self._all.relay):
            for reader in (self._all.archive, self._all.recordings):
                writer.function.node.add_dependency(reader.function)

    def _make_apis(self) -> None:
        every, mode = self._all, self._config.agent_api
        self._people = PeopleApi(
            self, self._config, every.sessions, every.documents, every.recordings
        )
        copies = [
            private for private, wanted in ((True, mode.private), (False, mode.regional)) if wanted
        ]
        self._agent_apis = [
            AgentApi(
                self,
                self._config,
                AgentFamilies(every.agents, every.uplink, nodes),
                self._channel,
                private=private,
                endpoints=self._endpoints,
            )
            for private, nodes in zip(copies, every.nodes, strict=True)
        ]
        self._stream_stage = self._stream.serve(
            StreamFamilies(every.connect, every.relay, every.sessions)
        )
        self._policies = CallerPolicies(self, self._config, self._people, self._agent_apis)

    def _wire(self, data: DataStack) -> None:
        every = self._all
        grants = Grants(self, self._config, data, self._stream)
        every.grant(grants, self._notifications, self._channel, self._archive_queue.queue)
        let_channel_role_call(self._channel, self._agent_apis)
        rechecks = Rechecks(self, self._config, every.sweep)
        grants.look_again(every.nodes[0], rechecks.queue)  # the one that presence comes to
        for nodes, api in zip(every.nodes, self._agent_apis, strict=True):
            nodes.function.add_environment("CHANNEL_ROLE_ARN", self._channel.role_arn)
            nodes.function.add_environment("CHANNEL_ROLE_ID", self._channel.role_id)
            nodes.function.add_environment("AGENT_API_ARN", self._api_arn(api))
            nodes.function.add_environment("RECHECK_QUEUE", rechecks.queue.queue_url)
        Presence(self, self._config, every.nodes[0])
        changes = Changes(self, self._config, data.table, every.events)
        EveryMinute(self, self._config, every.sweep)
        if every.push is not None:
            Pushes(self, self._config, self._notifications.bus, every.push)
        self._archive_queue.serve(self._config, every.archive, self._notifications.bus)
        reviews = Reviews(self, self._config, every.review)
        grants.look_again(every.documents, reviews.queue)
        every.documents.function.add_environment("CHANGES_QUEUE", reviews.queue.queue_url)
        trail = self._keep_trail(data)
        Tampering(self, self._config, every.notify, data.records)
        self._watch(changes, trail)

    def _keep_trail(self, data: DataStack) -> AuditTrail:
        records, every = data.records, self._all
        trail = AuditTrail(self, self._config, every.audit)
        trail.keep(records.archive, records.key)
        logs = [api.access_log for api in (self._people, *self._agent_apis)]
        trail.follow(every.called, [*logs, self._stream.access_log])
        AuditTables(self, self._config, records.archive.bucket_name)
        if self._config.cloud_trail:
            functions = [each.function.function_arn for each in every.all]
            archive = records.archive.arn_for_objects("")
            resources = {
                TABLE: [data.table.table_arn],
                FUNCTION: functions,
                OBJECT: [archive],
            }
            CloudTrail(self, self._config, resources)
        return trail

    def _watch(self, changes: Changes, trail: AuditTrail) -> None:
        """Last: whatever alarm was made tells the topic."""
        alarms = Alarms(self, self._config, self._notifications.key)
        untold = "Changes that could not be told; see the events function's log."
        alarms.watch("untold-events", changes.untold, untold)
        unheard = "People were not told of a session: SNS did not take the text."
        alarms.watch("untold-people", self._notifications.untold, unheard)
        unkept = "Recordings that could not be archived; see the archive function's log."
        alarms.watch("archive-dead", self._archive_queue.dead, unkept)
        uncalled = "The sweep was not called: nothing ends what is overdue."
        alarms.unheeded("sweep-uncalled", self._config.name("sweep"), uncalled)
        unwritten = "Audit records that could not be archived; see the audit function's log."
        alarms.watch("audit-dead", trail.dead, unwritten)
        ungathered = "Audit records that could not be kept; see the audit function's log."
        alarms.watch("audit-ungathered", trail.ungathered, ungathered)
        self._notifications.tell(self._all.notify, alarms.topic)
        Dashboard(self, self._config, self._all.all)
        alarms.connect()

    def _depend_on_account(self) -> None:
        """Without the account's role, a stage with access logs cannot be made."""
        if not self._config.api_gateway_account:
            return
        account = ApiGatewayAccount(self)
        rest = [self._people, *self._agent_apis]
        stages: list[IConstruct] = [api.api.deployment_stage for api in rest]
        for stage in (*stages, self._stream_stage):
            stage.node.add_dependency(account.resource)

    def _api_arn(self, api: AgentApi) -> str:
        return self.format_arn(
            service="execute-api", resource=api.api.rest_api_id, resource_name=self._config.stage
        )

    def _url(self, template: str, api: str) -> str:
        return fill(template, api, self._config, self.region, self.url_suffix)

    def _agent_url(self) -> str:
        api = self._agent_apis[0].api.rest_api_id
        through_endpoint = self._config.agent_api.private and self._endpoints
        default = _ENDPOINT_URL if through_endpoint else _AGENT_URL
        template = self._config.urls.agent or default
        if self._endpoints:
            template = template.replace("{endpoint}", self._endpoints[0])
        return self._url(template, api)

    def _output(self) -> None:
        outputs = {
            "PeopleApiUrl": self._url(self._config.urls.people, self._people.api.rest_api_id),
            "AgentApiUrl": self._agent_url(),
            "StreamUrl": self._url(self._config.urls.stream, self._stream.api_id),
            "StreamManagementUrl": self._url(
                self._config.urls.stream_management, self._stream.api_id
            ),
            "TopicArn": self._notifications.topic.topic_arn,
            "EventBusName": self._notifications.bus.event_bus_name,
            "TableName": self._config.table,
            "UserPolicyArn": self._policies.for_users.managed_policy_arn,
            "AdminPolicyArn": self._policies.for_admins.managed_policy_arn,
            "NodePolicyArn": self._policies.for_nodes.managed_policy_arn,
            "ChannelRoleArn": self._channel.role_arn,
            "ChannelRoleId": self._channel.role_id,
            "AgentApiId": self._agent_apis[0].api.rest_api_id,
            "PeopleApiId": self._people.api.rest_api_id,
            "StreamApiId": self._stream.api_id,
        }
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)
