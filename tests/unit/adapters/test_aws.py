"""The edge where AWS errors become ours, patience, and what an import brings in."""

from __future__ import annotations

import subprocess
import sys

import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from hatchway.core.errors import ClientGone, InternalServerError, ThrottlingException
from lambdas.adapters import (
    aws,
    connections,
    dynamodb,
    ec2,
    events,
    iam,
    iot,
    presence,
    secrets,
    sts,
)
from tests.unit.adapters.stubs import refused


@pytest.mark.parametrize("code", sorted(aws.THROTTLED))
def test_throttling_is_throttling(code: str) -> None:
    with pytest.raises(ThrottlingException), aws.calling("AWS"):
        raise refused(code)


def test_any_429_is_throttling() -> None:
    with pytest.raises(ThrottlingException), aws.calling("AWS"):
        raise refused("Whatever", 429)


@pytest.mark.parametrize("code", ["AccessDeniedException", "ValidationException", "ForbiddenX", ""])
def test_any_other_refusal_is_the_service_s_own_fault(code: str) -> None:
    with pytest.raises(InternalServerError) as raised, aws.calling("AWS"):
        raise refused(code, 403)
    assert "secret text" not in raised.value.message


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="https://x.invalid"),
        ReadTimeoutError(endpoint_url="https://x.invalid"),
    ],
)
def test_no_answer_is_the_service_s_own_fault(error: Exception) -> None:
    with pytest.raises(InternalServerError) as raised, aws.calling("AWS"):
        raise error
    assert "x.invalid" not in raised.value.message


def test_an_expected_code_comes_before_an_expected_status() -> None:
    expected: aws.Expected = {"Code": ClientGone, 429: InternalServerError}
    with pytest.raises(ClientGone), aws.calling("AWS", expected):
        raise refused("Code", 429)
    with pytest.raises(InternalServerError), aws.calling("AWS", expected):
        raise refused("Throttling", 429)


def test_other_errors_pass() -> None:
    with pytest.raises(KeyError), aws.calling("AWS"):
        raise KeyError


@pytest.mark.parametrize(
    "module",
    [connections, dynamodb, ec2, events, iam, iot, presence, secrets, sts],
    ids=lambda m: m.__name__,
)
def test_every_client_gives_up_before_api_gateway_does(module: object) -> None:
    patience: aws.Patience = module.PATIENCE  # type: ignore[attr-defined]
    assert patience.worst <= aws.LONGEST


def test_the_worst_case_counts_every_attempt_and_pause() -> None:
    assert aws.Patience(connect=1.0, read=2.0, attempts=1).worst == 3.0
    assert aws.Patience(connect=1.0, read=2.0, attempts=3).worst == 12.0


def test_a_client_has_the_patience_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    patience = aws.Patience(connect=1.5, read=2.5, attempts=2)
    client = aws.client("sts", patience, "https://127.0.0.1:1/x")
    config = client.meta.config
    assert (config.connect_timeout, config.read_timeout) == (1.5, 2.5)
    assert config.retries == {"mode": "standard", "total_max_attempts": 2}
    assert config.tcp_keepalive is True
    assert client.meta.endpoint_url == "https://127.0.0.1:1/x"
    assert client.meta.region_name == "eu-central-1"


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        (
            "connections",
            "boto3 botocore cryptography lambdas.adapters.dynamodb lambdas.adapters.iam",
        ),
        ("iot", "boto3 botocore cryptography lambdas.adapters.dynamodb lambdas.adapters.iam"),
        ("presence", "boto3 cryptography lambdas.adapters.dynamodb lambdas.adapters.iam"),
        ("secrets", "boto3 botocore cryptography lambdas.adapters.dynamodb lambdas.adapters.iam"),
        ("table", "boto3 cryptography lambdas.adapters.iam lambdas.adapters.connections"),
        ("items", "boto3 botocore cryptography lambdas.adapters.dynamodb"),
    ],
)
def test_an_adapter_brings_nothing_that_its_function_does_not_need(
    module: str, absent: str
) -> None:
    code = (
        f"import sys, lambdas.adapters.{module}\n"
        f"found = [name for name in {absent.split()!r} if name in sys.modules]\n"
        "assert not found, found"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
