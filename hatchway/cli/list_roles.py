"""`hatchway nodes list-roles`: the roles whose instances may enrol as nodes."""

from __future__ import annotations

import argparse

from hatchway.cli.options import add_common, add_output, service
from hatchway.cli.report import print_json, print_table

NAME = "list-roles"
HELP = "list the roles whose instances may enrol"


def add(parser: argparse.ArgumentParser) -> None:
    add_common(parser)
    add_output(parser)


def run(args: argparse.Namespace) -> int:
    roles = service(args).node_roles()
    if args.output == "json":
        print_json({"NodeRoles": [role.members() for role in roles]})
        return 0
    print_table(
        ("Role id", "Role"),
        [(role.role_id, role.role_arn) for role in roles],
        empty="No role is allowed.",
    )
    return 0
