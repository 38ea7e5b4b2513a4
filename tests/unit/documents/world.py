"""The documents family over in-memory twins, beside the sessions family on the same store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hatchway.core.documents.floor import NO_FLOOR, Floor
from lambdas.documents.handler import make_handler
from lambdas.documents.service import Service
from lambdas.memory.later import MemoryReviews
from tests.unit.sessions.world import ACCOUNT, CHANNEL_ROLE, REGION, Answer, Person, World

SHELL: Mapping[str, Any] = {
    "schemaVersion": "1.0",
    "description": "Of the team",
    "sessionType": "Standard_Stream",
    "inputs": {"idleSessionTimeout": "10"},
}


def arn(name: str) -> str:
    return f"arn:aws:ssm:{REGION}:{ACCOUNT}:document/{name}"


def shell(**inputs: Any) -> str:
    return json.dumps({**SHELL, "inputs": inputs})


class Documents:
    """People write documents, and start sessions with them in `world`."""

    def __init__(self, floor: Floor = NO_FLOOR) -> None:
        self.world = World()
        self.reviews = MemoryReviews()
        self.store = self.world.documents
        service = Service(
            documents=self.store,
            nodes=self.world.nodes,
            policies=self.world.policies,
            reviews=self.reviews,
            clock=self.world.clock,
            region=REGION,
            channel_role_id=CHANNEL_ROLE,
            floor=floor,
        )
        self.handler = make_handler(service, self.world.lines)

    def call(
        self,
        person: Person,
        route: str,
        name: str = "",
        body: Mapping[str, object] | None = None,
        **query: str,
    ) -> Answer:
        method, resource = route.split(" ")
        event = {
            "resource": resource,
            "path": "/x",
            "httpMethod": method,
            "headers": {},
            "multiValueHeaders": {},
            "multiValueQueryStringParameters": {k: [v] for k, v in query.items()} or None,
            "pathParameters": {"documentName": name} if name else None,
            "requestContext": {
                "accountId": ACCOUNT,
                "requestId": "request-1",
                "apiId": "a1b2c3d4e5",
                "stage": "local",
                "identity": person.identity(),
            },
            "body": json.dumps(body) if body is not None else None,
            "isBase64Encoded": False,
        }
        answer: Any = self.handler(event, None)
        return Answer(answer["statusCode"], json.loads(answer["body"]), {})

    def create(self, person: Person, name: str, content: str, form: str = "JSON") -> Answer:
        body = {"Name": name, "Content": content, "DocumentFormat": form}
        return self.call(person, "POST /documents", body=body)

    def update(self, person: Person, name: str, content: str, **members: str) -> Answer:
        body = {"Content": content, **members}
        return self.call(person, "PUT /documents/{documentName}", name, body)

    def set_default(self, person: Person, name: str, version: str) -> Answer:
        route = "PUT /documents/{documentName}/default-version"
        return self.call(person, route, name, {"DocumentVersion": version})

    def describe(self, person: Person, name: str, **query: Any) -> Answer:
        return self.call(person, "GET /documents/{documentName}", name, **query)

    def get(self, person: Person, name: str, **query: Any) -> Answer:
        return self.call(person, "GET /documents/{documentName}/content", name, **query)

    def list(self, person: Person, **query: Any) -> Answer:
        return self.call(person, "GET /documents", **query)

    def versions(self, person: Person, name: str, **query: Any) -> Answer:
        return self.call(person, "GET /documents/{documentName}/versions", name, **query)

    def delete(self, person: Person, name: str, **query: Any) -> Answer:
        return self.call(person, "DELETE /documents/{documentName}", name, **query)
