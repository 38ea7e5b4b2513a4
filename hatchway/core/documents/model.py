"""A session document, schema 1.0, as frozen records: what was checked once is typed from here on.

Field names are the original's in snake case; `reading.py` says what each may hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from hatchway.core.documents.patterns import Pattern

SCHEMA_VERSION = "1.0"


class SessionType(StrEnum):
    """What runs at the other end. Port's place is reserved: such a document is refused so far."""

    STANDARD_STREAM = "Standard_Stream"
    INTERACTIVE_COMMANDS = "InteractiveCommands"
    NON_INTERACTIVE_COMMANDS = "NonInteractiveCommands"
    PORT = "Port"


class Platform(StrEnum):
    LINUX = "linux"
    MACOS = "macos"
    WINDOWS = "windows"


class ParameterType(StrEnum):
    STRING = "String"
    STRING_LIST = "StringList"
    INTEGER = "Integer"
    BOOLEAN = "Boolean"


@dataclass(frozen=True, slots=True, kw_only=True)
class PerPlatform:
    """One text for each operating system; "" where there is none."""

    linux: str = ""
    macos: str = ""
    windows: str = ""

    def of(self, platform: Platform) -> str:
        return {"linux": self.linux, "macos": self.macos, "windows": self.windows}[platform.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class HatchwayInputs:
    """Settings that Session Manager does not have; each default leaves things as they are there.

    `limits` are resource limits by their name without `RLIMIT_`, in lower case; `banner` shows
    node, environment, run-as user and whether the session is recorded;
    `max_recorded_bytes_a_minute` is 0 for no cap; `mask_patterns` and `reason_pattern` are
    expressions of `patterns.py`.
    """

    require_reason: bool = False
    reason_pattern: str = ""
    banner: bool = False
    shell: PerPlatform = PerPlatform()
    login_shell: bool = False
    environment: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    session_user: str = ""
    create_session_user: bool = False
    run_as_root_allowed: bool = False
    limits: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    output_keeps_alive: bool = False
    recording_required: bool = False
    record_input: bool = False
    record_hidden_input: bool = False
    mask_patterns: tuple[str, ...] = ()
    max_recorded_bytes_a_minute: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The preferences of a document. Times are minutes; `max_session_duration` 0 means no limit."""

    s3_bucket_name: str = ""
    s3_key_prefix: str = ""
    s3_encryption_enabled: bool = True
    cloud_watch_log_group_name: str = ""
    cloud_watch_encryption_enabled: bool = True
    cloud_watch_streaming_enabled: bool = True
    kms_key_id: str = ""
    run_as_enabled: bool = False
    run_as_default_user: str = ""
    idle_session_timeout: int = 20
    max_session_duration: int = 0
    shell_profile: PerPlatform = PerPlatform()
    hatchway: HatchwayInputs = HatchwayInputs()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter. `default` is None where the caller must give a value; one element but for
    a StringList. `allowed_pattern` must match a whole value."""

    type: ParameterType = ParameterType.STRING
    description: str = ""
    default: tuple[str, ...] | None = None
    allowed_values: tuple[str, ...] = ()
    allowed_pattern: Pattern | None = None
    min_chars: int = 0
    max_chars: int = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What runs on one operating system: text for `/bin/sh -c` (Linux, macOS; never for another
    shell, whose quoting differs) or PowerShell. A resolved document's has no placeholders."""

    commands: str
    run_as_elevated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Properties:
    """The commands of a document that has some, None where it has none for that system."""

    linux: Command | None = None
    macos: Command | None = None
    windows: Command | None = None
    separate_output_stream: bool = False
    stdout_separator_prefix: str = ""
    stderr_separator_prefix: str = ""

    def of(self, platform: Platform) -> Command | None:
        return {"linux": self.linux, "macos": self.macos, "windows": self.windows}[platform.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A session document; a resolved one has its `version` and no parameters."""

    session_type: SessionType = SessionType.STANDARD_STREAM
    description: str = ""
    inputs: Inputs = Inputs()
    parameters: Mapping[str, Parameter] = field(default_factory=lambda: MappingProxyType({}))
    properties: Properties = Properties()
    version: str = ""

    @property
    def has_commands(self) -> bool:
        return self.session_type in _COMMANDS


_COMMANDS = (SessionType.INTERACTIVE_COMMANDS, SessionType.NON_INTERACTIVE_COMMANDS)
