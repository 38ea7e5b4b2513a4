"""The agent's settings: one small TOML file, checked as a whole before anything else happens."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from agent.log import Level
from hatchway.core.errors import HatchwayError
from hatchway.core.names import node_id

DEFAULT_PATH = "/etc/hatchway/agent.toml"
DEFAULT_STATE = "/var/lib/hatchway"
#: The file is a dozen lines; more is a mistake.
MAX_FILE = 64 * 1024

_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d\Z")
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}\Z")
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}\Z")


class ConfigError(HatchwayError):
    """The agent's configuration is missing or wrong."""

    code = "ConfigError"


@dataclass(frozen=True, slots=True)
class Address:
    """A host and port to dial."""

    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """`node_id` "" means: ask the instance metadata. `iot_connect` is what to dial instead of the
    IoT endpoint's own name. `session_user` is who sessions run as when the agent is root."""

    region: str
    agent_api_url: str
    node_id: str = ""
    ca_bundle: str = ""
    iot_connect: Address | None = None
    state_dir: Path = Path(DEFAULT_STATE)
    session_user: str = ""
    log_level: Level = Level.INFO


def load(environment: Mapping[str, str]) -> Config:
    """The settings in the file that HATCHWAY_AGENT_CONFIG names, or in the default one."""
    path = Path(environment.get("HATCHWAY_AGENT_CONFIG") or DEFAULT_PATH)
    try:
        with path.open("rb") as file:
            text = file.read(MAX_FILE + 1)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from None
    if len(text) > MAX_FILE:
        raise ConfigError(f"{path} is larger than {MAX_FILE} bytes.")
    try:
        values = tomllib.loads(text.decode())
    except (ValueError, RecursionError):
        raise ConfigError(f"{path} is not TOML.") from None
    return parse(values)


def parse(values: Mapping[str, object]) -> Config:
    """Checked settings from the file's keys."""
    unknown = set(values) - set(Config.__dataclass_fields__)
    if unknown:
        raise ConfigError(f"unknown key: {min(unknown)}.")
    connect = _text(values, "iot_connect")
    return Config(
        region=_matching(values, "region", _REGION),
        agent_api_url=_url(_text(values, "agent_api_url")),
        node_id=_node(_text(values, "node_id")),
        ca_bundle=_text(values, "ca_bundle"),
        iot_connect=address(connect) if connect else None,
        state_dir=_directory(_text(values, "state_dir") or DEFAULT_STATE),
        session_user=_matching(values, "session_user", _USER, optional=True),
        log_level=_level(_text(values, "log_level") or "info"),
    )


def address(text: str, default_port: int = 443) -> Address:
    """`host` or `host:port`."""
    host, colon, port = text.partition(":")
    if not _HOST.match(host) or (colon and not (port.isascii() and port.isdigit())):
        raise ConfigError("an address is host or host:port.")
    number = int(port[:6]) if colon else default_port
    if not 0 < number < 1 << 16:
        raise ConfigError("a port is 1 to 65535.")
    return Address(host, number)


def _text(values: Mapping[str, object], key: str) -> str:
    value = values.get(key, "")
    if not isinstance(value, str):
        raise ConfigError(f"{key} is not a text.")
    return value


def _matching(
    values: Mapping[str, object], key: str, pattern: re.Pattern[str], optional: bool = False
) -> str:
    text = _text(values, key)
    if pattern.match(text) or (optional and not text):
        return text
    raise ConfigError(f"{key} is {'malformed' if text else 'missing'}.")


def _url(text: str) -> str:
    """The agent API's base, without a slash at its end; TLS only."""
    parts = urlsplit(text)
    if parts.scheme != "https" or not parts.hostname or parts.query or parts.fragment:
        raise ConfigError("agent_api_url is not an https:// address.")
    if "@" in parts.netloc:
        raise ConfigError("agent_api_url must not name a user.")
    address(parts.netloc)
    return text.rstrip("/")


def _node(text: str) -> str:
    try:
        return node_id(text) if text else ""
    except HatchwayError as error:
        raise ConfigError(f"node_id: {error.message}") from None


def _directory(text: str) -> Path:
    path = Path(text)
    if not path.is_absolute():
        raise ConfigError("state_dir is not an absolute path.")
    return path


def _level(text: str) -> Level:
    try:
        return Level[text.upper()]
    except KeyError:
        raise ConfigError("log_level is not debug, info, warning or error.") from None
