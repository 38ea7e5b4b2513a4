"""Nothing of the caller's AWS account reaches a local command."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.environment import scrubbed
from local.places import ROOT, Places, places

HERE = Places(Path("/somewhere/.local"))


@pytest.mark.parametrize(
    "name",
    [
        "AWS_PROFILE",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_STS",
        "AWS_ROLE_ARN",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CA_BUNDLE",
        "HATCHWAY_CONFIG",
        "HATCHWAY_API_URL",
        "CDK_DEFAULT_ACCOUNT",
        "PYTHONPATH",
    ],
)
def test_settings_of_the_caller_are_gone(name: str) -> None:
    assert name not in scrubbed({name: "value", "PATH": "/bin"}, HERE)


def test_the_rest_stays() -> None:
    clean = scrubbed({"PATH": "/bin", "HOME": "/home/me", "HTTPS_PROXY": "http://proxy"}, HERE)
    assert (clean["PATH"], clean["HOME"]) == ("/bin", "/home/me")
    assert clean["HTTPS_PROXY"] == "http://proxy"


def test_profiles_in_the_home_directory_are_out_of_reach() -> None:
    clean = scrubbed({"AWS_CONFIG_FILE": "/mine", "AWS_SHARED_CREDENTIALS_FILE": "/mine"}, HERE)
    assert clean["AWS_CONFIG_FILE"] == "/somewhere/.local/aws-config"
    assert clean["AWS_SHARED_CREDENTIALS_FILE"] == "/somewhere/.local/credentials"
    assert clean["AWS_EC2_METADATA_DISABLED"] == "true"


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_loopback_goes_past_a_proxy(name: str) -> None:
    assert scrubbed({name: "corp"}, HERE)["no_proxy"] == "corp,127.0.0.1,localhost"
    assert scrubbed({}, HERE)["NO_PROXY"] == "127.0.0.1,localhost"


def test_scrubbing_twice_changes_nothing() -> None:
    once = scrubbed({"PATH": "/bin"}, HERE)
    again = scrubbed(once, HERE)
    assert {**again, "NO_PROXY": "", "no_proxy": ""} == {**once, "NO_PROXY": "", "no_proxy": ""}


def test_everything_is_kept_in_dot_local_unless_told_otherwise() -> None:
    assert places({}).directory == ROOT / ".local"
    assert places({"HATCHWAY_LOCAL_DIR": ".local/test"}).directory == ROOT / ".local/test"
    assert places({"HATCHWAY_LOCAL_DIR": "/elsewhere"}).directory == Path("/elsewhere")
