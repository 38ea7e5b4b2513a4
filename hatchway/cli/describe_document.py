"""`hatchway describe-document`: a session document's versions, hash and author."""

from __future__ import annotations

import argparse

from hatchway.cli.document_files import add_name, show
from hatchway.cli.options import service

NAME = "describe-document"
HELP = "describe a session document"


def add(parser: argparse.ArgumentParser) -> None:
    add_name(parser)
    parser.add_argument(
        "--document-version",
        metavar="VERSION",
        help="a number, $LATEST or $DEFAULT (default: the default version)",
    )


def run(args: argparse.Namespace) -> int:
    return show(args, service(args).documents.describe(args.name, args.document_version))
