"""`hatchway list-documents`: the session documents of the deployment, and the built-in ones."""

from __future__ import annotations

import argparse

from hatchway.cli.options import add_common, add_output, service
from hatchway.cli.report import print_json, print_table

NAME = "list-documents"
HELP = "list the session documents"


def add(parser: argparse.ArgumentParser) -> None:
    add_common(parser)
    add_output(parser)


def run(args: argparse.Namespace) -> int:
    found = list(service(args).documents.list())
    if args.output == "json":
        print_json({"DocumentIdentifiers": [document.members() for document in found]})
        return 0
    print_table(
        ("Name", "Type", "Owner", "Default", "Latest"),
        [(each.name, each.kind, each.owner, each.version, each.latest) for each in found],
        empty="There is no document.",
    )
    return 0
