"""A deployment's choices as checked values. `infra/context.py` reads them from CDK context."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hatchway.core.documents.floor import NO_FLOOR, Floor
from hatchway.core.errors import Exit, HatchwayError
from hatchway.core.recording import Mode

IOT_HOST_COMMAND: Final = (
    "aws iot describe-endpoint --endpoint-type iot:Data-ATS --query endpointAddress --output text"
)


class InvalidContext(HatchwayError):
    """A context value of the deployment is missing or malformed."""

    code = "InvalidContext"
    status = 400
    exit = Exit.USAGE
    fault = "client"

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"Context value {key}: {reason}")
        self.key = key


class Architecture(StrEnum):
    ARM64 = "arm64"
    X86_64 = "x86_64"


class NetworkMode(StrEnum):
    """NONE: nodes bring their own way; OWN: a VPC of ours; EXISTING: endpoints in a VPC by ids."""

    NONE = "none"
    OWN = "own"
    EXISTING = "existing"


class AgentApiMode(StrEnum):
    """PRIVATE: through interface endpoints; REGIONAL: for nodes with egress; BOTH: a copy each."""

    PRIVATE = "private"
    REGIONAL = "regional"
    BOTH = "both"

    @property
    def private(self) -> bool:
        return self is not AgentApiMode.REGIONAL

    @property
    def regional(self) -> bool:
        return self is not AgentApiMode.PRIVATE


class Gateway(StrEnum):
    """Services with gateway endpoints."""

    S3 = "s3"
    DYNAMODB = "dynamodb"


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Where nodes reach the service. Ids are literal: synth looks nothing up."""

    mode: NetworkMode = NetworkMode.NONE
    vpc_id: str = ""
    vpc_cidr: str = ""
    subnet_ids: tuple[str, ...] = ()
    route_table_ids: tuple[str, ...] = ()
    execute_api_endpoint_ids: tuple[str, ...] = ()
    iot_data_endpoint_id: str = ""
    iot_data_host: str = ""
    #: Which to make: a route table takes one for each service.
    gateway_endpoints: tuple[Gateway, ...] = tuple(Gateway)


@dataclass(frozen=True, slots=True, kw_only=True)
class Urls:
    """Templates with {api}, {stage}, {region}, {suffix}; {endpoint} in the agent API's only.

    The agent API's is "" where its default depends on the endpoint.
    """

    people: str = "https://{api}.execute-api.{region}.{suffix}/{stage}"
    agent: str = ""
    stream: str = "wss://{api}.execute-api.{region}.{suffix}/{stage}"
    stream_management: str = "https://{api}.execute-api.{region}.{suffix}/{stage}"
    iot_data: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What StartSession allows; 0 is the functions' own default (`lambdas/quotas.py`)."""

    sessions_per_user: int = 0
    sessions_per_node: int = 0
    sessions_per_account: int = 0
    starts_per_minute: int = 0
    sessions_per_role: int = 0

    @property
    def environment(self) -> dict[str, str]:
        """Variables for those that are set."""
        values = {
            "MAX_SESSIONS_PER_USER": self.sessions_per_user,
            "MAX_SESSIONS_PER_NODE": self.sessions_per_node,
            "MAX_SESSIONS_PER_ACCOUNT": self.sessions_per_account,
            "MAX_STARTS_PER_MINUTE": self.starts_per_minute,
            "MAX_SESSIONS_PER_ROLE": self.sessions_per_role,
        }
        return {name: str(value) for name, value in values.items() if value}


class AccessDecision(StrEnum):
    """Who decides `ssm:*`: Hatchway's evaluator, IAM's simulator, or both (either denies)."""

    EVALUATOR = "evaluator"
    SIMULATOR = "simulator"
    BOTH = "both"

    @property
    def environment(self) -> dict[str, str]:
        return {} if self is AccessDecision.EVALUATOR else {"ACCESS_DECISION": self.value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """All choices of one deployment."""

    stage: str = "prod"
    architecture: Architecture = Architecture.ARM64
    agent_api: AgentApiMode = AgentApiMode.PRIVATE
    agent_must_come_from_instance: bool = True
    #: A node enrols only with the secret that an administrator registered (`nodes reset`).
    registered_nodes_only: bool = False
    #: The gateway resolves escapes in paths before the functions see them; AWS's does not.
    gateway_decodes_paths: bool = False
    api_gateway_account: bool = True
    log_retention_days: int = 90
    #: What passes is recorded: for all sessions, for none, or as their documents say.
    recording: Mode = Mode.BESIDE
    #: Days for which what passed stays in its log group; the archive has it for good.
    recording_log_days: int = 30
    #: Days for which calls can be looked up; the archive keeps their records for good.
    audit_log_days: int = 400
    #: Athena gets a question about them to begin with.
    audit_query: bool = True
    #: CloudTrail keeps a trail of its own of table, functions and archive.
    cloud_trail: bool = False
    #: Days for which nobody can take anything out of the archive (Object Lock); 0 is off.
    archive_lock_days: int = 0
    #: Days for which an ended session is described; 0 is the functions' own default.
    history_days: int = 0
    notify_email: str = ""
    #: Where SNS posts what people are told, besides.
    notify_url: str = ""
    #: Who is told of alarms; `notify_email` where nobody is named.
    alarm_email: str = ""
    alarm_url: str = ""
    #: Refused calls in five minutes that somebody is woken for.
    denials_alarm: int = 20
    reserved_concurrency: int = 0
    retain_data: bool = True
    limits: Limits = Limits()
    #: What every session must have, whatever its document says; `recording` adds to it.
    floor: Floor = NO_FLOOR
    access_decision: AccessDecision = AccessDecision.EVALUATOR
    #: Callers may have a WebSocket connection for all of their sessions' lives.
    lifecycle_connections: bool = True
    #: The account may read its organisation's service control policies, and they are evaluated.
    service_control_policies: bool = False
    network: Network = Network()
    urls: Urls = Urls()

    def name(self, what: str) -> str:
        """A resource name; the stage is in all of them, so that two deployments fit an account."""
        return f"hatchway-{self.stage}-{what}"

    @property
    def table(self) -> str:
        return f"hatchway-{self.stage}"

    @property
    def recordings(self) -> str:
        """The log group of what passes."""
        return f"/hatchway/{self.stage}/recordings"

    @property
    def session_log(self) -> str:
        """The log group of the deployment's own that session documents may name."""
        return f"/hatchway/{self.stage}/sessions"

    @property
    def audit_log(self) -> str:
        """The log group of the audit trail."""
        return f"/hatchway/{self.stage}/audit"

    def archive(self, account: str, region: str) -> str:
        """The name of the archive's bucket."""
        return f"hatchway-{self.stage}-archive-{account}-{region}"

    def secret(self, what: str) -> str:
        """The name of one of the two secrets."""
        return f"hatchway-{self.stage}/{what}"

    @property
    def topic_root(self) -> str:
        """What all MQTT topics and client ids of this deployment begin with."""
        return f"hatchway/{self.stage}"
