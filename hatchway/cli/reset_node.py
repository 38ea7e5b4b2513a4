"""`hatchway reset-node`: forgets a node's enrolment, so that its agent may enrol again."""

from __future__ import annotations

import argparse

from hatchway.cli.options import add_common, add_output, add_target, service
from hatchway.cli.report import print_json

NAME = "reset-node"
HELP = "forget a node's enrolment and close its connections; it enrols again by itself"


def add(parser: argparse.ArgumentParser) -> None:
    add_common(parser)
    add_output(parser)
    add_target(parser)


def run(args: argparse.Namespace) -> int:
    hatchway = service(args)
    node = hatchway.resolve(args.target)
    hatchway.reset_node(node)
    if args.output == "json":
        print_json({"NodeId": node})
    else:
        print(f"Node {node} is reset.")
    return 0
