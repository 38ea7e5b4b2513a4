"""`hatchway delete-document`: removes a session document, or one of its versions."""

from __future__ import annotations

import argparse

from hatchway.cli.document_files import add_name
from hatchway.cli.options import service
from hatchway.cli.report import print_json
from hatchway.core.screen import printable

NAME = "delete-document"
HELP = "remove a session document, or one of its versions"


def add(parser: argparse.ArgumentParser) -> None:
    add_name(parser)
    parser.add_argument("--document-version", metavar="VERSION", help="remove this version alone")


def run(args: argparse.Namespace) -> int:
    service(args).documents.delete(args.name, args.document_version)
    if args.output == "json":
        print_json({"Name": args.name})
    else:
        print(f"Removed {printable(args.name)}.")
    return 0
