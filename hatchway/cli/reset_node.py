"""`hatchway nodes reset`: forgets a node's enrolment, or registers the secret it enrols with."""

from __future__ import annotations

import argparse
import sys

from hatchway.cli.options import add_common, add_output, add_target, service
from hatchway.cli.report import print_json
from hatchway.core.errors import Exit
from hatchway.core.screen import printable

NAME = "reset"
HELP = "forget a node's enrolment, end its sessions and close its connections"


def add(parser: argparse.ArgumentParser) -> None:
    add_common(parser)
    add_output(parser)
    add_target(parser)
    parser.add_argument(
        "--enrolment",
        metavar="SHA256",
        help="the digest of the agent's new secret, in hexadecimal: the node enrols with that one "
        "and no other. Also for a node that has not enrolled yet, by its id",
    )


def run(args: argparse.Namespace) -> int:
    """Fails where something of the old node is left: whoever throws it out must know."""
    hatchway = service(args)
    done = hatchway.reset_node(hatchway.resolve(args.target), args.enrolment)
    if args.output == "json":
        print_json(done.members())
    else:
        print(f"Node {printable(done.node_id)} is reset.")
    if not done.closed:
        print("A connection of the node is still open; try again.", file=sys.stderr)
    if done.failed:
        print(f"{done.failed} of its sessions could not be ended; try again.", file=sys.stderr)
    return 0 if done.closed and not done.failed else int(Exit.CONFLICT)
