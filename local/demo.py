"""The demo: its people, its instance role, its instance, and what clients are pointed at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from local import agents, identities, instances
from local.deployment import Stacks
from local.emulator import REGION, Emulator
from local.identities import ADMIN, JOHN, MARY, STATEMENTS
from local.instances import NodeRole
from local.places import Places
from local.progress import Progress
from local.records import read_record, write_private, write_record

TAGS = {"Name": "demo", "team": "web"}
ROLE = "hatchway-demo-node"

_RECORD = "demo"


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo that is set up: its node and the node's role."""

    node: str
    role: NodeRole


def ensure(emulator: Emulator, stacks: Stacks, base: Mapping[str, str], progress: Progress) -> Demo:
    """The demo with its node online; made where this embedded AWS has none yet."""
    places = emulator.places
    demo = _recorded(places, emulator.generation)
    if demo is None:
        with progress.step("Making the demo's people, role and instance"):
            demo = _make(emulator, stacks)
    _write_config(places, stacks, demo)
    agents.configure(emulator, stacks, demo.role, demo.node)
    agents.start(emulator, demo.node, base)
    if not agents.connected(places, stacks, demo.node):
        with progress.step(f"Starting the agent of {demo.node}"):
            agents.wait_online(places, stacks, demo.node)
    return demo


def _make(emulator: Emulator, stacks: Stacks) -> Demo:
    places = emulator.places
    agents.forget_all(places)
    managed = {
        ADMIN: stacks["AdminPolicyArn"],
        JOHN: stacks["UserPolicyArn"],
        MARY: stacks["UserPolicyArn"],
    }
    users = [
        identities.make_user(emulator, name, managed[name], statements)
        for name, statements in STATEMENTS.items()
    ]
    identities.write_credentials(places, users)
    role = instances.make_role(emulator, stacks, ROLE)
    instances.allow_role(places, stacks, role)
    demo = Demo(instances.run_instance(emulator, role, TAGS), role)
    write_record(
        places.record(_RECORD),
        {"generation": emulator.generation, "node": demo.node, "role": role.arn},
    )
    return demo


def _recorded(places: Places, generation: str) -> Demo | None:
    record = read_record(places.record(_RECORD))
    if record.get("generation") != generation:
        return None
    return Demo(str(record["node"]), NodeRole(ROLE, str(record["role"])))


def _write_config(places: Places, stacks: Stacks, demo: Demo) -> None:
    settings = {
        "api_url": stacks["PeopleApiUrl"],
        "region": REGION,
        "ca_bundle": str(places.ca_bundle),
        "node_id": demo.node,
    }
    lines = [f"{key} = {json.dumps(value)}\n" for key, value in settings.items()]
    write_private(places.config, "".join(lines))
    write_private(places.aws_config, f"[default]\nregion = {REGION}\n")
