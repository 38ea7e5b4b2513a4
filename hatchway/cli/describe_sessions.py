"""`hatchway describe-sessions`: who is, or was, in which node."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from hatchway.cli.options import add_common, add_output, service
from hatchway.cli.report import print_json, print_table, when
from hatchway.core.errors import ValidationException

if TYPE_CHECKING:
    from hatchway.client import SessionRecord

NAME = "describe-sessions"
HELP = "list sessions, newest first"
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


def run(args: argparse.Namespace) -> int:
    sessions = list(service(args).sessions(args.state, _filters(args.filter)))
    if args.output == "json":
        print_json({"Sessions": [session.members() for session in sessions]})
        return 0
    print_table(_COLUMNS, [_row(session) for session in sessions], empty="No sessions.")
    return 0


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
