"""`hatchway update-document`: adds a version to a session document."""

from __future__ import annotations

import argparse

from hatchway.cli.document_files import add_content, add_name, content, show
from hatchway.cli.options import service

NAME = "update-document"
HELP = "add a version to a session document"


def add(parser: argparse.ArgumentParser) -> None:
    add_name(parser)
    add_content(parser)
    parser.add_argument(
        "--document-version",
        metavar="VERSION",
        help="the newest version that you know of; refused where there is a newer one",
    )
    parser.add_argument(
        "--set-default", action="store_true", help="sessions get the new version from now on"
    )


def run(args: argparse.Namespace) -> int:
    text, form = content(args)
    documents = service(args).documents
    document = documents.update(args.name, text, form, known=args.document_version)
    if args.set_default and document.default != document.version:
        document = documents.set_default(args.name, document.version)
    return show(args, document)
