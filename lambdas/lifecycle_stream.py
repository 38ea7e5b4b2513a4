"""Lifecycle connections on the stream API: whose one is, as the authorizer said it once.

API Gateway freezes the authorizer's context at `$connect`; it takes scalars only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from hatchway.core.errors import TokenInvalid
from hatchway.core.names import Owner
from lambdas import stream
from lambdas.ports import Circumstances, LifecycleToken

SIDE = "lifecycle"
#: Seconds that a connection is of use. The sweep closes it at most a minute later: 15 in all.
LIFE = 14 * 60.0
#: Connections of one caller at once.
MOST = 10

_MOMENT = re.compile(r"[0-9]{1,12}\Z")


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whose connection it is, and what was known of the signed request that it came of."""

    connection: str
    owner: Owner
    arn: str
    about: Circumstances
    api: str
    expires: int


def is_lifecycle(event: Mapping[str, object]) -> bool:
    """Whether the event came on a lifecycle connection; the rest of its context is not read."""
    request = stream.mapping(event.get("requestContext"))
    return stream.mapping(request.get("authorizer")).get("side") == SIDE


def context(token: LifecycleToken, now: float) -> dict[str, str]:
    """The authorizer's context for the caller that the token was given to."""
    about = token.about
    return {
        "side": SIDE,
        "account": token.owner.account,
        "userid": token.owner.userid,
        "arn": token.arn,
        "sourceIp": about.source_ip,
        "userAgent": about.user_agent,
        "organisation": about.organisation,
        "longTerm": "true" if about.long_term else "false",
        "api": token.api,
        "expires": str(int(now + LIFE)),
    }


def visitor(event: Mapping[str, object]) -> Visitor:
    """TokenInvalid where the context is not all there."""
    request = stream.mapping(event.get("requestContext"))
    given = stream.mapping(request.get("authorizer"))

    def text(name: str) -> str:
        value = given.get(name, "")
        return value if isinstance(value, str) else ""

    expires = text("expires")
    needed = [text(name) for name in ("account", "userid", "arn", "api")]
    if text("side") != SIDE or not all(needed) or not _MOMENT.match(expires):
        raise TokenInvalid()
    return Visitor(
        connection=stream.connection(event),
        owner=Owner(text("account"), text("userid")),
        arn=text("arn"),
        about=Circumstances(
            source_ip=text("sourceIp"),
            user_agent=text("userAgent"),
            organisation=text("organisation"),
            long_term=text("longTerm") == "true",
        ),
        api=text("api"),
        expires=int(expires),
    )
