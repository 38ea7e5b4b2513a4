"""One session's permission, asked again: the decision of StartSession with what holds now.

Policies, principal tags, instance tags and time are today's; address, user agent and the rest of
the request are those that were recorded at the start, so that no key which was known then is
unknown now. A key that Hatchway never sees (MFA, token age of a role session) was unknown then as
well: a new Deny on it ends the session, as it would refuse a new one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from hatchway.core.errors import AccessDeniedException
from lambdas import starting
from lambdas.access import Denied, Held
from lambdas.conditions import of_session
from lambdas.opinion import SecondOpinion
from lambdas.ports import Circumstances, InstanceFacts, Session
from lambdas.starting import instance_tags
from lambdas.verdict import Verdict, verdict_of

#: Seconds that a person has, at least, between the warning and the end of a date condition, and
#: how far apart reviews are: looking so far ahead warns nobody later than that.
NOTICE = 120
INTERVAL = 60
AHEAD = NOTICE + INTERVAL
#: Where the request of the start is not recorded, these keys are not known any more; nor, of a
#: user, whether a key of the user's own signed it, which has none of a session's properties.
_FORGOTTEN = frozenset({"aws:sourceip", "aws:useragent", "aws:principalorgid", "aws:resourceorgid"})


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether the session may go on; `ends` is when that changes, within AHEAD seconds, else 0.

    `undecided` says that it goes on for want of what was known at its start.
    """

    permitted: bool
    ends: float = 0.0
    undecided: bool = False


def judge(
    held: Held,
    session: Session,
    facts: InstanceFacts | None,
    now: float,
    second: SecondOpinion | None = None,
) -> Finding:
    """The finding on `session`, whose owner's policies are `held`; `facts` are EC2's.

    A second opinion counts as at the start, and is not asked about the time to come: whom only
    IAM's simulator will refuse is not warned.
    """
    refusal = _refusal(held, session, facts, now, second)
    if refusal is not None:
        forgotten = session.about is None and _hangs_on_the_forgotten(held, refusal)
        return Finding(permitted=forgotten, undecided=forgotten)
    ahead = now, now + AHEAD
    if [_refusal(held, session, facts, at) is None for at in ahead] != [True, False]:
        return Finding(permitted=True)
    return Finding(permitted=True, ends=_end(held, session, facts, now))


def _end(held: Held, session: Session, facts: InstanceFacts | None, now: float) -> float:
    """The first whole second at which it is refused: dates are compared by whole seconds here."""
    allowed, refused = int(now), int(now) + AHEAD
    while refused - allowed > 1:
        middle = (allowed + refused) // 2
        if _refusal(held, session, facts, middle) is None:
            allowed = middle
        else:
            refused = middle
    return float(refused)


def _refusal(
    held: Held,
    session: Session,
    facts: InstanceFacts | None,
    now: float,
    second: SecondOpinion | None = None,
) -> AccessDeniedException | None:
    access = replace(held.at(session.about or Circumstances(), now), second=second)
    place = held.principal.place(held.region)
    document = session.document_name if session.document_named else ""
    try:
        starting.permit(access, place, session.target, instance_tags(facts), document)
    except AccessDeniedException as refusal:  # IAM may not know the owner any more
        return refusal
    return None


def _hangs_on_the_forgotten(held: Held, refusal: AccessDeniedException) -> bool:
    """Whether it was known at the start what is not any more, and it could make the difference."""

    def forgotten(key: str) -> bool:
        return key in _FORGOTTEN or (held.principal.is_user and of_session(key))

    if not isinstance(refusal, Denied):
        return False
    return verdict_of(refusal.explanation, held.policies, forgotten) is Verdict.CONDITIONAL
