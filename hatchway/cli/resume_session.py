"""`hatchway resume-session`: goes on with a session, from this terminal, wherever it began."""

from __future__ import annotations

import argparse

from hatchway.cli.leaving import tell
from hatchway.cli.options import add_common, service
from hatchway.cli.start_session import add_terminal, follow
from hatchway.core.screen import printable

NAME = "resume-session"
HELP = "go on with a session of yours, also from another machine"
REMOTE = True


def add(parser: argparse.ArgumentParser) -> None:
    add_common(parser)
    parser.add_argument("session_id", metavar="SESSION", help="as describe-sessions shows it")
    add_terminal(parser)


def run(args: argparse.Namespace) -> int:
    """A client that is there is told, and leaves; the screen comes back as far as it is kept."""
    from hatchway.client.keys import escape_of
    from hatchway.client.terminal import open_terminal

    escape = escape_of(args.escape_char)
    terminal = open_terminal()
    hatchway = service(args)
    started = hatchway.resume(args.session_id)
    tell(f"Resuming session with SessionId: {printable(started.session_id)}")
    filtered = terminal.screen and not args.unfiltered
    return follow(hatchway, started, terminal, filtered=filtered, escape=escape)
