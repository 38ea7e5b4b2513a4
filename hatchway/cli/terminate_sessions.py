"""`hatchway terminate-sessions`: ends all sessions of an owner, of a node, or all there are."""

from __future__ import annotations

import argparse
import sys

from hatchway.cli.options import TARGET_HELP, add_common, add_output, service
from hatchway.cli.report import print_json
from hatchway.core.errors import Exit

NAME = "terminate-sessions"
HELP = "end all sessions of an owner, of a node, or all there are"


def add(parser: argparse.ArgumentParser) -> None:
    add_common(parser)
    add_output(parser)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--owner", metavar="ARN", help="of a user, a role session, or a role")
    which.add_argument("--target", help=TARGET_HELP)
    which.add_argument("--all", action="store_true", help="every session of the deployment")


def run(args: argparse.Namespace) -> int:
    """Fails where a session goes on: whoever ends all must know."""
    ended = service(args).terminate_sessions(
        owner=args.owner, target=args.target or None, every=args.all
    )
    if args.output == "json":
        print_json(ended.members())
    else:
        print(f"Terminated {_count(ended.terminated)}.")
    if ended.failed:
        print(f"{_count(ended.failed)} could not be ended; try again.", file=sys.stderr)
    if ended.refused:
        print(f"{_count(ended.refused)} may not be ended by you, and will go on.", file=sys.stderr)
    if ended.failed:
        return int(Exit.CONFLICT)
    return int(Exit.DENIED) if ended.refused else 0


def _count(count: int) -> str:
    return "1 session" if count == 1 else f"{count} sessions"
