"""Who may call what: the agents' channel role, and managed policies to attach to principals."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.agent_api import CHANNEL, CHANNEL_ROLE_ROUTES, AgentApi
from infra.config import Config
from infra.findings import accept_wildcards
from infra.people_api import ADMIN_ROUTES, DOCUMENT_ROUTES, RECORDING_ROUTES, PeopleApi, user_routes

_CUT_DOWN = (
    "The role covers all nodes; every session of it is cut down to one node by a session policy "
    "with literal ARNs."
)


def channel_role(
    scope: Construct, config: Config, nodes: Sequence[iam.IRole], iot_endpoint: str = ""
) -> iam.Role:
    """What an agent's hour of credentials is made of; only the nodes function may assume it.

    With `iot_endpoint` its connections to IoT Core come through that endpoint only.
    """
    role = iam.Role(
        scope,
        "ChannelRole",
        role_name=config.name("channel"),
        description=f"Hatchway {config.stage}: agents, cut down to one node in each session",
        assumed_by=iam.CompositePrincipal(*(iam.ArnPrincipal(role.role_arn) for role in nodes)),
    )
    arn = Stack.of(scope).format_arn
    own = f"{config.topic_root}/*"
    for action, kind in (("Connect", "client"), ("Subscribe", "topicfilter"), ("Receive", "topic")):
        resource = arn(service="iot", resource=kind, resource_name=own)
        # Whoever cannot connect neither subscribes nor receives.
        tied = action == "Connect" and iot_endpoint
        role.add_to_policy(
            iam.PolicyStatement(
                actions=[f"iot:{action}"],
                resources=[resource],
                conditions={"StringEquals": {"aws:SourceVpce": iot_endpoint}} if tied else None,
            )
        )
        accept_wildcards(role, _CUT_DOWN, [resource])
    return role


def let_channel_role_call(role: iam.Role, apis: Sequence[AgentApi]) -> None:
    """All routes of the agent API but `channel`, which makes the credentials themselves."""
    routes = [arn for api in apis for arn in api.arns(*CHANNEL_ROLE_ROUTES)]
    role.add_to_policy(iam.PolicyStatement(actions=["execute-api:Invoke"], resources=routes))
    accept_wildcards(role, _CUT_DOWN, routes)


class CallerPolicies(Construct):
    """Managed policies that allow execute-api:Invoke, on named routes, and nothing else."""

    def __init__(
        self, scope: Construct, config: Config, people: PeopleApi, agents: Sequence[AgentApi]
    ) -> None:
        super().__init__(scope, "Policies")
        self._stage = config.stage
        users = user_routes(config)
        everything = (*users, *ADMIN_ROUTES, *DOCUMENT_ROUTES, *RECORDING_ROUTES)
        self.for_users = self._policy(
            "User", "open sessions; ssm:* statements decide where", people.arns(*users)
        )
        self.for_admins = self._policy(
            "Admin", "sessions, documents, nodes and their roles", people.arns(*everything)
        )
        self.for_nodes = self._policy(
            "Node", "for instance roles", [arn for api in agents for arn in api.arns(CHANNEL)]
        )

    def _policy(self, who: str, purpose: str, arns: Sequence[str]) -> iam.ManagedPolicy:
        policy = iam.ManagedPolicy(
            self,
            who,
            managed_policy_name=f"Hatchway{who}-{self._stage}",
            description=f"Hatchway {self._stage}: {purpose}",
            statements=[
                # Invoke alone: ManageConnections would write into any live terminal.
                iam.PolicyStatement(actions=["execute-api:Invoke"], resources=list(arns))
            ],
        )
        accept_wildcards(policy, "Any node or session id, in one route of one API.", arns)
        return policy
