"""The stream API: WebSocket, for clients. A one-time token opens it; nothing else is authorised.

Named routes and `$default` are open to whoever holds an authorised connection: the functions
authorise each message by the authorizer's context.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from aws_cdk import Stack
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.config import Config
from infra.findings import accept
from infra.function import FamilyFunction
from infra.log import kept_log

#: The only header that a browser can set; API Gateway refuses a connection without it.
IDENTITY_SOURCE = "route.request.header.Sec-WebSocket-Protocol"
ACTIONS = ("terminateSession", "resumeSession", "describeSession", "ping")
#: Routes that lifecycle connections alone have; they share two of the above.
LIFECYCLE_ACTIONS = ("startSession", "describeSessions", "getConnectionStatus")
#: Messages a second of all clients together, under the account's 10,000.
RATE, BURST = 5000, 5000

#: No header, no query string, no error text: each of them could hold the token.
ACCESS_LOG = {
    "door": "stream",
    "requestId": "$context.requestId",
    "time": "$context.requestTimeEpoch",
    "route": "$context.routeKey",
    "event": "$context.eventType",
    "status": "$context.status",
    "connection": "$context.connectionId",
    "sourceIp": "$context.identity.sourceIp",
    "userAgent": "$context.identity.userAgent",
    "owner": "$context.accountId",
    "gatewayError": "$context.error.responseType",
    "integrationStatus": "$context.integrationStatus",
    "integrationLatency": "$context.integrationLatency",
}


@dataclass(frozen=True, slots=True)
class StreamFamilies:
    """The functions behind the stream API."""

    connect: FamilyFunction
    relay: FamilyFunction
    sessions: FamilyFunction


class StreamApi(Construct):
    """The bare API: its id goes into the functions' environment, its routes come after them."""

    def __init__(self, scope: Construct, config: Config) -> None:
        super().__init__(scope, "StreamApi")
        self._config = config
        self.api_id = apigateway.CfnApi(
            self,
            "Api",
            name=config.name("stream"),
            description=f"Hatchway {config.stage}: the data channel, for clients",
            protocol_type="WEBSOCKET",
            route_selection_expression="$request.body.action",
        ).attr_api_id

    def serve(self, families: StreamFamilies) -> apigateway.CfnStage:
        """Adds routes and stage."""
        connect = self._integration(families.connect)
        sessions = self._integration(families.sessions)
        routes = [
            self._route("$connect", connect, self._authorizer(families.connect)),
            self._route("$disconnect", connect),
            self._route("$default", self._integration(families.relay)),
            *(self._route(action, sessions) for action in self._actions()),
        ]
        return self._stage(routes)

    def _actions(self) -> tuple[str, ...]:
        more = LIFECYCLE_ACTIONS if self._config.lifecycle_connections else ()
        return (*ACTIONS, *more)

    def _authorizer(self, family: FamilyFunction) -> str:
        return apigateway.CfnAuthorizer(
            self,
            "Authorizer",
            api_id=self.api_id,
            name=self._config.name("token"),
            authorizer_type="REQUEST",
            authorizer_uri=self._invocation(family),
            identity_source=[IDENTITY_SOURCE],
        ).ref

    def _integration(self, family: FamilyFunction) -> str:
        family.function.add_permission(
            "Stream",
            principal=iam.ServicePrincipal("apigateway.amazonaws.com"),
            source_arn=Stack.of(self).format_arn(
                service="execute-api", resource=self.api_id, resource_name="*"
            ),
        )
        integration = apigateway.CfnIntegration(
            self,
            f"To{family.node.id}",
            api_id=self.api_id,
            integration_type="AWS_PROXY",
            integration_uri=self._invocation(family),
        )
        return f"integrations/{integration.ref}"

    def _invocation(self, family: FamilyFunction) -> str:
        stack = Stack.of(self)
        function = family.function.function_arn
        return (
            f"arn:{stack.partition}:apigateway:{stack.region}:lambda:path/2015-03-31/"
            f"functions/{function}/invocations"
        )

    def _route(self, key: str, target: str, authorizer: str = "") -> apigateway.CfnRoute:
        route = apigateway.CfnRoute(
            self,
            f"On{key.strip('$').capitalize()}",
            api_id=self.api_id,
            route_key=key,
            target=target,
            authorization_type="CUSTOM" if authorizer else "NONE",
            authorizer_id=authorizer or None,
        )
        if not authorizer:
            accept(
                route,
                "AwsSolutions-APIG4",
                "API Gateway authorises WebSocket APIs at $connect only; the function authorises "
                "each message by the connection's context.",
            )
        return route

    def _stage(self, routes: list[apigateway.CfnRoute]) -> apigateway.CfnStage:
        log_group = kept_log(self, f"/hatchway/{self._config.stage}/stream-api", self._config)
        self.access_log = log_group
        stage = apigateway.CfnStage(
            self,
            "Stage",
            api_id=self.api_id,
            stage_name=self._config.stage,
            auto_deploy=True,
            access_log_settings=apigateway.CfnStage.AccessLogSettingsProperty(
                destination_arn=log_group.log_group_arn, format=json.dumps(ACCESS_LOG)
            ),
            default_route_settings=apigateway.CfnStage.RouteSettingsProperty(
                data_trace_enabled=False,
                detailed_metrics_enabled=False,
                logging_level="OFF",
                throttling_rate_limit=RATE,
                throttling_burst_limit=BURST,
            ),
        )
        stage.node.add_dependency(*routes)
        return stage
