"""`hatchway update-document-default-version`: says which version sessions get."""

from __future__ import annotations

import argparse

from hatchway.cli.document_files import add_name, show
from hatchway.cli.options import service

NAME = "update-document-default-version"
HELP = "say which version of a session document sessions get"


def add(parser: argparse.ArgumentParser) -> None:
    add_name(parser)
    parser.add_argument(
        "--document-version", required=True, metavar="VERSION", help="the version's number"
    )


def run(args: argparse.Namespace) -> int:
    documents = service(args).documents
    return show(args, documents.set_default(args.name, args.document_version))
