"""`hatchway audit`: who called what, and who was refused."""

from __future__ import annotations

import argparse
import re
import time
from datetime import UTC, datetime

from hatchway.cli.options import add_common, add_output, service
from hatchway.cli.report import print_json, print_table, when
from hatchway.core.errors import ValidationException

NAME = "audit"
HELP = "look up API calls, allowed and refused ones, oldest first"
_COLUMNS = ("When", "Who", "Call", "About", "Outcome", "From")
_AGO = re.compile(r"([0-9]{1,5})([mhd])\Z")
_UNITS = {"m": 60, "h": 3600, "d": 86400}


def add(parser: argparse.ArgumentParser) -> None:
    add_common(parser)
    add_output(parser)
    parser.add_argument("--user", help="a user's or role session's name, or a whole ARN")
    parser.add_argument("--target", help="the node: id, Name or tag:key=value")
    parser.add_argument("--event", help="the operation, such as StartSession")
    parser.add_argument(
        "--since",
        default="1h",
        metavar="WHEN",
        help="30m, 12h, 7d, or a time such as 2026-11-22T08:00:00Z (default: 1h)",
    )
    parser.add_argument("--until", metavar="WHEN", help="the same; default: now")
    parser.add_argument("--denied", action="store_true", help="refused calls only")


def run(args: argparse.Namespace) -> int:
    hatchway = service(args)
    now = time.time()
    found = hatchway.audit(
        user=args.user,
        target=hatchway.resolve(args.target) if args.target else None,
        event=args.event,
        since=moment(args.since, now),
        until=moment(args.until, now) if args.until else None,
    )
    events = [each for each in found if not args.denied or each.outcome != "allowed"]
    if args.output == "json":
        print_json({"Records": [each.record for each in events]})
        return 0
    print_table(
        _COLUMNS,
        [(when(e.time), e.who, e.name, e.about, e.outcome, e.source_ip) for e in events],
        empty="No calls.",
    )
    return 0


def moment(text: str, now: float) -> int:
    """Unix seconds of a time, or of so long ago; ValidationException for anything else."""
    ago = _AGO.match(text)
    if ago:
        return max(0, int(now) - int(ago[1]) * _UNITS[ago[2]])
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValidationException(
            "A time is 30m, 12h or 7d ago, or such as 2026-11-22T08:00:00Z."
        ) from None
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())
