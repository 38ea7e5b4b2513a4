"""The people API: REST, regional, one resource per route of docs/protocol.md."""

from __future__ import annotations

from aws_cdk import aws_apigateway as apigateway
from constructs import Construct

from infra.config import Config
from infra.function import FamilyFunction
from infra.rest import RestFront, Throttle

#: What somebody who opens sessions needs.
USER_ROUTES = (
    ("POST", "/nodes/{nodeId}/sessions"),
    ("GET", "/sessions"),
    ("GET", "/sessions/{sessionId}"),
    ("POST", "/sessions/{sessionId}/resume"),
    ("DELETE", "/sessions/{sessionId}"),
    ("GET", "/nodes"),
    ("GET", "/nodes/{nodeId}/connection"),
)
#: A lifecycle connection, where the deployment has them.
LIFECYCLE_ROUTES = (("POST", "/connections"),)
#: Reading session documents, and changing them: `ssm:*` statements decide which.
DOCUMENT_ROUTES = (
    ("GET", "/documents"),
    ("GET", "/documents/{documentName}"),
    ("GET", "/documents/{documentName}/content"),
    ("GET", "/documents/{documentName}/versions"),
    ("POST", "/documents"),
    ("PUT", "/documents/{documentName}"),
    ("PUT", "/documents/{documentName}/default-version"),
    ("DELETE", "/documents/{documentName}"),
)
#: Reading recordings: `ssm:GetSessionRecording` statements decide which.
RECORDING_ROUTES = (
    ("GET", "/sessions/{sessionId}/recording"),
    ("GET", "/sessions/{sessionId}/recording/manifest"),
    ("POST", "/sessions/{sessionId}/recording/search"),
    ("GET", "/recordings"),
)
#: What ends everybody's sessions, enrols nodes and forgets them, besides.
ADMIN_ROUTES = (
    ("POST", "/nodes/{nodeId}/reset"),
    ("POST", "/sessions/terminate"),
    ("GET", "/node-roles"),
    ("POST", "/node-roles"),
    ("DELETE", "/node-roles/{roleId}"),
    ("POST", "/access/explain"),
    ("POST", "/access/who-can"),
    ("POST", "/access/what-can"),
    ("GET", "/audit/events"),
)
#: People and their programs; a client that opens hundreds of sessions at once is told to wait.
THROTTLE = Throttle(rate=100, burst=200)
#: Ends have room of their own: whatever else people's programs do, an administrator gets through.
ENDS = (("DELETE", "/sessions/{sessionId}"), ("POST", "/sessions/terminate"))
END_THROTTLE = Throttle(rate=100, burst=200)


class PeopleApi(RestFront):
    """AWS_IAM and no resource policy: identity policies alone decide who may call."""

    def __init__(
        self,
        scope: Construct,
        config: Config,
        sessions: FamilyFunction,
        documents: FamilyFunction,
        recordings: FamilyFunction,
    ) -> None:
        super().__init__(
            scope,
            "PeopleApi",
            config,
            name="people",
            description=f"Hatchway {config.stage}: sessions and nodes, for people",
            endpoint=apigateway.EndpointConfiguration(types=[apigateway.EndpointType.REGIONAL]),
            routes={
                **dict.fromkeys((*user_routes(config), *ADMIN_ROUTES), sessions),
                **dict.fromkeys(DOCUMENT_ROUTES, documents),
                **dict.fromkeys(RECORDING_ROUTES, recordings),
            },
            throttle=THROTTLE,
            own_throttles=dict.fromkeys(ENDS, END_THROTTLE),
        )

    def arns(self, *routes: tuple[str, str]) -> list[str]:
        """Each route with any id in it."""
        return [self.arn(method, any_id(path)) for method, path in routes]


def user_routes(config: Config) -> tuple[tuple[str, str], ...]:
    """What somebody who opens sessions may call, in this deployment."""
    return (*USER_ROUTES, *(LIFECYCLE_ROUTES if config.lifecycle_connections else ()))


def any_id(path: str) -> str:
    """The path with `*` for each of its parameters."""
    return "/".join("*" if part.startswith("{") else part for part in path.split("/"))
