"""The owner's permission to resume, asked where a spare token is used.

Most connections open with a token of a signed request and need none of this: it is loaded, and its
clients are made, when it is first asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from lambdas.connect.authorizer import Permission
from lambdas.environment import required
from lambdas.opinion import SecondOpinion
from lambdas.ports import Circumstances, Clock, NodeStore, Policies, Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What the question is answered from."""

    nodes: NodeStore
    policies: Policies
    clock: Clock
    region: str
    channel_role_id: str
    second: SecondOpinion | None = None

    def demand(self, session: Session, about: Circumstances) -> None:
        """AccessDeniedException unless the session's owner may resume it now."""
        from lambdas.resuming import demand_resume

        demand_resume(self, session, about)


def permission(environ: Mapping[str, str], nodes: NodeStore, clock: Clock) -> Permission:
    """From the environment, which is read at once: EnvironmentIncomplete for what is missing."""
    region, channel = required(environ, "AWS_REGION"), required(environ, "CHANNEL_ROLE_ID")

    @cache
    def asking() -> Asking:
        from lambdas.adapters.iam import IamPolicies
        from lambdas.adapters.organizations import guardrails
        from lambdas.adapters.simulator import second_opinion

        return Asking(
            nodes=nodes,
            policies=IamPolicies(guardrails=guardrails(environ)),
            clock=clock,
            region=region,
            channel_role_id=channel,
            second=second_opinion(environ),
        )

    return lambda session, about: asking().demand(session, about)
