"""The sessions family over in-memory twins, and people who call it as API Gateway would."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hatchway.core.lifecycle import Status
from hatchway.core.names import Owner
from hatchway.core.tokens import token_digest
from lambdas.destinations import Allowed
from lambdas.logline import Field
from lambdas.memory.clock import CountedRandom, ManualClock
from lambdas.memory.connections import MemoryClients
from lambdas.memory.destinations import MemoryDestinations
from lambdas.memory.documents import MemoryDocuments
from lambdas.memory.ec2 import MemoryInstances
from lambdas.memory.iam import MemoryDirectory, MemoryPolicies, MemoryRoles, principal
from lambdas.memory.iot import MemoryDownlink, MemoryPresence
from lambdas.memory.nodes import MemoryNodes
from lambdas.memory.recordings import MemoryRecordings
from lambdas.memory.sessions import MemorySessions
from lambdas.memory.trail import MemoryTrailLog
from lambdas.ports import InstanceFacts, KnownPrincipal, Node, Session
from lambdas.sessions.handler import make_handler
from lambdas.sessions.service import Service

ACCOUNT = "123456789012"
#: Where documents may have logs go.
ALLOWED = Allowed(
    own_bucket="archive",
    own_group="/hatchway/local/sessions",
    owner=ACCOUNT,
    buckets=frozenset({"logs"}),
    groups=frozenset({"/logs"}),
)
REGION = "eu-west-1"
NODE = "i-0123456789abcdef0"
DARK = "i-0fedcba9876543210"  # an instance whose agent is not connected
GONE = "i-00000000000000000"  # no instance
CHANNEL_ROLE = "AROACHANNELROLEEXAMPL"
STREAM = "wss://stream.invalid/local"
CONNECTION = "L0SM9cOFvHcCIhw="
WEB = {"team": "web", "Name": "web-1"}

Document = Mapping[str, object]


def allow(*actions: str, on: str | Sequence[str] = "*", **more: object) -> Document:
    """A policy of one Allow."""
    return policy("Allow", actions, on, **more)


def deny(*actions: str, on: str | Sequence[str] = "*", **more: object) -> Document:
    return policy("Deny", actions, on, **more)


def policy(
    effect: str, actions: Sequence[str], resource: str | Sequence[str], **more: object
) -> Document:
    statement = {"Effect": effect, "Action": list(actions), "Resource": resource, **more}
    return {"Version": "2012-10-17", "Statement": [statement]}


EVERYTHING = allow("ssm:*")


@dataclass(frozen=True)
class Person:
    """Somebody as `requestContext.identity` tells."""

    arn: str
    userid: str
    account: str = ACCOUNT
    access_key: str = "AKIAEXAMPLE"
    source_ip: str = "192.0.2.7"

    @property
    def owner(self) -> Owner:
        return Owner(self.account, self.userid)

    def identity(self) -> dict[str, object]:
        return {
            "accountId": self.account,
            "caller": self.userid,
            "user": self.userid,
            "userArn": self.arn,
            "accessKey": self.access_key,
            "sourceIp": self.source_ip,
            "userAgent": "hatchway/1",
            "principalOrgId": None,
        }


@dataclass(frozen=True)
class Answer:
    status: int
    members: Mapping[str, Any]
    headers: Mapping[str, str]

    @property
    def code(self) -> str:
        return str(self.members.get("__type", ""))

    @property
    def denied(self) -> bool:
        """Whether it was the caller's policies that refused."""
        return self.code == "AccessDeniedException" and "is not authorized" in self.message

    @property
    def message(self) -> str:
        return str(self.members.get("message", ""))


class Lines:
    def __init__(self) -> None:
        self.written: list[tuple[str, Mapping[str, Field]]] = []

    def __call__(self, level: str, fields: Mapping[str, Field]) -> None:
        self.written.append((level, dict(fields)))


class World:
    """Two instances of the team web, one of them connected; nobody may do anything yet."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.sessions = MemorySessions(self.clock)
        self.nodes = MemoryNodes()
        self.clients = MemoryClients()
        self.downlink = MemoryDownlink()
        self.presence = MemoryPresence()
        self.instances = MemoryInstances(
            *(
                InstanceFacts(node_id=n, running=True, profile_arn="", tags=WEB)
                for n in (NODE, DARK)
            )
        )
        self.roles = MemoryRoles()
        self.policies = MemoryPolicies()
        self.directory = MemoryDirectory()
        self.documents = MemoryDocuments()
        self.recordings = MemoryRecordings()
        self.destinations = MemoryDestinations()
        self.trail = MemoryTrailLog()
        self.lines = Lines()
        self.stream_address = "192.0.2.7"  # of whoever holds the session's connection
        self.service = Service(
            sessions=self.sessions,
            nodes=self.nodes,
            clients=self.clients,
            downlink=self.downlink,
            presence=self.presence,
            instances=self.instances,
            roles=self.roles,
            policies=self.policies,
            directory=self.directory,
            documents=self.documents,
            recordings=self.recordings,
            trail=self.trail,
            encryption=self.destinations,
            allowed=ALLOWED,
            clock=self.clock,
            random=CountedRandom(),
            stage="local",
            region=REGION,
            stream_url=STREAM,
            channel_role_id=CHANNEL_ROLE,
        )
        self.handler = make_handler(self.service, self.lines)
        self.nodes.create(Node(node_id=NODE, name="web-1", tags=WEB, online=True))
        self.nodes.create(Node(node_id=DARK, enrolment="e" * 64))

    # --- people ---

    def user(
        self, name: str, *documents: Document, tags: Mapping[str, str] | None = None
    ) -> Person:
        """An IAM user with these policies."""
        userid = "AIDAUSER" + name.encode().hex().upper()[:60]
        person = Person(f"arn:aws:iam::{ACCOUNT}:user/{name}", userid)
        self.policies.add(person.arn, userid, principal(*documents, tags=tags or {}))
        self.directory.add(KnownPrincipal(arn=person.arn, name=name, user_id=userid))
        return person

    def role(self, role: str, session: str, *documents: Document) -> Person:
        """A role session; the role has the path /ops/, which the session's ARN lacks."""
        userid = f"AROAROLE{role.encode().hex().upper()[:60]}:{session}"
        person = Person(
            f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{session}",
            userid,
            access_key="ASIAEXAMPLE",
        )
        found = replace(principal(*documents), role_arn=f"arn:aws:iam::{ACCOUNT}:role/ops/{role}")
        self.policies.add(person.arn, userid, found)
        known = KnownPrincipal(arn=found.role_arn, name=role, role_id=userid.partition(":")[0])
        self.directory.add(known)
        self.policies.add_role(known, found)
        return person

    # --- calls ---

    def call(
        self,
        person: Person,
        route: str,
        *,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, Sequence[str]] | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        account: str = ACCOUNT,
    ) -> Answer:
        """One request; a body that is not text travels as JSON."""
        method, resource = route.split(" ")
        event = {
            "resource": resource,
            "path": "/base/of/a/custom/domain",
            "httpMethod": method,
            "headers": dict(headers or {}),
            "multiValueHeaders": {k: [v] for k, v in (headers or {}).items()},
            "queryStringParameters": None,
            "multiValueQueryStringParameters": {k: list(v) for k, v in (query or {}).items()}
            or None,
            "pathParameters": dict(path or {}) or None,
            "requestContext": {
                "accountId": account,
                "requestId": "request-1",
                "apiId": "a1b2c3d4e5",
                "stage": "local",
                "identity": person.identity(),
            },
            "body": body if body is None or isinstance(body, str) else json.dumps(body),
            "isBase64Encoded": False,
        }
        return self.send(event)

    def send(self, event: Mapping[str, Any]) -> Answer:
        answer = self.handler(event, None)
        return Answer(answer["statusCode"], json.loads(answer["body"]), answer["headers"])

    def start(self, person: Person, node: str = NODE, body: object = None) -> Answer:
        return self.call(person, "POST /nodes/{nodeId}/sessions", path={"nodeId": node}, body=body)

    def resume(self, person: Person, session_id: str, **members: object) -> Answer:
        return self.call(
            person,
            "POST /sessions/{sessionId}/resume",
            path={"sessionId": session_id},
            body=members or None,
        )

    def terminate(self, person: Person, session_id: str) -> Answer:
        return self.call(person, "DELETE /sessions/{sessionId}", path={"sessionId": session_id})

    # --- sessions ---

    def session(self, session_id: str) -> Session:
        found = self.sessions.get(session_id)
        assert found is not None
        return found

    def started(self, person: Person, body: object = None) -> Session:
        """A session of `person`, who may do so."""
        answer = self.start(person, body=body)
        assert answer.status == 200, answer
        return self.session(answer.members["SessionId"])

    def connected(self, person: Person) -> Session:
        """A session with an agent and a client attached."""
        session = self.started(person)
        self.clients.open(CONNECTION)
        return self.sessions.update(
            session,
            replace(
                session,
                status=Status.CONNECTED,
                agent_instance="a1",
                connection=CONNECTION,
                generation=1,
                attached=self.clock(),
            ),
        )

    def ended(self, person: Person) -> Session:
        session = self.started(person)
        return self.sessions.update(
            session, replace(session, status=Status.TERMINATED, ended=self.clock())
        )

    def token_opens(self, token: str) -> str:
        """The session that a token opens now, "" for none."""
        found = self.sessions.use_token(token_digest(token), CONNECTION, self.clock())
        return found.session_id if found else ""

    # --- the stream ---

    def frame(
        self, session: Session, route: str, body: object = None, /, **context: object
    ) -> Mapping[str, Any]:
        """Sends a JSON frame on the session's connection; its answer ({} for none)."""
        event = {
            "requestContext": {
                "routeKey": route,
                "eventType": "MESSAGE",
                "connectionId": CONNECTION,
                "requestId": "request-1",
                "identity": {"sourceIp": self.stream_address},
                "authorizer": {
                    "session": session.session_id,
                    "side": "client",
                    "node": session.target,
                    "owner": session.owner.key,
                    "generation": str(session.generation),
                    **context,
                },
            },
            "body": body if isinstance(body, str) else json.dumps(body or {"action": route}),
            "isBase64Encoded": False,
        }
        before = len(self.clients.sent.get(CONNECTION, []))
        self.handler(event, None)
        posted = self.clients.sent.get(CONNECTION, [])[before:]
        return json.loads(posted[0]) if posted else {}
