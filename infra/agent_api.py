"""The agent API: REST, node routes only, private or (where a deployment asks for it) regional.

Its resource policy adds no way past IAM: it allows the channel role by its ARN, and denies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.config import Config
from infra.function import FamilyFunction
from infra.people_api import any_id
from infra.rest import RestFront, Routes, Throttle

#: The one route of the instance role. All others are the channel role's.
CHANNEL = ("POST", "/agent/{nodeId}/channel")
_SESSION = "/agent/{nodeId}/sessions/{sessionId}"
_AGENTS_ROUTES = (
    ("GET", "/agent/{nodeId}/sessions"),
    ("POST", f"{_SESSION}/open"),
    ("POST", f"{_SESSION}/ticket"),
    ("POST", f"{_SESSION}/end"),
)
_FRAMES = ("POST", f"{_SESSION}/frames")
_REPORTS = ("POST", "/agent/{nodeId}/reports")
CHANNEL_ROLE_ROUTES = (*_AGENTS_ROUTES, _FRAMES, _REPORTS)
#: Output comes in bursts from many nodes at once; the account's own limit is 10,000 a second.
THROTTLE = Throttle(rate=5000, burst=5000)


@dataclass(frozen=True, slots=True)
class AgentFamilies:
    """The functions behind the agent API."""

    agents: FamilyFunction
    uplink: FamilyFunction
    nodes: FamilyFunction

    def routes(self) -> Routes:
        return {
            **dict.fromkeys(_AGENTS_ROUTES, self.agents),
            _FRAMES: self.uplink,
            CHANNEL: self.nodes,
            _REPORTS: self.nodes,
        }


class AgentApi(RestFront):
    """One copy of the agent API. `endpoints` are the interface endpoints that may reach it."""

    def __init__(
        self,
        scope: Construct,
        config: Config,
        families: AgentFamilies,
        channel_role: iam.IRole,
        *,
        private: bool,
        endpoints: Sequence[str] = (),
    ) -> None:
        kind = apigateway.EndpointType.PRIVATE if private else apigateway.EndpointType.REGIONAL
        super().__init__(
            scope,
            "AgentApi" if private else "AgentApiRegional",
            config,
            name="agent" if private else "agent-regional",
            description=f"Hatchway {config.stage}: for the agents on nodes",
            endpoint=apigateway.EndpointConfiguration(
                types=[kind],
                vpc_endpoints=self._interfaces(scope, endpoints) if private else None,
            ),
            routes=families.routes(),
            throttle=THROTTLE,
            policy=_policy(config, channel_role, endpoints if private else ()),
        )

    @staticmethod
    def _interfaces(scope: Construct, endpoints: Sequence[str]) -> list[ec2.IVpcEndpoint] | None:
        return [
            ec2.InterfaceVpcEndpoint.from_interface_vpc_endpoint_attributes(
                scope, f"ExecuteApi{number}", vpc_endpoint_id=endpoint, port=443
            )
            for number, endpoint in enumerate(endpoints)
        ] or None

    def arns(self, *routes: tuple[str, str]) -> list[str]:
        """Each route with any id in it."""
        return [self.arn(method, any_id(path)) for method, path in routes]


def _resource(route: tuple[str, str], stage: str) -> str:
    method, path = route
    return f"execute-api:/{stage}/{method}{any_id(path)}"


def _policy(
    config: Config, channel_role: iam.IRole, endpoints: Sequence[str]
) -> iam.PolicyDocument:
    statements = [
        iam.PolicyStatement(
            sid="ChannelRoleOnItsRoutes",
            principals=[iam.ArnPrincipal(channel_role.role_arn)],
            actions=["execute-api:Invoke"],
            resources=[_resource(route, config.stage) for route in CHANNEL_ROLE_ROUTES],
        )
    ]
    if endpoints:
        statements.append(
            _deny(
                "NoOtherEndpoint",
                "execute-api:/*",
                {"StringNotEquals": {"aws:SourceVpce": list(endpoints)}},
            )
        )
    if config.agent_must_come_from_instance:
        # Only credentials that the instance metadata service handed out carry this key.
        absent = {"Null": {"ec2:SourceInstanceARN": "true"}}
        statements.append(
            _deny("ChannelFromInstancesOnly", _resource(CHANNEL, config.stage), absent)
        )
    return iam.PolicyDocument(statements=statements)


def _deny(sid: str, resource: str, when: Mapping[str, object]) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        sid=sid,
        effect=iam.Effect.DENY,
        principals=[iam.AnyPrincipal()],
        actions=["execute-api:Invoke"],
        resources=[resource],
        conditions=when,
    )
