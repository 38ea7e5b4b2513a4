"""How many sessions there may be: what is counted, under which names, and the settings.

Both stores count by these names, so that a limit means the same in each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hatchway.core.errors import InternalServerError, LimitExceededException, ThrottlingException
from hatchway.core.names import Owner
from lambdas.ports import Limits, Session

DEFAULTS = Limits(per_user=20, per_node=50, per_account=1000, starts_a_minute=300)
#: What a setting may be at most.
MOST = 100_000
#: Seconds of one window of the rate limit.
WINDOW = 60.0

SETTINGS = {
    "per_user": "MAX_SESSIONS_PER_USER",
    "per_node": "MAX_SESSIONS_PER_NODE",
    "per_account": "MAX_SESSIONS_PER_ACCOUNT",
    "per_role": "MAX_SESSIONS_PER_ROLE",
    "starts_a_minute": "MAX_STARTS_PER_MINUTE",
}
_WHOSE = ("of this caller", "on this node", "in this account", "of this role")


def limits(environ: Mapping[str, str]) -> Limits:
    """The settings, each with its default; an unusable one is an error that names it."""
    return Limits(
        per_user=_number(environ, "per_user"),
        per_node=_number(environ, "per_node"),
        per_account=_number(environ, "per_account"),
        starts_a_minute=_number(environ, "starts_a_minute"),
        per_role=_number(environ, "per_role"),
    )


def _number(environ: Mapping[str, str], field: str) -> int:
    name = SETTINGS[field]
    text = environ.get(name, "")
    if not text:
        default: int = getattr(DEFAULTS, field)
        return default
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MOST:
        raise InternalServerError(f"{name} is a number from 1 to {MOST}.")
    return int(text)


def names(session: Session) -> tuple[str, ...]:
    """What a session counts towards: its owner, its node, its account, and the owner's role where
    it has one; in the order of `most`.

    The owner is account and whole `aws:userid`: each session of a role is a caller of its own. Its
    name can be chosen freely, so those of a role count together as well.
    """
    account = session.owner.account
    role, colon, _name = session.owner.userid.partition(":")
    return (
        f"user/{session.owner.key}",
        f"node/{session.target}",
        f"account/{account}",
        *([f"role/{account}/{role}"] if colon else []),
    )


def most(given: Limits | None) -> tuple[int | None, int | None, int | None, int | None]:
    """The limits in the order of `names`; None for no limit."""
    if given is None:
        return (None, None, None, None)
    return (given.per_user, given.per_node, given.per_account, given.per_role)


def limited(session: Session, given: Limits | None) -> list[tuple[str, int | None]]:
    """Each of the session's names with its limit."""
    return list(zip(names(session), most(given), strict=False))  # a user has no role


def exceeded(which: int, given: Limits | None) -> LimitExceededException:
    """The refusal; `which` counts in the order of `names`."""
    return LimitExceededException(
        f"There are {most(given)[which]} sessions {_WHOSE[which]} already, which is the limit."
    )


def window(owner: Owner, now: float) -> tuple[str, float]:
    """The rate limit's name for this minute, and when the minute is over."""
    number = int(now // WINDOW)
    return f"{owner.key}/{number}", (number + 1) * WINDOW


def too_fast(limit: int) -> ThrottlingException:
    return ThrottlingException(
        f"At most {limit} sessions can be started in a minute; try again in the next one."
    )


def too_many_questions(limit: int) -> ThrottlingException:
    return ThrottlingException(
        f"At most {limit} such requests can be made in a minute; try again in the next one."
    )


def recounted(sessions: Iterable[Session]) -> dict[str, int]:
    """How many there are by name."""
    found: dict[str, int] = {}
    for session in sessions:
        for name in names(session):
            found[name] = found.get(name, 0) + 1
    return found
