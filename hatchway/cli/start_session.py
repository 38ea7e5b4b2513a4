"""`hatchway start-session`: a shell on a node, with this terminal or in a pipeline."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hatchway.cli.leaving import detached, end_session, ended_with, left, tell
from hatchway.cli.options import add_common, add_target, add_wait, service
from hatchway.core.errors import ValidationException
from hatchway.core.screen import printable

if TYPE_CHECKING:
    from hatchway.client import Hatchway, Started
    from hatchway.client.shell import Outcome
    from hatchway.client.terminal import Terminal

NAME = "start-session"
HELP = "open a shell on a node; its exit status becomes this command's"
REMOTE = True
WITHOUT_TERMINAL = "NonInteractiveCommands"


def add(parser: argparse.ArgumentParser) -> None:
    add_common(parser)
    add_target(parser)
    parser.add_argument("--reason", help="why; it is recorded with the session")
    parser.add_argument(
        "--document", "--document-name", metavar="NAME", help="the session document to use"
    )
    parser.add_argument(
        "--parameters",
        metavar="JSON",
        help='the document\'s parameters: {"name": ["value", …]}, or name=value,…',
    )
    add_wait(parser)
    add_terminal(parser)


def add_terminal(parser: argparse.ArgumentParser) -> None:
    """What a person's terminal gets, and which key speaks to this program."""
    parser.add_argument(
        "--unfiltered",
        action="store_true",
        help="pass every terminal escape on to this terminal: titles, clipboard, device reports",
    )
    parser.add_argument(
        "--escape-char",
        metavar="CHAR",
        default="~",
        help="what begins keys for this program after Enter: a character, ^X, or none (default: ~)",
    )


def run(args: argparse.Namespace) -> int:
    from hatchway.client.keys import escape_of
    from hatchway.client.terminal import open_terminal

    parameters, escape = _parameters(args.parameters), escape_of(args.escape_char)
    terminal = open_terminal()
    hatchway = service(args)
    started = hatchway.start(
        args.target,
        document=args.document,
        reason=args.reason,
        parameters=parameters,
        wait=args.wait,
    )
    tell(f"Starting session with SessionId: {printable(started.session_id)}")
    if started.session_type == WITHOUT_TERMINAL:
        from hatchway.cli.piped import run_piped
        from hatchway.cli.streams import source_of

        return run_piped(
            hatchway, lambda: started, source_of(), unfiltered=args.unfiltered, quiet=False
        )
    filtered = terminal.screen and not args.unfiltered
    return follow(hatchway, started, terminal, filtered=filtered, escape=escape)


def follow(
    hatchway: Hatchway,
    started: Started,
    terminal: Terminal,
    *,
    filtered: bool,
    quiet: bool = False,
    escape: int | None = ord("~"),
) -> int:
    """Joins this terminal and a session until one of them ends; the exit status."""
    import asyncio

    from hatchway.client.shell import Shell

    # In raw mode a line feed alone does not return to the first column.
    begin, end = ("\r\n", "\r\n") if terminal.keyboard else ("", "\n")

    def say(text: str) -> None:
        if quiet:
            return
        lines = [f"[hatchway: {line}]{end}" for line in text.splitlines()]
        sys.stderr.write(begin + "".join(lines))
        sys.stderr.flush()

    async def attend() -> Outcome:
        stream = hatchway.open_stream(started)
        return await Shell(stream, terminal, say, filtered=filtered, escape=escape).run()

    try:
        outcome = asyncio.run(attend())
    except BrokenPipeError:
        end_session(hatchway, started)
        raise
    if terminal.keyboard and (outcome.ended is None or outcome.ended.exit_code is None):
        tell("")  # the remote side did not end its line
    return _conclude(hatchway, started, outcome, quiet=quiet)


def _conclude(hatchway: Hatchway, started: Started, outcome: Outcome, *, quiet: bool) -> int:
    if outcome.detached:
        return detached(started)
    if outcome.ended is not None:
        return ended_with(hatchway, started, outcome.ended, quiet=quiet)
    return left(hatchway, started, outcome.signal, quiet=quiet)


def _parameters(text: str | None) -> dict[str, list[str]] | None:
    """As the AWS CLI takes them: JSON, or name=value,value …"""
    if text is None:
        return None
    if not text.lstrip().startswith("{"):
        name, separator, values = text.partition("=")
        if not separator or not name:
            raise ValidationException("--parameters takes JSON, or name=value.")
        return {name: values.split(",")}
    try:
        found = json.loads(text)
    except ValueError:
        raise ValidationException("--parameters is not JSON.") from None
    return {name: _values(name, given) for name, given in found.items()}


def _values(name: str, given: object) -> list[str]:
    values: Sequence[object] = given if isinstance(given, list) else [given]
    if not all(isinstance(value, str) for value in values):
        raise ValidationException(f"--parameters: {name} is a list of strings.")
    return [str(value) for value in values]
