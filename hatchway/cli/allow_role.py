"""`hatchway nodes allow-role`: lets the instances of a role enrol as nodes."""

from __future__ import annotations

import argparse

from hatchway.cli.options import add_common, add_output, service
from hatchway.cli.report import print_json
from hatchway.core.screen import printable

NAME = "allow-role"
HELP = "let the instances of an instance role enrol as nodes"


def add(parser: argparse.ArgumentParser) -> None:
    add_common(parser)
    add_output(parser)
    parser.add_argument("--role-arn", required=True, help="a role that EC2 alone may assume")


def run(args: argparse.Namespace) -> int:
    role = service(args).allow_node_role(args.role_arn)
    if args.output == "json":
        print_json(role.members())
    else:
        print(f"Instances of {printable(role.role_arn)} ({printable(role.role_id)}) may enrol.")
    return 0
