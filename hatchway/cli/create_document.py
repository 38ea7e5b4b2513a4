"""`hatchway create-document`: makes a session document, or the preference rules."""

from __future__ import annotations

import argparse

from hatchway.cli.document_files import add_content, add_name, content, show
from hatchway.cli.options import service

NAME = "create-document"
HELP = "make a session document"


def add(parser: argparse.ArgumentParser) -> None:
    add_name(parser)
    add_content(parser)


def run(args: argparse.Namespace) -> int:
    text, form = content(args)
    return show(args, service(args).documents.create(args.name, text, form))
