"""`hatchway describe-sessions`: who is, or was, in which node."""

from __future__ import annotations

import argparse
import json
from time import sleep
from typing import TYPE_CHECKING

from hatchway.cli.options import add_common, add_output, service
from hatchway.cli.report import print_json, print_table, when
from hatchway.core.errors import ValidationException
from hatchway.core.screen import printable

if TYPE_CHECKING:
    from hatchway.client import Hatchway, SessionRecord

NAME = "describe-sessions"
HELP = "list sessions, newest first"
#: Seconds between two looks at the sessions.
LEAST_INTERVAL, MOST_INTERVAL = 1.0, 300.0
_COLUMNS = ("Session", "Node", "Status", "Owner", "Started", "Ended", "Reason")


def add(parser: argparse.ArgumentParser) -> None:
    add_common(parser)
    add_output(parser)
    parser.add_argument(
        "--state",
        choices=("Active", "History"),
        default="Active",
        help="those that go on, or those that ended in the last 30 days",
    )
    parser.add_argument(
        "--filter",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="InvokedAfter, InvokedBefore, Target, Owner, Status, SessionId or AccessType;"
        " all that are given must hold",
    )
    parser.add_argument(
        "--watch",
        action="store_true",
        help="then go on and print each session that begins, changes or ends, until Ctrl-C",
    )
    parser.add_argument(
        "--interval",
        type=_interval,
        default=2.0,
        metavar="SECONDS",
        help=f"between two looks, {LEAST_INTERVAL:g} to {MOST_INTERVAL:g} (default: 2)",
    )


def run(args: argparse.Namespace) -> int:
    hatchway, filters = service(args), _filters(args.filter)
    sessions = list(hatchway.sessions(args.state, filters))
    if args.watch:
        return _watch(args, hatchway, filters, sessions)
    if args.output == "json":
        print_json({"Sessions": [session.members() for session in sessions]})
        return 0
    print_table(_COLUMNS, [_row(session) for session in sessions], empty="No sessions.")
    return 0


def _watch(
    args: argparse.Namespace,
    hatchway: Hatchway,
    filters: dict[str, str],
    sessions: list[SessionRecord],
) -> int:
    from hatchway.client.watching import changes

    def show(session: SessionRecord) -> None:
        if args.output == "json":
            print(json.dumps(session.members(), ensure_ascii=True), flush=True)
        else:
            fields = (printable(field) for field in _row(session) if field)
            print("  ".join(fields), flush=True)

    for session in reversed(sessions):
        show(session)
    for session in changes(hatchway, args.state, filters, sessions, lambda: sleep(args.interval)):
        show(session)
    return 0


def _interval(text: str) -> float:
    seconds = float(text)
    if not LEAST_INTERVAL <= seconds <= MOST_INTERVAL:
        raise argparse.ArgumentTypeError(f"{LEAST_INTERVAL:g} to {MOST_INTERVAL:g} seconds")
    return seconds


def _filters(texts: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in texts:
        key, separator, value = text.partition("=")
        if not separator or not value or key in found:
            raise ValidationException("--filter takes KEY=VALUE, and each key once.")
        found[key] = value
    return found


def _row(session: SessionRecord) -> tuple[str, ...]:
    ended = session.end_reason
    if session.exit_code is not None:
        ended = f"{ended} (exit code {session.exit_code})".strip()
    return (
        session.session_id,
        session.target,
        session.status,
        # The ARN's last parts say who; the whole of it is in the JSON.
        session.owner.split(":")[-1],
        when(session.start_date),
        " ".join(part for part in (when(session.end_date), ended) if part),
        session.reason,
    )
