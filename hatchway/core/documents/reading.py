"""From untyped members to a typed document: schema 1.0 with its fields, defaults and ranges."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from types import MappingProxyType

from hatchway.core.documents import placeholders
from hatchway.core.documents.fields import Fields
from hatchway.core.documents.model import (
    SCHEMA_VERSION,
    Command,
    Document,
    HatchwayInputs,
    Inputs,
    Parameter,
    ParameterType,
    PerPlatform,
    Platform,
    Properties,
    SessionType,
)
from hatchway.core.errors import (
    InvalidDocument,
    InvalidDocumentContent,
    InvalidDocumentSchemaVersion,
    ValidationException,
)
from hatchway.core.transcript.masking import compile_patterns

MAX_IDLE_MINUTES = 60
MAX_DURATION_MINUTES = 1440
MAX_PARAMETERS = 32
MAX_ALLOWED_VALUES = 50
MAX_VALUE = 4096
MAX_COMMANDS = 16 * 1024
MAX_PROFILE = 8 * 1024
MAX_ENVIRONMENT = 50
MAX_MASKS = 20
#: Characters of a resolved document; an agent reads as many.
MAX_RESOLVED = 64 * 1024
MAX_DESCRIPTION = 1024

#: RLIMIT names that a document may set.
LIMITS = re.compile("as|core|cpu|data|fsize|memlock|msgqueue|nofile|nproc|sigpending|stack")
#: Names that Linux and macOS take, and that no option or path can be mistaken for.
OS_USER = re.compile(r"[A-Za-z_][A-Za-z0-9._@-]{0,63}\$?")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX = re.compile(r"[A-Za-z0-9!_.*'()/-]+")
_LOG_GROUP = re.compile(r"[A-Za-z0-9_./#-]+")
_KEY = re.compile(r"[A-Za-z0-9:/_-]+")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_PATH = re.compile(r"/[A-Za-z0-9._+/-]+")
_PROGRAM = re.compile(r"[A-Za-z0-9._+:\\/ ()-]+")
_PARAMETER = re.compile(r"[A-Za-z0-9_]{1,64}")
_VERSION = re.compile(r"[1-9][0-9]{0,7}")
_TYPES = tuple(each.value for each in SessionType)


def parse(content: object) -> Document:
    """A document as an administrator wrote it; InvalidDocumentContent, with the path of the field,
    or InvalidDocumentSchemaVersion otherwise. Missing members have their defaults."""
    fields = Fields(content)
    document = _document(fields, resolved=False)
    fields.close()
    return document


def read(text: str) -> Document:
    """A resolved document as it is stored with a session and delivered to the agent. Members that
    a later service added are ignored; InvalidDocument where it cannot be read."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidDocument("The session's document is not JSON.") from None
    try:
        return _document(Fields(found, strict=False), resolved=True)
    except (InvalidDocumentContent, InvalidDocumentSchemaVersion) as why:
        raise InvalidDocument(why.message) from None


def _document(fields: Fields, *, resolved: bool) -> Document:
    if fields.text("schemaVersion", SCHEMA_VERSION if resolved else "") != SCHEMA_VERSION:
        raise InvalidDocumentSchemaVersion("schemaVersion is not 1.0.")
    kind = _session_type(fields, resolved=resolved)
    document = Document(
        session_type=kind,
        description=fields.text("description", most=MAX_DESCRIPTION),
        inputs=_inputs(fields, required=kind is SessionType.STANDARD_STREAM and not resolved),
        parameters={} if resolved else _parameters(fields.within("parameters")),
        properties=_properties(fields, kind),
        version=fields.text("documentVersion", form=_VERSION) if resolved else "",
    )
    if not resolved:
        _check_placeholders(fields, document)
    return document


def _session_type(fields: Fields, *, resolved: bool) -> SessionType:
    default = SessionType.STANDARD_STREAM.value if resolved else ""
    kind = SessionType(fields.choice("sessionType", _TYPES, default))
    if kind is SessionType.PORT:
        raise fields.fail("sessionType", "Port is not served yet")
    return kind


def _inputs(fields: Fields, *, required: bool) -> Inputs:
    if required and not fields.has("inputs"):
        raise fields.fail("inputs", "is required in a Standard_Stream document")
    at = fields.within("inputs")
    inputs = Inputs(
        s3_bucket_name=at.text("s3BucketName", form=_BUCKET),
        s3_key_prefix=at.text("s3KeyPrefix", most=512, form=_PREFIX),
        s3_encryption_enabled=at.flag("s3EncryptionEnabled", True),
        cloud_watch_log_group_name=at.text("cloudWatchLogGroupName", most=512, form=_LOG_GROUP),
        cloud_watch_encryption_enabled=at.flag("cloudWatchEncryptionEnabled", True),
        cloud_watch_streaming_enabled=at.flag("cloudWatchStreamingEnabled", True),
        kms_key_id=at.text("kmsKeyId", form=_KEY),
        run_as_enabled=at.flag("runAsEnabled"),
        run_as_default_user=at.text("runAsDefaultUser", form=OS_USER),
        idle_session_timeout=at.number("idleSessionTimeout", 1, MAX_IDLE_MINUTES, 20),
        max_session_duration=at.number("maxSessionDuration", 1, MAX_DURATION_MINUTES, 0),
        shell_profile=_per_platform(at.within("shellProfile"), MAX_PROFILE),
        hatchway=_hatchway(at.within("hatchway")),
    )
    if inputs.run_as_default_user == "root" and not inputs.hatchway.run_as_root_allowed:
        raise at.fail("runAsDefaultUser", "is root, and hatchway.runAsRootAllowed is not true")
    at.close()
    return inputs


def _hatchway(at: Fields) -> HatchwayInputs:
    reason = at.pattern("reasonPattern")
    found = HatchwayInputs(
        require_reason=at.flag("requireReason"),
        reason_pattern=reason.text if reason else "",
        banner=at.flag("banner"),
        shell=_shell(at.within("shell")),
        login_shell=at.flag("loginShell"),
        environment=at.table("environment", _VARIABLE, most=MAX_ENVIRONMENT, length=2048),
        session_user=at.text("sessionUser", form=OS_USER),
        create_session_user=at.flag("createSessionUser"),
        run_as_root_allowed=at.flag("runAsRootAllowed"),
        limits=_limits(at.within("limits")),
        output_keeps_alive=at.flag("outputKeepsAlive"),
        recording_required=at.flag("recordingRequired"),
        record_input=at.flag("recordInput"),
        record_hidden_input=at.flag("recordHiddenInput"),
        mask_patterns=_masks(at),
        max_recorded_bytes_a_minute=at.number("maxRecordedBytesPerMinute", 0, 2**31 - 1, 0),
    )
    if found.create_session_user and not found.session_user:
        raise at.fail("createSessionUser", "needs a sessionUser")
    if found.record_hidden_input and not found.record_input:
        raise at.fail("recordHiddenInput", "needs recordInput")
    at.close()
    return found


def _limits(at: Fields) -> Mapping[str, int]:
    for name in at:
        if not LIMITS.fullmatch(name):
            raise at.fail(name[:64], "is not a resource limit that can be set")
    return MappingProxyType({name: at.number(name, 0, 2**63 - 1, 0) for name in at})


def _masks(at: Fields) -> tuple[str, ...]:
    masks = at.texts("maskPatterns", most=MAX_MASKS, length=512)
    for number, mask in enumerate(masks):
        at.compiled(f"maskPatterns[{number}]", mask)
        try:
            compile_patterns([mask])  # as it is searched for: that one does go back and forth
        except ValidationException as error:
            raise at.fail(f"maskPatterns[{number}]", error.message) from None
    return masks


def _per_platform(at: Fields, most: int) -> PerPlatform:
    found = PerPlatform(
        linux=at.text("linux", most=most),
        macos=at.text("macos", most=most),
        windows=at.text("windows", most=most),
    )
    at.close()
    return found


def _shell(at: Fields) -> PerPlatform:
    found = PerPlatform(
        linux=at.text("linux", most=256, form=_PATH),
        macos=at.text("macos", most=256, form=_PATH),
        windows=at.text("windows", most=256, form=_PROGRAM),
    )
    at.close()
    return found


def _properties(fields: Fields, kind: SessionType) -> Properties:
    at = fields.within("properties")
    if kind is SessionType.STANDARD_STREAM:
        at.close()
        return Properties()
    found = Properties(
        linux=_command(at, Platform.LINUX),
        macos=_command(at, Platform.MACOS),
        windows=_command(at, Platform.WINDOWS),
        separate_output_stream=at.flag("separateOutputStream"),
        stdout_separator_prefix=at.text("stdOutSeparatorPrefix", most=128),
        stderr_separator_prefix=at.text("stdErrSeparatorPrefix", most=128),
    )
    at.close()
    if not (found.linux or found.macos or found.windows):
        raise fields.fail("properties", "has commands for no operating system")
    return found


def _command(fields: Fields, platform: Platform) -> Command | None:
    if not fields.has(platform.value):
        return None
    at = fields.within(platform.value)
    found = Command(
        commands=at.text("commands", most=MAX_RESOLVED),
        run_as_elevated=at.flag("runAsElevated"),
    )
    if not found.commands.strip():
        raise at.fail("commands", "is missing")
    at.close()
    return found


def _parameters(fields: Fields) -> Mapping[str, Parameter]:
    names = list(fields)
    if len(names) > MAX_PARAMETERS:
        raise fields.fail("", f"has more than {MAX_PARAMETERS} members")
    for name in names:
        if not _PARAMETER.fullmatch(name):
            raise fields.fail(name[:64], "is not a parameter's name: letters, digits and _")
    return MappingProxyType({name: _parameter(fields.within(name)) for name in names})


def _parameter(at: Fields) -> Parameter:
    kind = ParameterType(at.choice("type", tuple(t.value for t in ParameterType)))
    at.text("displayType")  # the original's consoles read it; it changes nothing here
    found = Parameter(
        type=kind,
        description=at.text("description", most=MAX_DESCRIPTION),
        allowed_values=at.texts("allowedValues", most=MAX_ALLOWED_VALUES, length=MAX_VALUE),
        allowed_pattern=at.pattern("allowedPattern"),
        min_chars=at.number("minChars", 0, MAX_VALUE, 0),
        max_chars=at.number("maxChars", 0, MAX_VALUE, MAX_VALUE),
        default=_default(at, kind),
    )
    if found.default is not None:
        why = placeholders.refusal(found, found.default)
        if why:
            raise at.fail("default", why)
    at.close()
    return found


def _default(at: Fields, kind: ParameterType) -> tuple[str, ...] | None:
    if not at.has("default"):
        at.raw("default")
        return None
    if kind is ParameterType.STRING_LIST:
        return at.texts("default", most=MAX_ALLOWED_VALUES, length=MAX_VALUE)
    value = at.raw("default")
    if isinstance(value, bool) and kind is ParameterType.BOOLEAN:
        return ("true" if value else "false",)
    if isinstance(value, int) and not isinstance(value, bool) and kind is ParameterType.INTEGER:
        return (str(value),)
    return (at.text("default", most=MAX_VALUE),)


def _check_placeholders(fields: Fields, document: Document) -> None:
    """Commands may only have placeholders of parameters, where a quoted word can stand."""
    for platform in Platform:
        command = document.properties.of(platform)
        if command is None:
            continue
        at = fields.within("properties").within(platform.value)
        if len(command.commands) > MAX_COMMANDS:
            raise at.fail("commands", f"is longer than {MAX_COMMANDS} characters")
        why = placeholders.misplaced(command.commands, platform, document.parameters)
        if why:
            raise at.fail("commands", why)
