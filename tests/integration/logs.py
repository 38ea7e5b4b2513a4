"""The logs of a run: what the functions wrote, what the agents wrote, what the emulator wrote."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping

from local.deployment import STAGE
from local.stack import Stack


def messages(stack: Stack, prefix: str, but: Collection[str] = ()) -> Iterator[str]:
    """All log events in the groups with this prefix, `but` those of some groups."""
    client = stack.emulator.client("logs")
    groups = client.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix)
    for group in [g["logGroupName"] for page in groups for g in page["logGroups"]]:
        if group in but:
            continue
        events = client.get_paginator("filter_log_events").paginate(logGroupName=group)
        yield from (event["message"] for page in events for event in page["events"])


def lines(stack: Stack, family: str) -> Iterator[Mapping[str, object]]:
    """The structured lines of one family's function."""
    for message in messages(stack, f"/aws/lambda/hatchway-{STAGE}-{family}"):
        for text in message.splitlines():
            if text.startswith("{"):
                fields = json.loads(text)
                if "family" in fields:
                    yield fields


def reported(stack: Stack, node: str) -> dict[str, int]:
    """What the node's agent reported as dropped, so far, by kind."""
    counts: dict[str, int] = {}
    for fields in lines(stack, "nodes"):
        if fields.get("node") != node:
            continue
        for name, value in fields.items():
            if name.startswith("dropped_") and isinstance(value, int):
                kind = name.removeprefix("dropped_")
                counts[kind] = counts.get(kind, 0) + value
    return counts


def agent_log(stack: Stack, node: str) -> str:
    path = stack.places.log(f"agent-{node}")
    return path.read_text(errors="replace") if path.exists() else ""
