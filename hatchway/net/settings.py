"""Where the service is: a TOML file, each key of which the environment may override.

It reads and checks; credentials are not here, they come from the ordinary AWS chain.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from hatchway.core.errors import ConfigurationInvalid

CONFIG_VARIABLE = "HATCHWAY_CONFIG"
DEFAULT_PATH = "~/.config/hatchway/config.toml"
KEYS = ("api_url", "region", "ca_bundle", "node_id", "stream_connect")
#: A configuration is five lines; a file beyond this is not one.
MAX_CONFIG_BYTES = 64 * 1024

_API_HOST = re.compile(r"[a-z0-9]+\.execute-api\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?\Z")
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d{1,2}\Z")
_ADDRESS = re.compile(r"(?P<host>[A-Za-z0-9.-]{1,253}):(?P<port>[0-9]{1,5})\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The people API's address, the region requests are signed for, and what certificate
    authorities to trust instead of the system's; `node_id` is the target when none is named.
    `stream_connect` is what the stream dials instead of its address's own host (a forwarder, say);
    the certificate must still bear that host's name."""

    api_url: str
    region: str
    ca_bundle: Path | None = None
    node_id: str | None = None
    stream_connect: tuple[str, int] | None = None

    def __post_init__(self) -> None:
        parts = urlsplit(self.api_url)
        if parts.scheme != "https" or not parts.hostname or parts.query or parts.username:
            raise ConfigurationInvalid("api_url is not an https:// address.")
        if not _REGION.match(self.region):
            raise ConfigurationInvalid("region is not the name of an AWS region.")
        if self.ca_bundle is not None and not self.ca_bundle.is_file():
            raise ConfigurationInvalid(
                f"ca_bundle names a file that is not there: {self.ca_bundle}"
            )


def load(
    environ: Mapping[str, str], path: Path | None = None, region: str | None = None
) -> Settings:
    """The settings from `path` (else HATCHWAY_CONFIG, else the default file) and `environ`.

    `region` wins over both. ConfigurationInvalid says what is missing and where to write it.
    """
    source, required = _source(environ, path)
    values = _read(source, required=required)
    values.update(
        {
            key: environ[f"HATCHWAY_{key.upper()}"]
            for key in KEYS
            if environ.get(f"HATCHWAY_{key.upper()}")
        }
    )
    if region:
        values["region"] = region
    return _settings(values, source, environ)


def _source(environ: Mapping[str, str], path: Path | None) -> tuple[Path, bool]:
    """The file, and whether somebody named it, so that its absence is an error."""
    if path is not None:
        return path.expanduser(), True
    if named := environ.get(CONFIG_VARIABLE):
        return Path(named).expanduser(), True
    return Path(DEFAULT_PATH).expanduser(), False


def _read(source: Path, *, required: bool) -> dict[str, str]:
    try:
        with source.open("rb") as file:
            raw = file.read(MAX_CONFIG_BYTES + 1)
    except FileNotFoundError:
        if required:
            raise ConfigurationInvalid(f"There is no configuration file {source}.") from None
        return {}
    except OSError as error:
        reason = error.strerror or "not readable"
        raise ConfigurationInvalid(f"{source} cannot be read: {reason}.") from None
    if len(raw) > MAX_CONFIG_BYTES:
        raise ConfigurationInvalid(f"{source} is larger than a configuration file may be.")
    try:
        found = tomllib.loads(raw.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationInvalid(f"{source} is not TOML: {error}.") from None
    return _checked(found, source)


def _checked(found: Mapping[str, object], source: Path) -> dict[str, str]:
    values = {}
    for key, value in found.items():
        if key not in KEYS:
            known = ", ".join(KEYS)
            raise ConfigurationInvalid(f"{source} has a key {key!r}; known are {known}.")
        if not isinstance(value, str):
            raise ConfigurationInvalid(f"{key} in {source} is not a string.")
        values[key] = value
    if values.get("ca_bundle"):
        # Relative to the file that says so, whatever directory the command runs in.
        values["ca_bundle"] = str(source.parent / Path(values["ca_bundle"]).expanduser())
    return values


def _settings(values: Mapping[str, str], source: Path, environ: Mapping[str, str]) -> Settings:
    api_url = values.get("api_url", "").rstrip("/")
    if not api_url:
        raise ConfigurationInvalid(
            f'No api_url: write api_url = "https://…" (the stack\'s output) to {source}, '
            "or set HATCHWAY_API_URL."
        )
    region = values.get("region") or _region_of(api_url) or environ.get("AWS_REGION", "")
    if not region:
        raise ConfigurationInvalid(f"No region: write it to {source}, or give --region.")
    bundle = values.get("ca_bundle")
    return Settings(
        api_url=api_url,
        region=region,
        ca_bundle=Path(bundle) if bundle else None,
        node_id=values.get("node_id") or None,
        stream_connect=_host_and_port(values.get("stream_connect", "")),
    )


def _host_and_port(text: str) -> tuple[str, int] | None:
    if not text:
        return None
    found = _ADDRESS.match(text)
    if not found or not 0 < int(found["port"]) < 1 << 16:
        raise ConfigurationInvalid("stream_connect is not host:port.")
    return found["host"], int(found["port"])


def _region_of(api_url: str) -> str:
    """API Gateway's own host names say the region; a custom domain or the local one does not."""
    found = _API_HOST.match(urlsplit(api_url).hostname or "")
    return found["region"] if found else ""
