"""`hatchway get-document`: the content of a session document, and nothing else on stdout."""

from __future__ import annotations

import argparse
import sys

from hatchway.cli.options import add_common, service
from hatchway.core.screen import printable

NAME = "get-document"
HELP = "print a session document"


def add(parser: argparse.ArgumentParser) -> None:
    add_common(parser)
    parser.add_argument("--name", required=True, help="the document's name")
    parser.add_argument(
        "--document-version",
        metavar="VERSION",
        help="a number, $LATEST or $DEFAULT (default: the default version)",
    )
    parser.add_argument(
        "--document-format", choices=("JSON", "YAML"), help="JSON converts from YAML"
    )


def run(args: argparse.Namespace) -> int:
    found = service(args).documents.get(args.name, args.document_version, args.document_format)
    text = found.content if found.content.endswith("\n") else found.content + "\n"
    sys.stdout.write(_shown(text) if sys.stdout.isatty() else text)
    return 0


def _shown(text: str) -> str:
    """As it is but for what a terminal would act on, or not show."""
    lines = ("\t".join(map(printable, line.split("\t"))) for line in text.split("\n"))
    return "\n".join(lines)
