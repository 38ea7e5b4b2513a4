"""`hatchway terminate-session`: ends a session for good."""

from __future__ import annotations

import argparse

from hatchway.cli.options import add_common, add_output, service
from hatchway.cli.report import print_json
from hatchway.core.screen import printable

NAME = "terminate-session"
HELP = "end a session for good"


def add(parser: argparse.ArgumentParser) -> None:
    add_common(parser)
    add_output(parser)
    parser.add_argument("--session-id", required=True, help="as describe-sessions shows it")


def run(args: argparse.Namespace) -> int:
    service(args).terminate(args.session_id)
    if args.output == "json":
        print_json({"SessionId": args.session_id})
    else:
        print(f"Session {printable(args.session_id)} is terminated.")
    return 0
