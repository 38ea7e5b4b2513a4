"""Agent processes on this machine, each standing for an EC2 instance of the embedded AWS."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from local import demo_user, processes
from local.deployment import Stacks
from local.emulator import REGION, Emulator
from local.environment import scrubbed
from local.errors import CommandFailed, LauncherError
from local.fingerprint import fingerprint
from local.identities import ADMIN, read_credentials
from local.instances import NodeRole
from local.places import ROOT, Places
from local.processes import Process
from local.records import read_record, write_private, write_record
from local.signed import Signed
from local.waiting import until

#: What an agent runs from; it is started again when this changed.
AGENT_SOURCES = ("agent", "hatchway/core", "hatchway/net", "hatchway/__init__.py")
ONLINE_LIMIT = 60.0


def configure(
    emulator: Emulator,
    stacks: Stacks,
    role: NodeRole,
    node: str,
    overrides: Mapping[str, str] | None = None,
) -> Path:
    """Writes what the node's agent is started with; the directory it is in.

    `overrides` are keys of the agent's configuration: another address to dial, for instance.
    """
    places = emulator.places
    directory = places.nodes / node
    (directory / "state").mkdir(mode=0o700, parents=True, exist_ok=True)
    settings = {
        "node_id": node,
        "region": REGION,
        "agent_api_url": stacks["AgentApiUrl"],
        "ca_bundle": str(places.ca_bundle),
        "iot_connect": f"127.0.0.1:{emulator.port}",
        "state_dir": str(directory / "state"),
        "log_level": "info",
        "session_user": demo_user.ensure(places).name,
        **(overrides or {}),
    }
    lines = [f"{key} = {json.dumps(value)}\n" for key, value in settings.items()]
    write_private(directory / "agent.toml", "".join(lines))
    _write_credential_process(places, directory, role, node)
    return directory


def _write_credential_process(places: Places, directory: Path, role: NodeRole, node: str) -> None:
    """An AWS profile whose credentials are the instance role's, made anew before they expire."""
    script = directory / "credentials"
    command = [sys.executable, "-m", "local.instance_credentials", str(places.directory)]
    text = (
        f"#!/bin/sh\ncd {shlex.quote(str(ROOT))} && exec {shlex.join([*command, role.arn, node])}\n"
    )
    write_private(script, text)
    script.chmod(0o700)
    process = f'credential_process = "{script}"'
    write_private(directory / "aws-config", f"[default]\nregion = {REGION}\n{process}\n")


def start(emulator: Emulator, node: str, base: Mapping[str, str]) -> Process:
    """Starts the agent of a configured node, or finds it running from the same sources."""
    places = emulator.places
    directory = places.nodes / node
    wanted = fingerprint(ROOT, AGENT_SOURCES, (directory / "agent.toml").read_text())
    running = processes.recorded(record(places, node))
    if running is not None and read_record(directory / "started.json").get("from") == wanted:
        return running
    stop(places, node)
    process = processes.start(
        [sys.executable, "-m", "agent"],
        environ=_environ(places, node, base),
        log=places.log(f"agent-{node}"),
        record=record(places, node),
        cwd=ROOT,
    )
    write_record(directory / "started.json", {"from": wanted})
    return process


def _environ(places: Places, node: str, base: Mapping[str, str]) -> dict[str, str]:
    """Nothing of the caller's account, and the node's own profile."""
    directory = places.nodes / node
    return scrubbed(base, places) | {
        "HATCHWAY_AGENT_CONFIG": str(directory / "agent.toml"),
        "AWS_CONFIG_FILE": str(directory / "aws-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(directory / "no-credentials"),
    }


def record(places: Places, node: str) -> Path:
    return places.record(f"agent-{node}")


def stop(places: Places, node: str) -> None:
    processes.stop(record(places, node))


def stop_all(places: Places) -> None:
    for directory in sorted(places.nodes.glob("*-*")):
        stop(places, directory.name)


def forget_all(places: Places) -> None:
    """Stops the agents of nodes that are no more, and removes what they kept."""
    stop_all(places)
    shutil.rmtree(places.nodes, ignore_errors=True)
    places.nodes.mkdir(mode=0o700)


def connected(places: Places, stacks: Stacks, node: str) -> bool:
    """Whether the service says that the node is connected."""
    admin = Signed(stacks["PeopleApiUrl"], places.ca_bundle, read_credentials(places, ADMIN))
    return admin.call("GET", f"/nodes/{node}/connection").fields.get("Status") == "connected"


def wait_online(places: Places, stacks: Stacks, node: str, seconds: float = ONLINE_LIMIT) -> None:
    """Until the service says that the node is connected; CommandFailed when its agent ends."""

    def online() -> bool:
        if processes.recorded(record(places, node)) is None:
            raise CommandFailed("The agent ended", places.log(f"agent-{node}"))
        return connected(places, stacks, node)

    try:
        until(online, seconds, "The node did not come online")
    except LauncherError as error:
        if isinstance(error, CommandFailed):
            raise
        raise CommandFailed(str(error), places.log(f"agent-{node}")) from None
