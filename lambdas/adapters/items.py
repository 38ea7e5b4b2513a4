"""The table's items: their keys and how records become items and back. No AWS call is made here.

Attributes are named as the fields of the records; numbers keep every digit. `events` reads the
images of the table's stream with `session_of` and `node_of`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hatchway.core.lifecycle import ENDED, Status
from hatchway.core.names import Owner
from hatchway.core.transcript.stated import Stated
from lambdas.adapters.retention import CONNECTION, forgotten_at, place_of
from lambdas.ports import (
    Circumstances,
    Connection,
    Count,
    Node,
    NodeRole,
    Request,
    Session,
    Token,
)

#: Attribute values as DynamoDB has them, {"S": …} and so on.
Item = dict[str, Any]
Image = Mapping[str, Any]

STATE = "STATE"
ACTIVE, HISTORY, NODES, ROLES = "SESSIONS#Active", "SESSIONS#History", "NODES", "ROLES"
COUNTS = "COUNTS"
#: In the place of a target: ended sessions that still have a connection.
LINGERING = "LINGERING"
#: How much longer than a token or request its item is kept.
MARGIN = 3600


def key(kind: str, name: str) -> Item:
    """The primary key: SESSION, TOKEN, CONNECTION, NODE, ROLE, REQUEST, COUNT, RATE or ASKED,
    and its id."""
    return {"pk": {"S": f"{kind}#{name}"}, "sk": {"S": STATE}}


def kind_of(image: Image) -> str:
    """SESSION, NODE, TOKEN …: what an item of the table (or an image of its stream) is."""
    return str(image["pk"]["S"]).partition("#")[0]


def of_session(session: Session, history: float) -> Item:
    forgotten = forgotten_at(session, history)
    item = {
        **key("SESSION", session.session_id),
        "gsi1pk": text(HISTORY if session.status in ENDED else ACTIVE),
        "gsi1sk": text(place_of(session)),
        "gsi2pk": text(f"OWNER#{session.owner_arn}"),
        "gsi2sk": text(place_of(session)),
        "session_id": text(session.session_id),
        "target": text(session.target),
        "owner_account": text(session.owner.account),
        "owner_userid": text(session.owner.userid),
        "owner_arn": text(session.owner_arn),
        "status": text(session.status.value),
        "started": number(session.started),
        "document_name": text(session.document_name),
        "document": text(session.document),
        "document_version": text(session.document_version),
        "run_as": text(session.run_as),
        "node_name": text(session.node_name),
        "reason": text(session.reason),
        "ended": number(session.ended),
        "end_reason": text(session.end_reason),
        "generation": number(session.generation),
        "connection": text(session.connection),
        "agent_instance": text(session.agent_instance),
        "activity": number(session.activity),
        "status_since": number(session.status_since),
        "document_named": {"BOOL": session.document_named},
        "access_ends": number(session.access_ends),
        "proven": number(session.proven),
        "attached": number(session.attached),
        "takeovers": number(session.takeovers),
        "marked": number(session.marked),
        "idle_ends": number(session.idle_ends),
        "duration_ends": number(session.duration_ends),
        "spare": text(session.spare),
        "version": number(session.version),
    }
    if session.exit_code is not None:
        item["exit_code"] = number(session.exit_code)
    if session.stated is not None:
        item["stated"] = of_stated(session.stated)
    if session.about is not None:
        item["about"] = of_circumstances(session.about)
    if forgotten is None:
        item["gsi3pk"] = text(f"TARGET#{session.target}")
        item["gsi3sk"] = text(place_of(session))
    else:
        item["ttl"] = number(int(forgotten))
        item["forgotten"] = number(forgotten)
        if session.connection:
            item["gsi3pk"] = text(LINGERING)
            item["gsi3sk"] = text(place_of(session))
    return item


def of_circumstances(about: Circumstances) -> Item:
    return {
        "M": {
            "source_ip": text(about.source_ip),
            "user_agent": text(about.user_agent),
            "organisation": text(about.organisation),
            "long_term": {"BOOL": about.long_term},
        }
    }


def of_stated(stated: Stated) -> Item:
    return {
        "M": {
            "sent": number(stated.sent),
            "taken": number(stated.taken),
            "client": text(stated.client),
        }
    }


def stated_of(members: Image) -> Stated:
    return Stated(
        sent=int(members["sent"]["N"]),
        taken=int(members["taken"]["N"]),
        client=members["client"]["S"],
    )


def circumstances_of(members: Image) -> Circumstances:
    return Circumstances(
        source_ip=members["source_ip"]["S"],
        user_agent=members["user_agent"]["S"],
        organisation=members["organisation"]["S"],
        long_term=bool(members["long_term"]["BOOL"]),
    )


def session_of(image: Image) -> Session:
    """The session of an item; one from before a field was recorded has the field's default."""
    return Session(
        session_id=image["session_id"]["S"],
        target=image["target"]["S"],
        owner=Owner(image["owner_account"]["S"], image["owner_userid"]["S"]),
        owner_arn=image["owner_arn"]["S"],
        status=Status(image["status"]["S"]),
        started=float(image["started"]["N"]),
        document_name=image["document_name"]["S"],
        document=image["document"]["S"],
        document_version=_word(image, "document_version"),
        run_as=_word(image, "run_as"),
        node_name=_word(image, "node_name"),
        reason=image["reason"]["S"],
        ended=float(image["ended"]["N"]),
        end_reason=image["end_reason"]["S"],
        exit_code=int(image["exit_code"]["N"]) if "exit_code" in image else None,
        stated=stated_of(image["stated"]["M"]) if "stated" in image else None,
        generation=int(image["generation"]["N"]),
        connection=image["connection"]["S"],
        agent_instance=image["agent_instance"]["S"],
        activity=float(image["activity"]["N"]),
        status_since=float(image["status_since"]["N"]),
        about=circumstances_of(image["about"]["M"]) if "about" in image else None,
        document_named=_flag(image, "document_named"),
        access_ends=float(image.get("access_ends", {}).get("N", 0)),
        proven=float(image.get("proven", {}).get("N", 0)),
        attached=float(image.get("attached", {}).get("N", 0)),
        takeovers=int(image.get("takeovers", {}).get("N", 0)),
        marked=int(image.get("marked", {}).get("N", -1)),
        idle_ends=float(image.get("idle_ends", {}).get("N", 0)),
        duration_ends=float(image.get("duration_ends", {}).get("N", 0)),
        spare=_word(image, "spare"),
        version=int(image["version"]["N"]),
    )


def sessions_of(images: Iterable[Image]) -> tuple[tuple[Session, ...], int]:
    """The sessions of items, and how many were unreadable: one that somebody has broken, or a
    later version has written, must not hide the others."""
    found, unreadable = [], 0
    for image in images:
        try:
            found.append(session_of(image))
        except (KeyError, TypeError, ValueError):
            unreadable += 1
    return tuple(found), unreadable


def of_count(count: Count, now: float) -> Item:
    return {
        **key("COUNT", count.name),
        "gsi1pk": text(COUNTS),
        "gsi1sk": text(count.name),
        "sessions": number(count.sessions),
        "changed": number(now),
    }


def count_of(image: Image) -> Count:
    return Count(
        name=image["pk"]["S"].partition("#")[2],
        sessions=int(image["sessions"]["N"]),
        changed=float(image["changed"]["N"]),
    )


def of_token(token: Token) -> Item:
    return {
        **key("TOKEN", token.digest),
        "session_id": text(token.session_id),
        "expires": number(token.expires),
        "connection": text(token.connection),
        "source_ip": text(token.source_ip),
        "reconnects": {"BOOL": token.reconnects},
        "generation": number(token.generation),
        "spare": {"BOOL": token.spare},
        "ttl": number(int(token.expires) + MARGIN),
    }


def token_of(image: Image) -> Token:
    return Token(
        digest=image["pk"]["S"].partition("#")[2],
        session_id=image["session_id"]["S"],
        expires=float(image["expires"]["N"]),
        connection=image["connection"]["S"],
        source_ip=image.get("source_ip", {}).get("S", ""),
        reconnects=_flag(image, "reconnects"),
        generation=int(image.get("generation", {}).get("N", "0")),
        spare=_flag(image, "spare"),
    )


def of_connection(connection: Connection, now: float) -> Item:
    return {
        **key("CONNECTION", connection.connection),
        "session_id": text(connection.session_id),
        "generation": number(connection.generation),
        "reconnects": {"BOOL": connection.reconnects},
        "ttl": number(int(now + CONNECTION)),
    }


def connection_of(image: Image) -> Connection:
    return Connection(
        connection=image["pk"]["S"].partition("#")[2],
        session_id=image["session_id"]["S"],
        generation=int(image["generation"]["N"]),
        reconnects=_flag(image, "reconnects"),
    )


def _word(image: Image, name: str) -> str:
    """Empty for an item from before it was recorded."""
    return str(image.get(name, {}).get("S", ""))


def _flag(image: Image, name: str) -> bool:
    """False for an item from before it was recorded."""
    return bool(image.get(name, {}).get("BOOL", False))


def request_key(request: Request) -> Item:
    return key("REQUEST", f"{request.owner.key}#{request.token}")


def of_request(request: Request) -> Item:
    return {
        **request_key(request),
        "fingerprint": text(request.fingerprint),
        "session_id": text(request.session_id),
        "expires": number(request.expires),
        "ttl": number(int(request.expires) + MARGIN),
    }


def of_node(node: Node) -> Item:
    return {
        **key("NODE", node.node_id),
        "gsi1pk": text(NODES),
        "gsi1sk": text(node.node_id),
        "node_id": text(node.node_id),
        "role_id": text(node.role_id),
        "enrolment": text(node.enrolment),
        "name": text(node.name),
        "tags": {"M": {name: text(value) for name, value in node.tags.items()}},
        "agent_version": text(node.agent_version),
        "agent_instance": text(node.agent_instance),
        "platform": text(node.platform),
        "online": {"BOOL": node.online},
        "last_seen": number(node.last_seen),
        "online_since": number(node.online_since),
        "presence_session": text(node.presence_session),
        "presence_version": number(node.presence_version),
        "version": number(node.version),
    }


def node_of(image: Image) -> Node:
    return Node(
        node_id=image["node_id"]["S"],
        role_id=image["role_id"]["S"],
        enrolment=image["enrolment"]["S"],
        name=image["name"]["S"],
        tags={name: value["S"] for name, value in image["tags"]["M"].items()},
        agent_version=image["agent_version"]["S"],
        agent_instance=image["agent_instance"]["S"],
        platform=image["platform"]["S"],
        online=bool(image["online"]["BOOL"]),
        last_seen=float(image["last_seen"]["N"]),
        online_since=float(image["online_since"]["N"]),
        presence_session=image["presence_session"]["S"],
        presence_version=int(image["presence_version"]["N"]),
        version=int(image["version"]["N"]),
    )


def of_role(role: NodeRole) -> Item:
    return {
        **key("ROLE", role.role_id),
        "gsi1pk": text(ROLES),
        "gsi1sk": text(role.role_id),
        "role_id": text(role.role_id),
        "role_arn": text(role.role_arn),
    }


def role_of(image: Image) -> NodeRole:
    return NodeRole(role_id=image["role_id"]["S"], role_arn=image["role_arn"]["S"])


def text(value: str) -> Item:
    """A string attribute."""
    return {"S": value}


def number(value: float) -> Item:
    """A number attribute."""
    # repr keeps every digit of a double, and DynamoDB's 38 digits hold it.
    return {"N": repr(value)}
