"""`hatchway list-document-versions`: the versions of a session document, newest first."""

from __future__ import annotations

import argparse

from hatchway.cli.document_files import add_name
from hatchway.cli.options import service
from hatchway.cli.report import print_json, print_table

NAME = "list-document-versions"
HELP = "list the versions of a session document"


def add(parser: argparse.ArgumentParser) -> None:
    add_name(parser)


def run(args: argparse.Namespace) -> int:
    found = list(service(args).documents.versions(args.name))
    if args.output == "json":
        print_json({"DocumentVersions": [each.members() for each in found]})
        return 0
    print_table(
        ("Version", "Default", "Created", "Author"),
        [
            (
                each.version,
                "yes" if each.default == each.version else "",
                each.created.isoformat(timespec="seconds") if each.created else "",
                each.author,
            )
            for each in found
        ],
        empty="There is no version.",
    )
    return 0
