"""Reads a deployment's choices from CDK context and refuses what is missing, malformed or unknown.

Every value has a default that suits a real AWS account.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final, TypeVar

from hatchway.core.documents.floor import MAX_NAMES, Floor
from hatchway.core.documents.reading import MAX_DURATION_MINUTES
from hatchway.core.errors import ValidationException
from hatchway.core.names import stage_name
from hatchway.core.recording import Mode
from infra.config import (
    IOT_HOST_COMMAND,
    AccessDecision,
    AgentApiMode,
    Architecture,
    Config,
    Gateway,
    InvalidContext,
    Limits,
    Network,
    NetworkMode,
    Urls,
)

#: CloudWatch Logs takes these retention periods (days); longer ones belong into an archive.
LOG_RETENTION_DAYS: Final = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827)
MAX_RESERVED_CONCURRENCY: Final = 1000
MAX_HISTORY_DAYS: Final = 3650
#: Object Lock takes a hundred years; what is locked by mistake stays and is paid for.
MAX_LOCK_DAYS: Final = 3650
#: What a limit of sessions, or of starts in a minute, may be at most.
MAX_LIMIT: Final = 100_000

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?\Z")
_EMAIL = re.compile(r"[^@\s\"',;<>]{1,64}@[A-Za-z0-9.-]{1,255}\Z")
_CIDR = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}/[0-9]{1,2}\Z")
_NAME = re.compile(r"[A-Za-z0-9:/._#-]{1,512}\Z")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_URL_PLACEHOLDERS: Final = frozenset({"api", "stage", "region", "suffix"})

#: The CDK's own keys hold one of these; all others are ours, and one that is not known is a typo.
_FOREIGN: Final = ("@", ":", "/", "-")
_OWN_VPC_CIDR: Final = "10.80.0.0/20"
_GATEWAYS: Final = ", ".join(Gateway)
_OUT_OF_REACH: Final = (
    "no VPC endpoint would lead nodes to the private agent API. Choose agentApi=regional where "
    "nodes reach AWS over the internet; network=own or network=existing, which make endpoints; "
    "executeApiEndpointIds=vpce-… for endpoints that are there; or endpointsElsewhere=true where "
    "others see to it."
)

_Choice = TypeVar("_Choice", bound=StrEnum)


class _Reader:
    """Typed reads, and the keys that were asked for."""

    def __init__(self, context: Mapping[str, object]) -> None:
        self._context = context
        self._known: set[str] = set()

    def _get(self, key: str) -> object:
        self._known.add(key)
        value = self._context.get(key)
        return None if value == "" else value

    def refuse_unknown(self) -> None:
        ours = {key for key in self._context if not any(mark in key for mark in _FOREIGN)}
        for key in sorted(ours - self._known):
            raise InvalidContext(key, f"is not known; known are {', '.join(sorted(self._known))}.")

    def text(self, key: str, default: str = "", pattern: re.Pattern[str] | None = None) -> str:
        value = self._get(key)
        if value is None:
            return default
        if not isinstance(value, str):
            raise InvalidContext(key, "is not text.")
        if pattern is not None and not pattern.match(value):
            raise InvalidContext(key, f"does not match {pattern.pattern}.")
        return value

    def ids(self, key: str, prefix: str) -> tuple[str, ...]:
        text = self.text(key)
        values = tuple(part.strip() for part in text.split(",")) if text else ()
        for value in values:
            if not re.fullmatch(rf"{prefix}-(?:[0-9a-f]{{8}}|[0-9a-f]{{17}})", value):
                raise InvalidContext(key, f"is not a list of {prefix}-… ids, comma-separated.")
        return values

    def names(self, key: str) -> tuple[str, ...]:
        """Names that a session document may have, comma-separated."""
        text = self.text(key)
        values = tuple(part.strip() for part in text.split(",")) if text else ()
        if not all(_NAME.match(value) for value in values) or len(values) > MAX_NAMES:
            raise InvalidContext(key, f"is not a list of up to {MAX_NAMES} names, comma-separated.")
        return values

    def one_id(self, key: str, prefix: str) -> str:
        values = self.ids(key, prefix)
        if len(values) > 1:
            raise InvalidContext(key, "takes one id.")
        return values[0] if values else ""

    def flag(self, key: str, *, default: bool) -> bool:
        value = self._get(key)
        if value is None:
            return default
        if value is True or value == "true":
            return True
        if value is False or value == "false":
            return False
        raise InvalidContext(key, "is neither true nor false.")

    def number(self, key: str, default: int, check: Callable[[int], bool], expect: str) -> int:
        value = self._get(key)
        if value is None:
            return default
        text = str(value)
        if not text.isascii() or not text.isdecimal() or not check(int(text)):
            raise InvalidContext(key, expect)
        return int(text)

    def choice(self, key: str, default: _Choice) -> _Choice:
        value = self.text(key)
        kind = type(default)
        if value and value not in list(kind):
            raise InvalidContext(key, f"is none of {', '.join(kind)}.")
        return kind(value) if value else default

    def url(self, key: str, scheme: str, default: str, *more: str, api: bool = True) -> str:
        value = self.text(key, default).rstrip("/")
        if not value:
            return value
        unknown = set(_PLACEHOLDER.findall(value)) - _URL_PLACEHOLDERS - set(more)
        if unknown:
            raise InvalidContext(key, f"has unknown placeholders: {', '.join(sorted(unknown))}.")
        if not value.startswith(f"{scheme}://") or (api and "{api}" not in value):
            raise InvalidContext(key, f"is not a {scheme} URL{' with {api} in it' if api else ''}.")
        if any(mark in value for mark in "?#@ "):
            raise InvalidContext(key, "has a query, a fragment, a user name or a space.")
        return value


def read(context: Mapping[str, object]) -> Config:
    """The deployment that `context` describes; InvalidContext names the first wrong key."""
    reader = _Reader(context)
    notify_email = reader.text("notifyEmail", pattern=_EMAIL)
    notify_url = reader.url("notifyUrl", "https", "", api=False)
    config = Config(
        stage=_stage(reader),
        architecture=reader.choice("architecture", Architecture.ARM64),
        agent_api=reader.choice("agentApi", AgentApiMode.PRIVATE),
        agent_must_come_from_instance=reader.flag("agentMustComeFromInstance", default=True),
        registered_nodes_only=reader.flag("preRegisteredNodesOnly", default=False),
        gateway_decodes_paths=reader.flag("gatewayDecodesPaths", default=False),
        api_gateway_account=reader.flag("apiGatewayAccount", default=True),
        log_retention_days=reader.number(
            "logRetentionDays",
            90,
            lambda days: days in LOG_RETENTION_DAYS,
            f"is none of {', '.join(map(str, LOG_RETENTION_DAYS))}.",
        ),
        recording=reader.choice("recording", Mode.BESIDE),
        recording_log_days=reader.number(
            "recordingLogDays",
            30,
            lambda days: days in LOG_RETENTION_DAYS,
            f"is none of {', '.join(map(str, LOG_RETENTION_DAYS))}.",
        ),
        audit_log_days=reader.number(
            "auditLogDays",
            400,
            lambda days: days in LOG_RETENTION_DAYS,
            f"is none of {', '.join(map(str, LOG_RETENTION_DAYS))}.",
        ),
        audit_query=reader.flag("auditQuery", default=True),
        cloud_trail=reader.flag("cloudTrail", default=False),
        archive_lock_days=reader.number(
            "archiveLockDays",
            0,
            lambda days: 0 <= days <= MAX_LOCK_DAYS,
            f"is not a number from 0 (off) to {MAX_LOCK_DAYS}.",
        ),
        history_days=reader.number(
            "historyDays",
            0,
            lambda days: 1 <= days <= MAX_HISTORY_DAYS,
            f"is not a number from 1 to {MAX_HISTORY_DAYS}.",
        ),
        notify_email=notify_email,
        notify_url=notify_url,
        alarm_email=reader.text("alarmEmail", notify_email, _EMAIL),
        denials_alarm=reader.number(
            "denialsAlarm",
            20,
            lambda count: 1 <= count <= MAX_LIMIT,
            f"is not a number from 1 to {MAX_LIMIT}.",
        ),
        alarm_url=reader.url("alarmUrl", "https", notify_url, api=False),
        reserved_concurrency=reader.number(
            "reservedConcurrency",
            0,
            lambda count: 0 <= count <= MAX_RESERVED_CONCURRENCY,
            f"is not a number from 0 (off) to {MAX_RESERVED_CONCURRENCY}.",
        ),
        retain_data=reader.flag("retainData", default=True),
        limits=_limits(reader),
        floor=_floor(reader),
        access_decision=reader.choice("accessDecision", AccessDecision.EVALUATOR),
        lifecycle_connections=reader.flag("lifecycleConnections", default=True),
        service_control_policies=reader.flag("serviceControlPolicies", default=False),
        network=_network(reader),
        urls=_urls(reader),
    )
    elsewhere = reader.flag("endpointsElsewhere", default=False)
    reader.refuse_unknown()
    if not elsewhere:
        _refuse_out_of_reach(config)
    return config


def _refuse_out_of_reach(config: Config) -> None:
    """A private API without an endpoint deploys, and no node ever reaches it."""
    has_endpoint = (
        config.network.mode is not NetworkMode.NONE or config.network.execute_api_endpoint_ids
    )
    if config.agent_api.private and not has_endpoint:
        raise InvalidContext("agentApi", f"{config.agent_api}: {_OUT_OF_REACH}")


def _stage(reader: _Reader) -> str:
    try:
        return stage_name(reader.text("stage", "prod"))
    except ValidationException as error:
        raise InvalidContext("stage", error.message) from None


def _floor(reader: _Reader) -> Floor:
    most = MAX_DURATION_MINUTES
    return Floor(
        run_as_required=reader.flag("runAsRequired", default=False),
        max_session_duration=reader.number(
            "maxSessionMinutes",
            0,
            lambda minutes: 1 <= minutes <= most,
            f"is not a number of minutes from 1 to {most}.",
        ),
        log_buckets=reader.names("allowedLogBuckets"),
        log_groups=reader.names("allowedLogGroups"),
        kms_keys=reader.names("allowedKmsKeys"),
    )


def _limits(reader: _Reader) -> Limits:
    def limit(key: str) -> int:
        expect = f"is not a number from 1 to {MAX_LIMIT}."
        return reader.number(key, 0, lambda value: 1 <= value <= MAX_LIMIT, expect)

    return Limits(
        sessions_per_user=limit("maxSessionsPerUser"),
        sessions_per_node=limit("maxSessionsPerNode"),
        sessions_per_account=limit("maxSessionsPerAccount"),
        starts_per_minute=limit("maxStartsPerMinute"),
        sessions_per_role=limit("maxSessionsPerRole"),
    )


def _urls(reader: _Reader) -> Urls:
    defaults = Urls()
    return Urls(
        people=reader.url("peopleApiUrl", "https", defaults.people),
        agent=reader.url("agentApiUrl", "https", "", "endpoint"),
        stream=reader.url("streamUrl", "wss", defaults.stream),
        stream_management=reader.url("streamManagementUrl", "https", defaults.stream_management),
        iot_data=reader.url("iotDataUrl", "https", "", api=False),
    )


def _network(reader: _Reader) -> Network:
    mode = reader.choice("network", NetworkMode.NONE)
    network = Network(
        mode=mode,
        vpc_id=reader.one_id("vpcId", "vpc"),
        vpc_cidr=reader.text("vpcCidr", "", _CIDR),
        subnet_ids=reader.ids("subnetIds", "subnet"),
        route_table_ids=reader.ids("routeTableIds", "rtb"),
        execute_api_endpoint_ids=reader.ids("executeApiEndpointIds", "vpce"),
        iot_data_endpoint_id=reader.one_id("iotDataEndpointId", "vpce"),
        iot_data_host=reader.text("iotDataHost", "", _HOST),
        gateway_endpoints=_gateways(reader),
    )
    _refuse_contradictions(network)
    if mode is NetworkMode.OWN:
        return _with_cidr(network)
    return network


def _gateways(reader: _Reader) -> tuple[Gateway, ...]:
    text = reader.text("gatewayEndpoints")
    if not text:
        return tuple(Gateway)
    names = [] if text == "none" else [part.strip() for part in text.split(",")]
    if not set(names) <= set(Gateway):
        raise InvalidContext("gatewayEndpoints", f"is neither none nor some of {_GATEWAYS}.")
    return tuple(each for each in Gateway if each in names)


def _with_cidr(network: Network) -> Network:
    return Network(
        mode=network.mode,
        vpc_cidr=network.vpc_cidr or _OWN_VPC_CIDR,
        iot_data_host=network.iot_data_host,
        gateway_endpoints=network.gateway_endpoints,
    )


def _refuse_contradictions(network: Network) -> None:
    by_ids = {
        "vpcId": network.vpc_id,
        "subnetIds": network.subnet_ids,
        "routeTableIds": network.route_table_ids,
        "iotDataEndpointId": network.iot_data_endpoint_id,
    }
    match network.mode:
        case NetworkMode.EXISTING:
            for key, value in (("vpcId", network.vpc_id), ("vpcCidr", network.vpc_cidr)):
                if not value:
                    raise InvalidContext(key, "is missing; network=existing needs it.")
            if not network.subnet_ids and not _has_all_endpoints(network):
                raise InvalidContext("subnetIds", "is missing; the endpoints' interfaces need it.")
        case NetworkMode.OWN:
            by_ids["executeApiEndpointIds"] = network.execute_api_endpoint_ids
            _refuse_set(by_ids, "is for network=existing only.")
        case NetworkMode.NONE:
            _refuse_set(by_ids, "is for network=existing only.")
    makes_iot_endpoint = network.mode is not NetworkMode.NONE and not network.iot_data_endpoint_id
    if makes_iot_endpoint and not network.iot_data_host:
        raise InvalidContext("iotDataHost", f"is missing. This prints it: {IOT_HOST_COMMAND}")


def _has_all_endpoints(network: Network) -> bool:
    return bool(network.execute_api_endpoint_ids and network.iot_data_endpoint_id)


def _refuse_set(values: Mapping[str, object], reason: str) -> None:
    for key, value in values.items():
        if value:
            raise InvalidContext(key, reason)
