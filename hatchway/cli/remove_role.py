"""`hatchway nodes remove-role`: the instances of a role may no longer enrol."""

from __future__ import annotations

import argparse

from hatchway.cli.options import add_common, add_output, service
from hatchway.cli.report import print_json
from hatchway.core.screen import printable

NAME = "remove-role"
HELP = "take a role off the list of those whose instances may enrol"


def add(parser: argparse.ArgumentParser) -> None:
    add_common(parser)
    add_output(parser)
    parser.add_argument("--role-id", required=True, help="AROA…, as list-roles shows it")


def run(args: argparse.Namespace) -> int:
    service(args).remove_node_role(args.role_id)
    if args.output == "json":
        print_json({"RoleId": args.role_id})
    else:
        print(f"Role {printable(args.role_id)} is removed; its nodes lose access within the hour.")
    return 0
