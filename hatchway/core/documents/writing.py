"""A typed document as JSON members, with all defaults filled in: the frozen form that is stored
with a session and delivered to the agent."""

from __future__ import annotations

import json

from hatchway.core.documents.model import (
    SCHEMA_VERSION,
    Command,
    Document,
    HatchwayInputs,
    Inputs,
    PerPlatform,
    Platform,
    Properties,
)


def resolved_text(document: Document) -> str:
    """A resolved document as JSON; its parameters have been filled in, and are left out."""
    return json.dumps(members(document), separators=(",", ":"), ensure_ascii=False)


def members(document: Document) -> dict[str, object]:
    found: dict[str, object] = {
        "schemaVersion": SCHEMA_VERSION,
        "description": document.description,
        "sessionType": document.session_type.value,
        "documentVersion": document.version,
        "inputs": _inputs(document.inputs),
    }
    if document.has_commands:
        found["properties"] = _properties(document.properties)
    return found


def _inputs(inputs: Inputs) -> dict[str, object]:
    return {
        "s3BucketName": inputs.s3_bucket_name,
        "s3KeyPrefix": inputs.s3_key_prefix,
        "s3EncryptionEnabled": inputs.s3_encryption_enabled,
        "cloudWatchLogGroupName": inputs.cloud_watch_log_group_name,
        "cloudWatchEncryptionEnabled": inputs.cloud_watch_encryption_enabled,
        "cloudWatchStreamingEnabled": inputs.cloud_watch_streaming_enabled,
        "kmsKeyId": inputs.kms_key_id,
        "runAsEnabled": inputs.run_as_enabled,
        "runAsDefaultUser": inputs.run_as_default_user,
        "idleSessionTimeout": str(inputs.idle_session_timeout),
        "maxSessionDuration": str(inputs.max_session_duration or ""),
        "shellProfile": _per_platform(inputs.shell_profile),
        "hatchway": _hatchway(inputs.hatchway),
    }


def _hatchway(inputs: HatchwayInputs) -> dict[str, object]:
    return {
        "requireReason": inputs.require_reason,
        "reasonPattern": inputs.reason_pattern,
        "banner": inputs.banner,
        "shell": _per_platform(inputs.shell),
        "loginShell": inputs.login_shell,
        "environment": dict(inputs.environment),
        "sessionUser": inputs.session_user,
        "createSessionUser": inputs.create_session_user,
        "runAsRootAllowed": inputs.run_as_root_allowed,
        "limits": dict(inputs.limits),
        "outputKeepsAlive": inputs.output_keeps_alive,
        "recordingRequired": inputs.recording_required,
        "recordInput": inputs.record_input,
        "recordHiddenInput": inputs.record_hidden_input,
        "maskPatterns": list(inputs.mask_patterns),
        "maxRecordedBytesPerMinute": inputs.max_recorded_bytes_a_minute,
    }


def _per_platform(texts: PerPlatform) -> dict[str, str]:
    return {platform.value: texts.of(platform) for platform in Platform}


def _properties(properties: Properties) -> dict[str, object]:
    commands = {
        platform.value: _command(command)
        for platform in Platform
        if (command := properties.of(platform)) is not None
    }
    return {
        **commands,
        "separateOutputStream": "true" if properties.separate_output_stream else "false",
        "stdOutSeparatorPrefix": properties.stdout_separator_prefix,
        "stdErrSeparatorPrefix": properties.stderr_separator_prefix,
    }


def _command(command: Command) -> dict[str, object]:
    return {"commands": command.commands, "runAsElevated": command.run_as_elevated}
