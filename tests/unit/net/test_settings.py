"""Settings: where they come from, what wins, and errors that say what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from hatchway.core.errors import ConfigurationInvalid
from hatchway.net.settings import MAX_CONFIG_BYTES, Settings, load

URL = "https://127.0.0.1:4566/_aws/execute-api/abc/local"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "ca.pem").write_text("")
    path = tmp_path / "config.toml"
    path.write_text(
        f'api_url = "{URL}/"\nregion = "us-east-1"\nca_bundle = "ca.pem"\n'
        'node_id = "i-0123456789abcdef0"\n'
    )
    return path


def test_all_keys_of_the_file_are_read_and_paths_are_relative_to_it(config: Path) -> None:
    assert load({"HATCHWAY_CONFIG": str(config)}) == Settings(
        api_url=URL,
        region="us-east-1",
        ca_bundle=config.parent / "ca.pem",
        node_id="i-0123456789abcdef0",
    )


def test_the_environment_wins_over_the_file_and_the_argument_over_both(config: Path) -> None:
    environ = {
        "HATCHWAY_CONFIG": "/does/not/exist",
        "HATCHWAY_API_URL": "https://example.com",
        "HATCHWAY_REGION": "eu-west-1",
    }
    found = load(environ, config)
    assert (found.api_url, found.region) == ("https://example.com", "eu-west-1")
    assert load(environ, config, "ap-south-1").region == "ap-south-1"


def test_the_stream_may_be_dialled_at_another_address(config: Path) -> None:
    assert load({}, config).stream_connect is None
    environ = {"HATCHWAY_STREAM_CONNECT": "proxy.example.com:8443"}
    assert load(environ, config).stream_connect == ("proxy.example.com", 8443)


@pytest.mark.parametrize("text", ["host", "host:", ":443", "host:0", "host:65536", "a b:443"])
def test_what_is_no_host_and_port_is_refused(config: Path, text: str) -> None:
    with pytest.raises(ConfigurationInvalid, match="stream_connect"):
        load({"HATCHWAY_STREAM_CONNECT": text}, config)


def test_the_environment_alone_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    found = load({"HATCHWAY_API_URL": "https://abc.execute-api.eu-central-1.amazonaws.com/prod"})
    assert found.region == "eu-central-1"
    assert found.ca_bundle is None
    assert load({"HATCHWAY_API_URL": URL, "AWS_REGION": "us-west-2"}).region == "us-west-2"


def test_the_default_file_is_in_the_home_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(ConfigurationInvalid, match=r"\.config/hatchway/config\.toml"):
        load({})
    path = tmp_path / ".config/hatchway/config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(f'api_url = "{URL}"\nregion = "us-east-1"\n')
    assert load({}).api_url == URL


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("api_url = ", "not TOML"),
        ("api_url = 3", "not a string"),
        ('api_ulr = "x"', "api_ulr"),
        ('region = "us-east-1"', "HATCHWAY_API_URL"),
        ('api_url = "http://example.com"\nregion = "us-east-1"', "https"),
        ('api_url = "https://a:b@example.com"\nregion = "us-east-1"', "https"),
        ('api_url = "https://example.com"', "--region"),
        ('api_url = "https://example.com"\nregion = "nowhere/else"', "region"),
        (
            'api_url = "https://example.com"\nregion = "us-east-1"\nca_bundle = "gone.pem"',
            "gone.pem",
        ),
        ("# " + "x" * MAX_CONFIG_BYTES, "larger"),
    ],
)
def test_what_is_wrong_is_said(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationInvalid, match=says):
        load({}, path)


def test_a_file_that_was_named_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationInvalid, match=r"gone\.toml"):
        load({"HATCHWAY_CONFIG": str(tmp_path / "gone.toml")})
    with pytest.raises(ConfigurationInvalid, match="cannot be read"):
        load({}, tmp_path)
