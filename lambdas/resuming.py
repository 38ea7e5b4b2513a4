"""Whether a session's owner may resume it, as IAM stands now.

Asked where the stream gives a token out, and again where such a token is used. API Gateway's own
check is not made at either: what it alone sees (MFA, age of the credentials) is unknown here.
"""

from __future__ import annotations

from typing import Protocol

from hatchway.core import api
from hatchway.core.policy import ContextValue
from lambdas.access import Access, Grounds, access_of
from lambdas.conditions import tag_context
from lambdas.edge import Caller
from lambdas.opinion import SecondOpinion
from lambdas.ports import Circumstances, NodeStore, Session
from lambdas.principal import Principal, admit


class Asking(Grounds, Protocol):
    """What the question needs of the family that asks it."""

    @property
    def nodes(self) -> NodeStore: ...

    @property
    def channel_role_id(self) -> str: ...

    @property
    def second(self) -> SecondOpinion | None: ...


def demand_resume(asking: Asking, session: Session, about: Circumstances) -> None:
    """AccessDeniedException unless the session's owner may resume it, from where `about` says."""
    owner = Caller(session.owner.account, session.owner.userid, session.owner_arn)
    principal = admit(owner, session.owner.account, asking.nodes, asking.channel_role_id)
    access = access_of(asking, principal, about, asking.second)
    permit(asking, access, api.RESUME_SESSION.action, session.session_id, session)


def permit(
    grounds: Grounds, access: Access, action: str, session_id: str, session: Session | None
) -> None:
    """AccessDeniedException unless the caller may; a session that is not there has no tags and
    is nobody's, so that it looks like another's."""
    access.demand(
        action,
        session_arn(grounds, access.principal, session_id),
        _system_tags(session) if session is not None else {},
        foreign=session is None or session.owner != access.principal.owner,
    )


def session_arn(grounds: Grounds, principal: Principal, session_id: str) -> str:
    place = principal.place(grounds.region)
    return f"arn:{place.partition}:ssm:{place.region}:{place.account}:session/{session_id}"


def _system_tags(session: Session) -> dict[str, ContextValue]:
    """The two tags that Systems Manager puts on each session, for conditions on its owner."""
    return tag_context(
        {
            "aws:ssmmessages:session-id": session.owner.userid,
            "aws:ssmmessages:target-id": session.target,
        }
    )
