"""`make deploy` is for a real account: whatever points at this machine is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from local import account
from local.errors import LauncherError


@pytest.fixture(autouse=True)
def caller(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Somebody's environment, without files of theirs."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    boto3.DEFAULT_SESSION = None
    yield
    boto3.DEFAULT_SESSION = None


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://127.0.0.1:4566",
        "http://127.1.2.3",
        "http://localhost:4566",
        "https://s3.us-east-1.localhost:4566",
        "http://[::1]:4566",
        "http://0.0.0.0:4566",
    ],
)
def test_loopback_endpoints_are_recognised(endpoint: str) -> None:
    assert account.is_loopback(endpoint)


@pytest.mark.parametrize("endpoint", ["https://10.0.0.1", "https://sts.invalid", "nonsense"])
def test_other_endpoints_are_not(endpoint: str) -> None:
    assert not account.is_loopback(endpoint)


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_CLOUDFORMATION"])
def test_an_endpoint_on_this_machine_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "https://127.0.0.1:4566")
    with pytest.raises(LauncherError, match="which is this machine"):
        account.deploy([], {})


def test_an_endpoint_in_a_profile_is_refused_too(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("[default]\nendpoint_url = http://localhost:4566\n")
    with pytest.raises(LauncherError, match="which is this machine"):
        account.deploy([], {})


def test_the_embedded_account_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_ACCOUNT_ID", "000000000000")
    with mock_aws(), pytest.raises(LauncherError, match="is no AWS account"):
        account.deploy([], {})


def test_the_cdk_gets_the_arguments_and_the_accounts_iot_host(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    cdk = tmp_path / "cdk"
    cdk.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >{seen}\nexit 7\n')
    cdk.chmod(0o700)
    with mock_aws():
        code = account.deploy(["-c", "stage=prod"], {"PATH": "/usr/bin:/bin"}, cdk)
    assert code == 7
    lines = seen.read_text().splitlines()
    assert lines[:4] == ["deploy", "--all", "-c", "stage=prod"]
    assert lines[5].startswith("iotDataHost=")
    assert lines[5].endswith("-ats.iot.eu-central-1.amazonaws.com")


def test_an_iot_host_that_was_given_is_kept(tmp_path: Path) -> None:
    cdk = Path("/bin/true")
    with mock_aws():
        assert account.deploy(["-c", "iotDataHost=mine"], {}, cdk) == 0
