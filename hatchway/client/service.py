"""The people API, signed with the caller's ordinary AWS credentials, as typed calls."""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.config import Config

from hatchway import __version__
from hatchway.client.access import Access, Explained
from hatchway.client.audit import AuditEvent
from hatchway.client.command_line import PIPED_DOCUMENT, command_parameters
from hatchway.client.documents import Documents
from hatchway.client.failures import translated
from hatchway.client.records import (
    Node,
    NodeReset,
    NodeRole,
    SessionRecord,
    Started,
    Terminations,
)
from hatchway.client.targets import resolve
from hatchway.client.waiting import when_connected
from hatchway.core.errors import InternalServerError, ValidationException
from hatchway.core.names import TRACE_HEADER
from hatchway.net import settings as configuration
from hatchway.net.settings import Settings

if TYPE_CHECKING:
    from hatchway.client.process import Process
    from hatchway.client.recordings import Recordings
    from hatchway.client.session import Session
    from hatchway.client.stream import Stream

_LOG = logging.getLogger(__name__)
DATA = Path(__file__).with_name("data")
CONNECT_SECONDS = 10
#: API Gateway answers within 29 s, or with an error.
READ_SECONDS = 35
ATTEMPTS = 3
MAX_PAGES = 500


def load_settings(path: Path | None = None, region: str | None = None) -> Settings:
    """The settings from the configuration file and this process's environment."""
    return configuration.load(os.environ, path, region)


class Hatchway:
    """One deployment of Hatchway, as one person sees it. Every failure is a HatchwayError."""

    def __init__(self, settings: Settings, profile: str | None = None) -> None:
        self.settings = settings
        with translated():
            self._client = _client(settings, profile)

    # --- sessions -------------------------------------------------------------------------------

    def start(
        self,
        target: str | None = None,
        *,
        document: str | None = None,
        reason: str | None = None,
        parameters: Mapping[str, Sequence[str]] | None = None,
        wait: float = 0.0,
    ) -> Started:
        """Starts a session on a node (id, Name or `tag:key=value`) without opening its stream.
        `wait`: seconds to wait for a node that is not connected; TargetNotConnected then."""

        def once() -> Started:
            asked = {
                "Target": self.resolve(target),
                "DocumentName": document,
                "Reason": reason,
                "Parameters": {k: list(v) for k, v in parameters.items()} if parameters else None,
                "ClientRequestToken": str(uuid.uuid4()),
            }
            return Started.of(self._call("start_session", **asked))

        return when_connected(once, wait)

    def start_session(
        self,
        target: str | None = None,
        *,
        document: str | None = None,
        reason: str | None = None,
        parameters: Mapping[str, Sequence[str]] | None = None,
    ) -> Session:
        """A session to use from synchronous code, as a context manager."""
        from hatchway.client.session import Session

        started = self.start(target, document=document, reason=reason, parameters=parameters)
        return Session(self, started)

    def run(
        self,
        target: str | None,
        command: Sequence[str],
        *,
        reason: str | None = None,
        wait: float = 0.0,
    ) -> Process:
        """A command (its words, which no shell changes) to use from synchronous code, as a context
        manager: no terminal, its streams apart. `wait` as for `start`."""
        from hatchway.client.process import Process

        return Process(
            self,
            self.start(
                target,
                document=PIPED_DOCUMENT,
                reason=reason,
                parameters=command_parameters(command),
                wait=wait,
            ),
        )

    def open_stream(self, started: Started) -> Stream:
        """The stream of a session that was just started, for asyncio; it resumes by itself."""
        from hatchway.client.connecting import stream_of

        return stream_of(self, started)

    def resume(self, session_id: str, *, reconnect: bool = False) -> Started:
        """Another token for a session that has not ended; its owner only. `reconnect` says that a
        program goes on by itself: that is no activity."""
        asked = {"SessionId": session_id, "Reconnect": reconnect or None}
        return Started.of(self._call("resume_session", **asked))

    def terminate(self, session_id: str) -> None:
        """Ends a session for good."""
        self._call("terminate_session", SessionId=session_id)

    def terminate_sessions(
        self, *, owner: str | None = None, target: str | None = None, every: bool = False
    ) -> Terminations:
        """Ends all sessions of an owner (the ARN of a user, role or role session), of a node, or
        all there are, as far as the caller may; exactly one of the three is given."""
        asked = {
            "Owner": owner,
            "Target": self.resolve(target) if target else None,
            "All": every or None,
        }
        ended, token = Terminations(), None
        for _ in range(MAX_PAGES):
            page = self._call("terminate_sessions", NextToken=token, **asked)
            ended = ended.and_(page)
            token = page.get("NextToken")
            if not token:
                return ended
        raise InternalServerError(f"There are more than {MAX_PAGES} pages of sessions.")

    def session(self, session_id: str) -> SessionRecord:
        """One session."""
        return SessionRecord.of(self._call("get_session", SessionId=session_id))

    def sessions(
        self, state: str = "Active", filters: Mapping[str, str] | None = None
    ) -> Iterator[SessionRecord]:
        """Sessions, newest first; `state` is Active or History."""
        asked = [f"{key}={value}" for key, value in (filters or {}).items()]
        for members in self._pages(
            "describe_sessions", "Sessions", State=state, Filter=asked or None
        ):
            yield SessionRecord.of(members)

    def audit(
        self,
        *,
        user: str | None = None,
        target: str | None = None,
        event: str | None = None,
        since: int | None = None,
        until: int | None = None,
    ) -> Iterator[AuditEvent]:
        """API calls, oldest first; all that is given must hold. Times are unix seconds, an hour
        ago to now where they are absent. `target` is a node id."""
        for members in self._pages(
            "lookup_events",
            "Events",
            User=user,
            Target=target,
            EventName=event,
            StartTime=str(since) if since is not None else None,
            EndTime=str(until) if until is not None else None,
        ):
            yield AuditEvent.of(members)

    # --- nodes ----------------------------------------------------------------------------------

    def nodes(self) -> Iterator[Node]:
        """All nodes that have enrolled."""
        for members in self._pages("describe_nodes", "Nodes"):
            yield Node.of(members)

    def resolve(self, target: str | None) -> str:
        """The node id that `target` means; the configured node when there is none."""
        wanted = target or self.settings.node_id
        if not wanted:
            raise ValidationException("No target: name a node, or set node_id in the settings.")
        return resolve(wanted, self.nodes)

    def connected(self, node_id: str) -> bool:
        """Whether the node's agent is connected."""
        found = self._call("get_connection_status", Target=node_id)
        return found.get("Status") == "connected"

    def reset_node(self, node_id: str, enrolment: str | None = None) -> NodeReset:
        """Forgets a node's enrolment, ends its sessions, closes its connections. `enrolment` is
        the SHA-256 of the agent's new secret: then no other enrols the node."""
        return NodeReset.of(self._call("reset_node", NodeId=node_id, EnrolmentDigest=enrolment))

    def node_roles(self) -> list[NodeRole]:
        """The roles whose instances may enrol."""
        return [
            NodeRole.of(members) for members in _list(self._call("list_node_roles"), "NodeRoles")
        ]

    def allow_node_role(self, role_arn: str) -> NodeRole:
        """Lets the instances of a role enrol; only a role that EC2 alone may assume."""
        return NodeRole.of(self._call("allow_node_role", RoleArn=role_arn))

    def remove_node_role(self, role_id: str) -> None:
        """Takes a role off the list."""
        self._call("remove_node_role", RoleId=role_id)

    # --- documents ------------------------------------------------------------------------------

    @property
    def documents(self) -> Documents:
        """Session documents: their versions, the preferences and the preference rules."""
        return Documents(self._call, self._pages)

    # --- recordings -----------------------------------------------------------------------------

    @property
    def recordings(self) -> Recordings:
        """What sessions printed, as it passed: to read, to search, to check."""
        from hatchway.client.recordings import Recordings

        return Recordings(self._call, self._pages)

    # --- access ---------------------------------------------------------------------------------

    def explain_access(
        self,
        principal_arn: str | None,
        target: str,
        *,
        document: str | None = None,
        with_policies: Sequence[str] = (),
        without_policies: Sequence[str] = (),
        context: Mapping[str, Sequence[str]] | None = None,
    ) -> Explained:
        """Whether somebody (None for the caller) may start a session on a node (an id), and why;
        with policies (JSON) added and others left out, to try a change before it is made."""
        asked = {
            "PrincipalArn": principal_arn,
            "Target": target,
            "WithPolicies": list(with_policies) or None,
            "WithoutPolicies": list(without_policies) or None,
            **_asked(document, context),
        }
        return Explained.of(self._call("explain_access", **asked))

    def who_can(
        self,
        target: str,
        *,
        document: str | None = None,
        context: Mapping[str, Sequence[str]] | None = None,
    ) -> Iterator[Access]:
        """The users and roles who may start a session on a node (an id)."""
        asked = _asked(document, context)
        for members in self._pages("who_can", "Principals", Target=target, **asked):
            yield Access.of_principal(members)

    def what_can(
        self,
        principal_arn: str | None,
        *,
        document: str | None = None,
        context: Mapping[str, Sequence[str]] | None = None,
    ) -> Iterator[Access]:
        """The nodes on which somebody may start a session."""
        asked = _asked(document, context)
        for members in self._pages("what_can", "Nodes", PrincipalArn=principal_arn, **asked):
            yield Access.of_node(members)

    # --- one call -------------------------------------------------------------------------------

    def _call(self, operation: str, **members: object) -> Mapping[str, Any]:
        given = {name: value for name, value in members.items() if value is not None}
        with translated():
            answer: Mapping[str, Any] = getattr(self._client, operation)(**given)
        return answer

    def _pages(self, operation: str, result: str, **members: object) -> Iterator[Mapping[str, Any]]:
        token = None
        for _ in range(MAX_PAGES):
            page = self._call(operation, NextToken=token, **members)
            yield from _list(page, result)
            token = page.get("NextToken")
            if not token:
                return
        raise InternalServerError(f"The list has more than {MAX_PAGES} pages.")


def _asked(document: str | None, context: Mapping[str, Sequence[str]] | None) -> dict[str, object]:
    assumed = {key: list(values) for key, values in (context or {}).items()}
    return {"DocumentName": document, "Context": assumed or None}


def _list(answer: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = answer.get(name) or []
    return found


def _client(settings: Settings, profile: str | None) -> Any:
    session = botocore.session.Session(profile=profile)
    session.get_component("data_loader").search_paths.insert(0, str(DATA))
    name: Any = "hatchway"  # a service that botocore's type stubs do not know
    client = session.create_client(
        name,
        region_name=settings.region,
        endpoint_url=settings.api_url,
        # Never False: the certificate is always checked.
        verify=str(settings.ca_bundle) if settings.ca_bundle else None,
        config=Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            user_agent_extra=f"hatchway/{__version__}",
        ),
    )
    client.meta.events.register("before-sign.hatchway", _traced(uuid.uuid4().hex))
    return client


def _traced(trace: str) -> Callable[..., None]:
    """All calls of one program are one trace: the service's log lines and records bear it."""
    header = f"Root=1-{trace[:8]}-{trace[8:]}"
    _LOG.debug("trace %s", header)

    def add(request: Any, **_more: object) -> None:
        if TRACE_HEADER not in request.headers:
            request.headers[TRACE_HEADER] = header

    return add
