"""The nine functions: what each is like, what it finds in its environment, what it may do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from hatchway.core.documents import floor
from hatchway.core.documents.floor import NO_FLOOR
from hatchway.core.recording import Mode
from infra.config import Config
from infra.function import Family, FamilyFunction
from infra.grants import Grants
from infra.notifications import Notifications
from infra.packaging import family_code


def _family(
    name: str, purpose: str, memory: int = 256, timeout: int = 10, *, ends: bool = False
) -> Family:
    return Family(
        name=name, folder=name, purpose=purpose, memory=memory, timeout=timeout, ends=ends
    )


CONNECT = _family("connect", "opens and closes clients' connections", memory=512)
SESSIONS = _family("sessions", "answers people", memory=512, timeout=25, ends=True)
AGENTS = _family("agents", "lets agents attach and renew", memory=512, ends=True)
UPLINK = _family("uplink", "carries what shells print to clients", memory=512)
RELAY = _family("relay", "carries what clients type to nodes", memory=512)
NODES = _family("nodes", "admits nodes and watches them", memory=512, timeout=25)
EVENTS = _family("events", "tells of changes", timeout=30)
AUDIT = _family("audit", "keeps the audit trail", timeout=60)
NOTIFY = _family("notify", "tells people", timeout=30)
SWEEP = _family("sweep", "ends what is overdue", timeout=60, ends=True)
PUSH = _family("push", "tells callers of their sessions")
DOCUMENTS = _family("documents", "keeps session documents", memory=512, timeout=25)
REVIEW = _family("review", "ends what is not permitted any more", memory=512, timeout=60, ends=True)
ARCHIVE = _family("archive", "keeps recordings", memory=1024, timeout=300, ends=True)
RECORDINGS = _family("recordings", "reads recordings to people", memory=1024, timeout=28)
#: The credentials that `channel` gives out are for the API that they were asked for at, and a
#: session policy has no room for two: a second copy of the API has a second function.
NODES_REGIONAL = replace(NODES, name="nodes-regional")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the functions are told of the world. URLs are resolved templates."""

    notifications: Notifications
    stream_url: str
    stream_management_url: str
    archive_queue_url: str


@dataclass(frozen=True, slots=True)
class Keys:
    """ARNs of the recordings' keys: the one that signs manifests, the one that opens events."""

    signing: str
    sealing: str


class Families:
    """Makes them, `nodes` first: the channel role trusts its role, others know the role's id."""

    def __init__(
        self, scope: Construct, config: Config, around: Surroundings, sources: Path
    ) -> None:
        self._scope, self._config, self._around = scope, config, around
        self._sources = sources
        self._common = {"STAGE": config.stage}
        if config.urls.iot_data:
            self._common["IOT_DATA_URL"] = config.urls.iot_data

    def nodes(self, family: Family) -> FamilyFunction:
        """Made first; what its environment says of role and API comes when they are made."""
        strict = {"REGISTERED_NODES_ONLY": "true"} if self._config.registered_nodes_only else {}
        return self._make(family, **self._table(), **self._management(), **strict)

    def connect(self, channel: iam.Role) -> FamilyFunction:
        return self._make(
            CONNECT,
            **self._table(),
            **self._management(),
            **self._floor(),
            **self._lifecycle(),
            CHANNEL_ROLE_ID=channel.role_id,
            **self._config.access_decision.environment,
            **self._guardrails(),
        )

    def push(self) -> FamilyFunction | None:
        """Where the deployment has lifecycle connections."""
        if not self._config.lifecycle_connections:
            return None
        return self._make(PUSH, **self._table(), **self._management())

    def sessions(self, channel: iam.Role, bucket: str, account: str) -> FamilyFunction:
        decoded = self._config.gateway_decodes_paths
        return self._make(
            SESSIONS,
            **self._table(),
            **self._management(),
            STREAM_URL=self._around.stream_url,
            RECORDINGS=self._config.recordings,
            **self._floor(),
            **self._destinations(bucket, account),
            **self._session_floor(),
            CHANNEL_ROLE_ID=channel.role_id,
            AUDIT_LOG=self._config.audit_log,
            **self._lifecycle(),
            **self._config.limits.environment,
            **self._config.access_decision.environment,
            **self._guardrails(),
            **({"GATEWAY_DECODES_PATHS": "true"} if decoded else {}),
        )

    def agents(self, channel: iam.Role) -> FamilyFunction:
        return self._make(
            AGENTS,
            **self._table(),
            **self._management(),
            **self._floor(),
            ARCHIVE_QUEUE=self._around.archive_queue_url,
            SEAL_SECRET=self._secret("seal"),
            TICKET_SECRET=self._secret("ticket"),
            CHANNEL_ROLE_ID=channel.role_id,
        )

    def uplink(self, channel: iam.Role, sealing_key: str) -> FamilyFunction:
        return self._make(
            UPLINK,
            **self._management(),
            **self._recording(),
            RECORDING_KEY=sealing_key,
            TICKET_SECRET=self._secret("ticket"),
            CHANNEL_ROLE_ID=channel.role_id,
        )

    def relay(self, sealing_key: str) -> FamilyFunction:
        return self._make(
            RELAY,
            **self._recording(),
            RECORDING_KEY=sealing_key,
            SEAL_SECRET=self._secret("seal"),
        )

    def events(self) -> FamilyFunction:
        return self._make(EVENTS, EVENT_BUS=self._around.notifications.bus.event_bus_name)

    def audit(self, account: str, region: str) -> FamilyFunction:
        """Its queue is made later."""
        return self._make(
            AUDIT,
            EVENT_BUS=self._around.notifications.bus.event_bus_name,
            AUDIT_LOG=self._config.audit_log,
            ARCHIVE_BUCKET=self._config.archive(account, region),
            ACCOUNT=account,
        )

    def notify(self) -> FamilyFunction:
        """The topic of alarms is made later."""
        return self._make(NOTIFY, TOPIC=self._around.notifications.topic.topic_arn)

    def sweep(self) -> FamilyFunction:
        return self._make(SWEEP, **self._table(), **self._management(), **self._lifecycle())

    def review(self, channel: iam.Role) -> FamilyFunction:
        return self._make(
            REVIEW,
            **self._table(),
            **self._management(),
            CHANNEL_ROLE_ID=channel.role_id,
            **self._config.access_decision.environment,
            **self._guardrails(),
        )

    def archive(self, bucket: str, keys: Keys, account: str) -> FamilyFunction:
        return self._make(
            ARCHIVE,
            **self._table(),
            **self._management(),
            **self._recording(),
            **self._floor(),
            **self._destinations(bucket, account),
            ARCHIVE=bucket,
            SIGNING_KEY=keys.signing,
            RECORDING_KEY=keys.sealing,
            EVENT_BUS=self._around.notifications.bus.event_bus_name,
        )

    def recordings(self, channel: iam.Role, bucket: str, keys: Keys) -> FamilyFunction:
        decoded = self._config.gateway_decodes_paths
        return self._make(
            RECORDINGS,
            **self._table(),
            RECORDINGS=self._config.recordings,
            ARCHIVE=bucket,
            SIGNING_KEY=keys.signing,
            RECORDING_KEY=keys.sealing,
            CHANNEL_ROLE_ID=channel.role_id,
            **self._config.access_decision.environment,
            **self._guardrails(),
            **({"GATEWAY_DECODES_PATHS": "true"} if decoded else {}),
        )

    def documents(self, channel: iam.Role) -> FamilyFunction:
        """The queue of changes is made later; what its environment says of it comes then."""
        return self._make(
            DOCUMENTS,
            TABLE=self._config.table,
            CHANNEL_ROLE_ID=channel.role_id,
            **self._config.access_decision.environment,
            **self._guardrails(),
            **self._session_floor(),
        )

    def _make(self, family: Family, **environment: str) -> FamilyFunction:
        code = family_code(family.folder, self._config.architecture, self._sources)
        return FamilyFunction(
            self._scope, self._config, family, code, {**self._common, **environment}
        )

    def _table(self) -> dict[str, str]:
        days = self._config.history_days
        return {"TABLE": self._config.table, **({"HISTORY_DAYS": str(days)} if days else {})}

    def _session_floor(self) -> dict[str, str]:
        """What documents cannot lower, where the deployment demands anything."""
        demanded = replace(
            self._config.floor, recording_required=self._config.recording is Mode.REQUIRED
        )
        return {} if demanded == NO_FLOOR else {"SESSION_FLOOR": floor.written(demanded)}

    def _management(self) -> dict[str, str]:
        return {"STREAM_MANAGEMENT_URL": self._around.stream_management_url}

    def _recording(self) -> dict[str, str]:
        return {
            "RECORDINGS": self._config.recordings,
            "ARCHIVE_QUEUE": self._around.archive_queue_url,
        }

    def _destinations(self, bucket: str, account: str) -> dict[str, str]:
        """Where documents may have logs go: the archive's bucket and a log group of the
        deployment's own, and what the context names."""
        floor = self._config.floor
        members = {
            "ownBucket": bucket,
            "ownGroup": self._config.session_log,
            "owner": account,
            "buckets": list(floor.log_buckets),
            "groups": list(floor.log_groups),
        }
        return {"LOG_DESTINATIONS": json.dumps(members, separators=(",", ":"))}

    def _floor(self) -> dict[str, str]:
        """How sessions are recorded, where it is not the functions' own default."""
        mode = self._config.recording
        return {} if mode is Mode.BESIDE else {"RECORDING": mode.value}

    def _lifecycle(self) -> dict[str, str]:
        return {"LIFECYCLE_CONNECTIONS": "true"} if self._config.lifecycle_connections else {}

    def _guardrails(self) -> dict[str, str]:
        return {"SERVICE_CONTROL_POLICIES": "read"} if self._config.service_control_policies else {}

    def _secret(self, name: str) -> str:
        """Asked for by its name: the suffix of its ARN is Secrets Manager's own."""
        return self._config.secret(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class All:
    """The nine, made; `nodes` once for each copy of the agent API, the first one watching."""

    connect: FamilyFunction
    sessions: FamilyFunction
    agents: FamilyFunction
    uplink: FamilyFunction
    relay: FamilyFunction
    nodes: Sequence[FamilyFunction]
    events: FamilyFunction
    audit: FamilyFunction
    notify: FamilyFunction
    sweep: FamilyFunction
    review: FamilyFunction
    documents: FamilyFunction
    recordings: FamilyFunction
    archive: FamilyFunction
    push: FamilyFunction | None

    @property
    def all(self) -> Sequence[FamilyFunction]:
        """Every function there is."""
        found: list[FamilyFunction] = []
        for each in fields(self):
            value = getattr(self, each.name)
            found += [value] if isinstance(value, FamilyFunction) else list(value or ())
        return found

    @property
    def called(self) -> Sequence[FamilyFunction]:
        """Those that answer calls of APIs: what they write has records of the audit trail."""
        own = (self.connect, self.sessions, self.documents, self.agents, self.uplink)
        return (*own, self.recordings, *self.nodes)

    def grant(
        self,
        grants: Grants,
        notifications: Notifications,
        channel: iam.IRole,
        queue: sqs.IQueue,
    ) -> None:
        """The last column of docs/protocol.md's table of families."""
        clocks = (self.sweep, self.review, self.archive)
        grants.table(self.connect, self.sessions, self.agents, *self.nodes, *clocks)
        grants.table(self.documents, self.recordings)
        grants.read_recordings(self.recordings)
        grants.write_recordings(self.archive)
        grants.feed_destinations(self.archive)
        grants.see_destinations(self.sessions)
        grants.look_at(self.archive, queue)
        if self.push is not None:
            grants.table(self.push)
            grants.post(self.push)
        grants.post(self.connect, self.sessions, self.agents, self.uplink, *self.nodes, *clocks)
        grants.close(self.connect, self.sessions, self.agents, *clocks)
        grants.hint(self.connect, self.sessions, *clocks)
        grants.send(self.relay)
        grants.record(self.sessions, self.uplink, self.relay)
        grants.seal_recordings(self.uplink, self.relay)
        for each in (self.agents, self.uplink, self.relay):
            grants.send_to(each, queue)
        grants.secrets(self.agents, "seal", "ticket")
        grants.secrets(self.uplink, "ticket")
        grants.secrets(self.relay, "seal")
        grants.describe_instances(self.sessions, self.review, self.recordings, *self.nodes)
        asking = (self.sessions, self.review, self.documents, self.recordings, self.connect)
        grants.read_policies(*asking)
        grants.list_principals(self.sessions)
        for each in asking:
            grants.simulate(each)
        grants.read_organisation(*asking)
        grants.read_profiles(*self.nodes)
        grants.disconnect_nodes(self.sessions)
        grants.find_iot(*self.nodes)
        grants.assume(channel, *self.nodes)
        for each in (self.events, self.audit, self.archive):
            grants.put_events(each, notifications.bus)
        grants.read_trail(self.sessions)
        grants.keep_trail(self.audit)
