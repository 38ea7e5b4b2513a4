"""The embedded AWS as the launcher starts it: loopback only, its own root key only, restartable."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from local import emulator, processes
from local.emulator import Emulator
from local.environment import scrubbed
from local.errors import LauncherError
from local.places import Places

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def base() -> dict[str, str]:
    return dict(os.environ)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, base: dict[str, str]) -> Iterator[Emulator]:
    here = Places(tmp_path_factory.mktemp("launcher") / "local")
    here.make()
    try:
        yield emulator.start_fresh(here, base)
    finally:
        emulator.stop(here)


def test_its_account_is_the_embedded_one(running: Emulator) -> None:
    emulator.check_account(running)


def test_it_is_found_again_with_the_same_keys(running: Emulator) -> None:
    assert emulator.running(running.places) == running


def _listening(pid: int) -> set[tuple[str, int]]:
    """Address and port of every TCP socket that the process listens on."""
    sockets = set()
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            sockets.add(str(path.readlink()))
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
                address, port = fields[1].split(":")
                found.add((address, int(port, 16)))
    return found


def test_it_listens_on_one_loopback_port_and_on_nothing_else(running: Emulator) -> None:
    process = processes.recorded(running.places.record("emulator-process"))
    assert process is not None
    assert _listening(process.pid) == {("0100007F", running.port)}


@pytest.mark.parametrize("key", ["test", "000000000000", "AKIAUNKNOWN"])
def test_no_other_key_is_root(running: Emulator, key: str) -> None:
    session = boto3.Session(key, "test", region_name=emulator.REGION)
    iam = session.client("iam", endpoint_url=running.endpoint, verify=str(running.places.ca_bundle))
    with pytest.raises((ClientError, ResponseParserError)):
        iam.list_users()


def test_a_restart_keeps_what_was_in_it_and_role_sessions(
    running: Emulator, base: dict[str, str]
) -> None:
    iam = running.client("iam")
    trust = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",'
        ' "Principal": {"Service": "ec2.amazonaws.com"}}]}'
    )
    arn = iam.create_role(RoleName="kept", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    issued = running.client("sts").assume_role(RoleArn=arn, RoleSessionName="i-1")["Credentials"]
    emulator.stop(running.places)
    assert emulator.running(running.places) is None
    assert emulator.start_again(running.places, base) == running
    assert iam.get_role(RoleName="kept")["Role"]["Arn"] == arn
    session = boto3.Session(
        issued["AccessKeyId"],
        issued["SecretAccessKey"],
        issued["SessionToken"],
        region_name=emulator.REGION,
    )
    sts = session.client("sts", endpoint_url=running.endpoint, verify=str(running.places.ca_bundle))
    assert sts.get_caller_identity()["Arn"].endswith(":assumed-role/kept/i-1")


def test_stopping_leaves_no_process_and_no_port(tmp_path: Path, base: dict[str, str]) -> None:
    here = Places(tmp_path / "local")
    started = emulator.start_fresh(here, base)
    process = processes.recorded(here.record("emulator-process"))
    emulator.stop(here)
    assert process is not None
    assert not processes.alive(process)
    again = emulator.start_fresh(here, base)
    try:
        assert again.port == started.port
        assert again.generation != started.generation
        assert again.access_key_id != started.access_key_id
    finally:
        emulator.stop(here)


def test_what_was_never_started_cannot_be_started_again(
    tmp_path: Path, base: dict[str, str]
) -> None:
    with pytest.raises(LauncherError, match="no embedded AWS"):
        emulator.start_again(Places(tmp_path), base)


def test_its_commands_are_its_root_user_and_nobody_else(running: Emulator) -> None:
    theirs = {"AWS_PROFILE": "prod", "AWS_SESSION_TOKEN": "token", "PATH": "/bin"}
    environ = running.environ(theirs)
    assert environ["AWS_ENDPOINT_URL"] == running.endpoint
    assert environ["AWS_ACCESS_KEY_ID"] == running.access_key_id
    assert "AWS_PROFILE" not in environ
    assert "AWS_SESSION_TOKEN" not in environ
    assert scrubbed(theirs, running.places).keys() < environ.keys()
