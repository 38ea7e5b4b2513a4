"""`hatchway list-nodes`: which nodes there are."""

from __future__ import annotations

import argparse

from hatchway.cli.options import add_common, add_output, service
from hatchway.cli.report import print_json, print_table, when

NAME = "list-nodes"
HELP = "list the nodes that have enrolled"


def add(parser: argparse.ArgumentParser) -> None:
    add_common(parser)
    add_output(parser)


def run(args: argparse.Namespace) -> int:
    nodes = list(service(args).nodes())
    if args.output == "json":
        print_json({"Nodes": [node.members() for node in nodes]})
        return 0
    print_table(
        ("Node", "Name", "Status", "Agent", "Last heard", "Tags"),
        [
            (
                node.node_id,
                node.name,
                node.ping_status,
                node.agent_version,
                when(node.last_ping),
                " ".join(f"{k}={v}" for k, v in sorted(node.tags.items()) if k != "Name"),
            )
            for node in nodes
        ],
        empty="No node has enrolled.",
    )
    return 0
