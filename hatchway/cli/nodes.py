"""`hatchway nodes`: which nodes may enrol, and with what."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from hatchway.cli import allow_role, list_roles, remove_role, reset_node

NAME = "nodes"
HELP = "say which nodes may enrol, and with what"

_VERBS = (allow_role, list_roles, remove_role, reset_node)


def add(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(metavar="COMMAND", required=True)
    for verb in _VERBS:
        made = verbs.add_parser(verb.NAME, help=verb.HELP, description=verb.HELP.capitalize() + ".")
        verb.add(made)
        made.set_defaults(node_verb=verb.run)


def run(args: argparse.Namespace) -> int:
    answer: Callable[[argparse.Namespace], int] = args.node_verb
    return answer(args)
