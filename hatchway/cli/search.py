"""`hatchway search`: where a text stands in the recordings of sessions."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hatchway.cli.options import TARGET_HELP, add_common, add_output, service
from hatchway.cli.report import complain, print_json
from hatchway.core.errors import Exit
from hatchway.core.screen import printable

if TYPE_CHECKING:
    from hatchway.client import Hatchway
    from hatchway.client.recordings import Found

NAME = "search"
HELP = "find a text in recordings: session, line and second"


def add(parser: argparse.ArgumentParser) -> None:
    add_common(parser)
    add_output(parser)
    parser.add_argument("text", help="all in lower case it is found in any case")
    parser.add_argument("--session", help="in this one alone")
    parser.add_argument("--target", help=TARGET_HELP)
    parser.add_argument("--owner", metavar="ARN", help="of who started the sessions")
    parser.add_argument("--since", metavar="TIME", help="such as 2026-11-22T00:00:00Z")


def run(args: argparse.Namespace) -> int:
    """Found: 0. Nothing found: 1, as grep has it. A recording that could not be searched: another
    status, and which it was on standard error."""
    hatchway = service(args)
    sessions = [args.session] if args.session else list(dict.fromkeys(_sessions(hatchway, args)))
    matches, failed = [], 0
    for found in hatchway.recordings.search_all(sessions, args.text):
        if found.error is not None:
            failed = int(found.error.exit)
            complain(found.error.code, f"{found.session_id}: {found.error.message}")
        elif args.output == "json":
            matches.append(_members(found))
        else:
            matches.append({})
            print(_line(found), flush=True)
    if args.output == "json":
        print_json({"Matches": matches})
    elif not matches:
        print("Not found.", file=sys.stderr)
    return failed or (0 if matches else int(Exit.FAILURE))


def _sessions(hatchway: Hatchway, args: argparse.Namespace) -> Iterator[str]:
    filters = {"Owner": args.owner, "InvokedAfter": args.since}
    if args.target:
        filters["Target"] = hatchway.resolve(args.target)
    given = {key: value for key, value in filters.items() if value}
    for state in ("Active", "History"):
        for session in hatchway.sessions(state, given):
            yield session.session_id


def _line(found: Found) -> str:
    match = found.match
    if match is None:
        return ""
    second = f"{match.second:.1f}s"
    return f"{printable(found.session_id)}:{match.line}:{second}: {printable(match.text)}"


def _members(found: Found) -> dict[str, object]:
    match = found.match
    if match is None:
        return {}
    return {
        "SessionId": found.session_id,
        "Line": match.line,
        "Second": match.second,
        "Text": match.text,
    }
