"""Context values are checked before anything is built; the error names the key."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.config import IOT_HOST_COMMAND, AgentApiMode, Architecture, InvalidContext, NetworkMode
from infra.context import LOG_RETENTION_DAYS, MAX_HISTORY_DAYS, MAX_RESERVED_CONCURRENCY, read
from local import deployment
from local.emulator import Emulator
from local.places import Places
from tests.infra.conftest import ELSEWHERE

EXISTING = {
    "network": "existing",
    "vpcId": "vpc-0123456789abcdef0",
    "vpcCidr": "10.0.0.0/16",
    "subnetIds": "subnet-01234567",
    "iotDataHost": "a1-ats.iot.us-east-1.amazonaws.com",
}


#: The least that can be said for a deployment that nodes can reach.
REGIONAL = {"agentApi": "regional"}


def test_a_context_that_says_little_is_a_private_deployment_on_arm64() -> None:
    config = read(ELSEWHERE)
    assert (config.stage, config.architecture) == ("prod", Architecture.ARM64)
    assert config.agent_api is AgentApiMode.PRIVATE
    assert config.network.mode is NetworkMode.NONE
    assert config.agent_must_come_from_instance
    assert config.reserved_concurrency == 0


@pytest.mark.parametrize("mode", ["", "private", "both"])
def test_a_private_agent_api_without_an_endpoint_is_refused_with_the_choices(mode: str) -> None:
    with pytest.raises(InvalidContext) as refused:
        read({"agentApi": mode})
    assert refused.value.key == "agentApi"
    for choice in ("agentApi=regional", "network=own", "executeApiEndpointIds", "endpointsElse"):
        assert choice in refused.value.message


@pytest.mark.parametrize(
    "way",
    [
        REGIONAL,
        ELSEWHERE,
        EXISTING,
        {"network": "own", "iotDataHost": "a1-ats.iot.us-east-1.amazonaws.com"},
        {"executeApiEndpointIds": "vpce-01234567"},
    ],
)
def test_each_choice_that_the_refusal_names_is_taken(way: dict[str, str]) -> None:
    read(way)


def test_the_launcher_s_context_is_taken(tmp_path: Path) -> None:
    emulator = Emulator(Places(tmp_path), 4566, "", "", "")
    assert read(deployment.context(emulator)).stage == "local"


def test_the_cdk_s_own_keys_are_passed_over() -> None:
    read(
        {
            **ELSEWHERE,
            "@aws-cdk/core:x": True,
            "aws:cdk:bundling-stacks": ["**"],
            "cli-telemetry": False,
        }
    )


def test_a_misspelt_key_is_refused() -> None:
    with pytest.raises(InvalidContext) as refused:
        read({"agentApiURL": "https://{api}"})
    assert refused.value.key == "agentApiURL"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("stage", "Prod"),
        ("stage", "a-b"),
        ("stage", 7),
        ("architecture", "amd64"),
        ("agentApi", "public"),
        ("network", "vpc"),
        ("agentMustComeFromInstance", "yes"),
        ("preRegisteredNodesOnly", "yes"),
        ("gatewayDecodesPaths", "yes"),
        ("apiGatewayAccount", 1.5),
        ("retainData", "False"),
        ("logRetentionDays", "31"),
        ("logRetentionDays", "٣٠"),
        ("historyDays", "0"),
        ("historyDays", str(MAX_HISTORY_DAYS + 1)),
        ("reservedConcurrency", "-1"),
        ("reservedConcurrency", str(MAX_RESERVED_CONCURRENCY + 1)),
        ("notifyEmail", "nobody"),
        ("peopleApiUrl", "http://{api}"),
        ("peopleApiUrl", "https://host"),
        ("streamUrl", "https://{api}"),
        ("streamUrl", "wss://{api}/{unknown}"),
        ("streamManagementUrl", "https://{api}?x=1"),
        ("agentApiUrl", "https://u@{api}"),
        ("iotDataUrl", "iot:443"),
        ("executeApiEndpointIds", "vpce-1"),
        ("gatewayEndpoints", "s3,sqs"),
        ("gatewayEndpoints", "none,s3"),
        ("endpointsElsewhere", "vpce-01234567"),
        ("alarmEmail", "nobody"),
    ],
)
def test_a_malformed_value_is_refused_by_its_key(key: str, value: object) -> None:
    with pytest.raises(InvalidContext) as refused:
        read({key: value})
    assert refused.value.key == key


@pytest.mark.parametrize("days", LOG_RETENTION_DAYS)
def test_the_retentions_of_cloudwatch_are_taken(days: int) -> None:
    assert read({**REGIONAL, "logRetentionDays": str(days)}).log_retention_days == days


def test_limits_of_reserved_concurrency_are_taken() -> None:
    assert read({**REGIONAL, "reservedConcurrency": "0"}).reserved_concurrency == 0
    highest = read({**REGIONAL, "reservedConcurrency": MAX_RESERVED_CONCURRENCY})
    assert highest.reserved_concurrency == MAX_RESERVED_CONCURRENCY


def test_a_trailing_slash_of_a_url_is_dropped() -> None:
    assert read({**REGIONAL, "peopleApiUrl": "https://h/{api}/"}).urls.people == "https://h/{api}"


@pytest.mark.parametrize("missing", ["vpcId", "vpcCidr", "subnetIds", "iotDataHost"])
def test_an_existing_network_needs_its_ids(missing: str) -> None:
    with pytest.raises(InvalidContext) as refused:
        read({key: value for key, value in EXISTING.items() if key != missing})
    assert refused.value.key == missing


@pytest.mark.parametrize("mode", ["own", "existing"])
def test_a_missing_iot_host_is_an_error_that_prints_the_command(mode: str) -> None:
    context = {**EXISTING, "iotDataHost": ""} if mode == "existing" else {"network": "own"}
    with pytest.raises(InvalidContext) as refused:
        read(context)
    assert IOT_HOST_COMMAND in refused.value.message


def test_endpoints_that_are_there_already_need_neither_subnets_nor_a_host() -> None:
    network = read(
        {
            "network": "existing",
            "vpcId": "vpc-01234567",
            "vpcCidr": "10.0.0.0/16",
            "executeApiEndpointIds": "vpce-01234567, vpce-0123456789abcdef0",
            "iotDataEndpointId": "vpce-01234567",
        }
    ).network
    assert network.execute_api_endpoint_ids == ("vpce-01234567", "vpce-0123456789abcdef0")


@pytest.mark.parametrize("mode", ["none", "own"])
@pytest.mark.parametrize("key", ["vpcId", "subnetIds", "routeTableIds", "iotDataEndpointId"])
def test_ids_without_an_existing_network_are_refused(mode: str, key: str) -> None:
    kind = {"vpcId": "vpc", "subnetIds": "subnet", "routeTableIds": "rtb"}.get(key, "vpce")
    with pytest.raises(InvalidContext) as refused:
        read({"network": mode, "iotDataHost": "h", key: f"{kind}-01234567"})
    assert refused.value.key == key


def test_one_vpc_is_enough() -> None:
    with pytest.raises(InvalidContext) as refused:
        read({**EXISTING, "vpcId": "vpc-01234567,vpc-01234568"})
    assert refused.value.key == "vpcId"
