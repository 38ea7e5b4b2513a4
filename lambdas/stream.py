"""Events of the stream API, typed: whose connection it is comes from the authorizer and only there.

API Gateway freezes the authorizer's context at `$connect` and hands it to every later message.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from hatchway.core import names
from hatchway.core.errors import TokenInvalid, ValidationException
from hatchway.core.recording import DEFAULT, Mode, Terms
from lambdas.ports import Session

#: The subprotocol that is answered; the token stands behind it in the client's header.
PROTOCOL = "hatchway.v1"
SIDE = "client"

_CAP = re.compile(r"[0-9]{1,12}\Z")
_GENERATION = re.compile(r"[1-9][0-9]{0,8}\Z")
#: API Gateway's connection ids look like `L0SM9cOFvHcCIhw=`.
_CONNECTION = re.compile(r"[A-Za-z0-9_=+/-]{8,64}\Z")


@dataclass(frozen=True, slots=True)
class Attached:
    """Whose connection a message came on; `reconnects` as its token has it."""

    connection: str
    session_id: str
    node: str
    owner: str
    generation: int
    reconnects: bool = False
    terms: Terms = DEFAULT


def context(
    session: Session, generation: int, terms: Terms, *, reconnects: bool = False
) -> dict[str, str]:
    """The authorizer's context for a client of `session`; API Gateway takes scalars only."""
    return {
        "session": session.session_id,
        "side": SIDE,
        "node": session.target,
        "owner": session.owner.key,
        "arn": session.owner_arn,  # for the audit trail
        "generation": str(generation),
        "record": terms.mode.value,
        "recordTyped": "true" if terms.typed else "false",
        "recordCap": str(terms.cap),
        **({"reconnects": "true"} if reconnects else {}),
    }


def attached(event: Mapping[str, object]) -> Attached:
    """Whose message this is; TokenInvalid where the authorizer's context is not all there."""
    request = mapping(event.get("requestContext"))
    given = mapping(request.get("authorizer"))
    generation, owner = given.get("generation"), given.get("owner")
    try:
        session = names.session_id(given.get("session"))
        node = names.node_id(given.get("node"))
    except ValidationException:
        raise TokenInvalid() from None
    if given.get("side") != SIDE or not isinstance(owner, str) or not owner:
        raise TokenInvalid()
    if not isinstance(generation, str) or not _GENERATION.match(generation):
        raise TokenInvalid()
    reconnects = given.get("reconnects") == "true"
    return Attached(
        connection(event), session, node, owner, int(generation), reconnects, _terms(given)
    )


def _terms(given: Mapping[str, object]) -> Terms:
    """How the session is recorded; the defaults for a connection from before this was said."""
    cap = given.get("recordCap", "0")
    try:
        mode = Mode(str(given.get("record", Mode.BESIDE)))
    except ValueError:
        raise TokenInvalid() from None
    if not isinstance(cap, str) or not _CAP.match(cap):
        raise TokenInvalid()
    return Terms(mode, given.get("recordTyped") == "true", int(cap))


def connection(event: Mapping[str, object]) -> str:
    """The connection's id; TokenInvalid for an event without one."""
    value = mapping(event.get("requestContext")).get("connectionId")
    if not isinstance(value, str) or not _CONNECTION.match(value):
        raise TokenInvalid()
    return value


def mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def header_values(event: Mapping[str, object], name: str) -> list[str]:
    """All values of a header, whatever its spelling."""
    many, single = mapping(event.get("multiValueHeaders")), mapping(event.get("headers"))
    found: list[str] = []
    for spelling, value in (many or single).items():
        if spelling.lower() == name:
            values = value if isinstance(value, list) else [value]
            found += [one for one in values if isinstance(one, str)]
    return found
