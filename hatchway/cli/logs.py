"""`hatchway logs`: what a session printed, as lines that a person can read."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime

from hatchway.cli.options import add_common, service

NAME = "logs"
HELP = "print what a session printed, line by line"


def add(parser: argparse.ArgumentParser) -> None:
    add_common(parser)
    parser.add_argument("session_id", metavar="SESSION")
    parser.add_argument(
        "--follow", action="store_true", help="go on until the session's recording is complete"
    )
    parser.add_argument(
        "--timestamps", action="store_true", help="when each line was last written to"
    )


def run(args: argparse.Namespace) -> int:
    """Nothing in a line works on a terminal: what cannot be seen is written as an escape."""
    from hatchway.core.transcript.text import Line, LineResolver

    resolver = LineResolver()

    def put(lines: list[Line]) -> None:
        for line in lines:
            print(f"{_when(line.at)}  {line.text}" if args.timestamps else line.text)
        if lines:
            sys.stdout.flush()

    for chunk in service(args).recordings.chunks(args.session_id, follow=args.follow):
        put(resolver.take(chunk))
    put(resolver.finish())
    return 0


def _when(at: int) -> str:
    return datetime.fromtimestamp(at / 1000).astimezone().strftime("%Y-%m-%d %H:%M:%S")
