"""What a document may say: fields, defaults, ranges, and the path of the one that is wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from hatchway.core import documents
from hatchway.core.documents import Document, ParameterType, Platform, SessionType, builtin, reading
from hatchway.core.errors import (
    InvalidDocument,
    InvalidDocumentContent,
    InvalidDocumentSchemaVersion,
)


def shell(**inputs: Any) -> dict[str, Any]:
    return {"schemaVersion": "1.0", "sessionType": "Standard_Stream", "inputs": inputs}


def command(text: str = "uptime", **more: Any) -> dict[str, Any]:
    return {
        "schemaVersion": "1.0",
        "sessionType": "InteractiveCommands",
        "properties": {"linux": {"commands": text}},
        **more,
    }


def parameter(**fields: Any) -> dict[str, Any]:
    return command("echo {{ x }}", parameters={"x": {"type": "String", **fields}})


def ours(**fields: Any) -> dict[str, Any]:
    return shell(hatchway=fields)


def test_a_document_that_says_nothing_has_the_originals_defaults() -> None:
    inputs = documents.parse(shell()).inputs
    assert (inputs.idle_session_timeout, inputs.max_session_duration) == (20, 0)
    assert inputs.cloud_watch_streaming_enabled
    assert inputs.s3_encryption_enabled
    assert not inputs.run_as_enabled
    assert inputs.hatchway == documents.HatchwayInputs()


def test_all_that_can_be_said_is_read_and_comes_back_resolved() -> None:
    said = shell(
        s3BucketName="logs-of-ours",
        s3KeyPrefix="a/b",
        s3EncryptionEnabled=False,
        cloudWatchLogGroupName="/ours/sessions",
        cloudWatchEncryptionEnabled=False,
        cloudWatchStreamingEnabled=False,
        kmsKeyId="arn:aws:kms:eu-west-1:123456789012:key/abc",
        runAsEnabled=True,
        runAsDefaultUser="root",
        idleSessionTimeout="60",
        maxSessionDuration=1440,
        shellProfile={"linux": "exec bash\n", "macos": "zsh", "windows": "cd C:\\"},
        hatchway={
            "requireReason": True,
            "reasonPattern": "INC-[0-9]+",
            "banner": True,
            "shell": {"linux": "/bin/bash", "macos": "/bin/zsh", "windows": "pwsh.exe"},
            "loginShell": True,
            "environment": {"EDITOR": "vi"},
            "sessionUser": "hatch",
            "createSessionUser": True,
            "runAsRootAllowed": True,
            "limits": {"nofile": 1024, "nproc": "256"},
            "outputKeepsAlive": True,
            "recordingRequired": True,
            "recordInput": True,
            "recordHiddenInput": True,
            "maskPatterns": ["AKIA[A-Z0-9]{16}"],
            "maxRecordedBytesPerMinute": 1_000_000,
        },
    )
    document = documents.parse(said)
    assert document.inputs.max_session_duration == 1440
    assert document.inputs.hatchway.limits == {"nofile": 1024, "nproc": 256}
    assert document.inputs.hatchway.shell.of(Platform.WINDOWS) == "pwsh.exe"
    resolved = replace(document, version="7")
    assert documents.read(documents.resolved_text(resolved)) == resolved


def test_a_command_document_comes_back_resolved() -> None:
    said = command(
        "echo {{ who }}",
        description="says it",
        parameters={"who": {"type": "String", "default": "me", "displayType": "textarea"}},
    )
    said["properties"] |= {
        "windows": {"commands": "Write-Output {{ who }}", "runAsElevated": True},
        "separateOutputStream": "true",
        "stdOutSeparatorPrefix": "STD_OUT:",
        "stdErrSeparatorPrefix": "STD_ERR:",
    }
    document = documents.parse(said)
    assert document.has_commands
    assert document.properties.of(Platform.MACOS) is None
    resolved = replace(documents.fill(document, {}), version="2")
    assert documents.read(documents.resolved_text(resolved)) == resolved
    members = json.loads(documents.resolved_text(resolved))
    assert members["documentVersion"] == "2"
    assert members["properties"]["separateOutputStream"] == "true"
    assert members["properties"]["linux"] == {"commands": "echo 'me'", "runAsElevated": False}
    assert "parameters" not in members


@pytest.mark.parametrize(
    ("said", "path"),
    [
        ([], "The document"),
        ({1: 2}, "The document"),
        ({"schemaVersion": "1.0"}, "sessionType"),
        ({"schemaVersion": "1.0", "sessionType": "Port"}, "sessionType Port is not served yet"),
        ({"schemaVersion": "1.0", "sessionType": "Standard_Stream"}, "inputs is required"),
        (shell() | {"x": 1}, "x is not a field"),
        (shell() | {"inputs": "x"}, "inputs is not an object"),
        (shell() | {"description": "d" * 1025}, "description"),
        (shell() | {"properties": {"linux": {}}}, "properties.linux"),
        (shell(x=1), "inputs.x"),
        (shell(idleSessionTimeout="0"), "inputs.idleSessionTimeout"),
        (shell(idleSessionTimeout="61"), "inputs.idleSessionTimeout"),
        (shell(idleSessionTimeout="1.5"), "inputs.idleSessionTimeout"),
        (shell(idleSessionTimeout=True), "inputs.idleSessionTimeout"),
        (shell(idleSessionTimeout="020"), "inputs.idleSessionTimeout"),
        (shell(maxSessionDuration="1441"), "inputs.maxSessionDuration"),
        (shell(maxSessionDuration="0"), "inputs.maxSessionDuration"),
        (shell(s3BucketName="A"), "inputs.s3BucketName"),
        (shell(s3KeyPrefix="a b"), "inputs.s3KeyPrefix"),
        (shell(cloudWatchLogGroupName="a b"), "inputs.cloudWatchLogGroupName"),
        (shell(kmsKeyId="a b"), "inputs.kmsKeyId"),
        (shell(runAsEnabled="yes"), "inputs.runAsEnabled"),
        (shell(runAsEnabled=1), "inputs.runAsEnabled"),
        (shell(runAsDefaultUser="-x"), "inputs.runAsDefaultUser"),
        (shell(runAsDefaultUser="root"), "inputs.runAsDefaultUser is root"),
        (shell(shellProfile={"solaris": "x"}), "inputs.shellProfile.solaris"),
        (shell(shellProfile={"linux": 1}), "inputs.shellProfile.linux is not a string"),
        (shell(shellProfile={"linux": "a\x00"}), "inputs.shellProfile.linux has a control"),
        (ours(x=1), "inputs.hatchway.x"),
        (ours(reasonPattern="("), "inputs.hatchway.reasonPattern"),
        (ours(shell={"linux": "bash"}), "inputs.hatchway.shell.linux"),
        (ours(environment={"A-B": ""}), "inputs.hatchway.environment.A-B"),
        (ours(environment={f"A{n}": "" for n in range(51)}), "inputs.hatchway.environment"),
        (ours(createSessionUser=True), "inputs.hatchway.createSessionUser"),
        (ours(recordHiddenInput=True), "inputs.hatchway.recordHiddenInput"),
        (ours(limits={"colour": 1}), "inputs.hatchway.limits.colour"),
        (ours(limits={"nofile": -1}), "inputs.hatchway.limits.nofile"),
        (ours(maskPatterns="x"), "inputs.hatchway.maskPatterns"),
        (ours(maskPatterns=["a", "("]), "inputs.hatchway.maskPatterns[1]"),
        (ours(maskPatterns=["(a+)+"]), "inputs.hatchway.maskPatterns[0]"),
        (ours(maskPatterns=["a*"]), "inputs.hatchway.maskPatterns[0]"),
        (ours(maskPatterns=["a"] * 21), "inputs.hatchway.maskPatterns"),
        (ours(maxRecordedBytesPerMinute=2**31), "inputs.hatchway.maxRecordedBytesPerMinute"),
        (command() | {"properties": {}}, "properties has commands for no"),
        (command("") | {}, "properties.linux.commands"),
        (command("a" * (reading.MAX_COMMANDS + 1)), "properties.linux.commands is longer"),
        (command() | {"properties": {"linux": {"commands": "x", "as": 1}}}, "properties.linux.as"),
        (command(parameters={"a b": {"type": "String"}}), "parameters.a b"),
        (command(parameters={f"p{n}": {"type": "String"} for n in range(33)}), "parameters"),
        (command(parameters={"x": {}}), "parameters.x.type"),
        (command(parameters={"x": {"type": "StringMap"}}), "parameters.x.type"),
        (parameter(y=1), "parameters.x.y"),
        (parameter(allowedPattern="["), "parameters.x.allowedPattern"),
        (parameter(allowedValues=[1]), "parameters.x.allowedValues[0]"),
        (parameter(default=["a"]), "parameters.x.default"),
        (parameter(default="b", allowedValues=["a"]), "parameters.x.default"),
        (command("echo {{ y }}"), "properties.linux.commands has a placeholder of y"),
        (command("echo {{ ssm:name }}"), "properties.linux.commands refers to Parameter Store"),
    ],
)
def test_what_is_wrong_is_named_by_its_path(said: Any, path: str) -> None:
    with pytest.raises(InvalidDocumentContent) as refused:
        documents.parse(said)
    assert refused.value.message.startswith(path)


@pytest.mark.parametrize("version", ["", "2.2", "0.3", None])
def test_there_is_no_other_schema_than_1_0(version: str | None) -> None:
    with pytest.raises(InvalidDocumentSchemaVersion):
        documents.parse(shell() | {"schemaVersion": version})


@pytest.mark.parametrize(
    "text", ["", "[", "[]", '{"schemaVersion":"2"}', '{"inputs":{"runAsEnabled":3}}']
)
def test_a_resolved_document_that_cannot_be_read_is_invalid(text: str) -> None:
    with pytest.raises(InvalidDocument):
        documents.read(text)


def test_what_a_later_service_added_to_a_resolved_document_is_ignored() -> None:
    members = json.loads(documents.resolve(documents.DEFAULT, {}))
    members["inputs"]["hatchway"]["later"] = True
    members["later"] = 1
    assert documents.read(json.dumps(members)).inputs.hatchway.banner


def test_documents_of_sessions_from_before_they_had_our_settings_are_read() -> None:
    found = documents.read('{"sessionType":"Standard_Stream","inputs":{"idleSessionTimeout":"5"}}')
    assert found.inputs.idle_session_timeout == 5
    assert found.version == ""


@pytest.mark.parametrize(
    ("kind", "value", "read"),
    [
        ("Integer", 3, ("3",)),
        ("Integer", "3", ("3",)),
        ("Boolean", True, ("true",)),
        ("Boolean", False, ("false",)),
        ("String", "", ("",)),
        ("StringList", ["a", "b"], ("a", "b")),
    ],
)
def test_defaults_are_kept_as_the_values_that_callers_give(
    kind: str, value: object, read: tuple[str, ...]
) -> None:
    said = command("echo {{ x }}", parameters={"x": {"type": kind, "default": value}})
    assert documents.parse(said).parameters["x"].default == read


def test_the_built_in_documents_are_the_preferences_and_the_two_of_aws() -> None:
    found = {name: builtin.built_in(name) for name in builtin.CONTENT}
    kinds = {name: document.session_type for name, document in found.items() if document}
    assert kinds == {
        "SSM-SessionManagerRunShell": SessionType.STANDARD_STREAM,
        "AWS-StartInteractiveCommand": SessionType.INTERACTIVE_COMMANDS,
        "AWS-StartNonInteractiveCommand": SessionType.NON_INTERACTIVE_COMMANDS,
    }
    command = found["AWS-StartNonInteractiveCommand"]
    assert isinstance(command, Document)
    assert command.properties.separate_output_stream
    assert command.parameters["command"].type is ParameterType.STRING
    assert builtin.built_in("x") is None
