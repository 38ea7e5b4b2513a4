"""`hatchway start-session`: a shell on a node, with this terminal or in a pipeline."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hatchway.cli.options import add_common, add_target, service
from hatchway.cli.report import refuse
from hatchway.core.errors import ChannelFailed, Exit, HatchwayError, ValidationException
from hatchway.core.screen import printable

if TYPE_CHECKING:
    from hatchway.client import Hatchway, Started
    from hatchway.client.events import Ended
    from hatchway.client.shell import Outcome
    from hatchway.client.terminal import Terminal

NAME = "start-session"
HELP = "open a shell on a node; its exit status becomes this command's"
#: Seconds that a person who leaves waits, at most, for the service to end the session.
FAREWELL_SECONDS = 3.0


def add(parser: argparse.ArgumentParser) -> None:
    add_common(parser)
    add_target(parser)
    parser.add_argument("--reason", help="why; it is recorded with the session")
    parser.add_argument("--document", metavar="NAME", help="the session document to use")
    parser.add_argument(
        "--parameters",
        metavar="JSON",
        help='the document\'s parameters: {"name": ["value", …]}, or name=value,…',
    )
    parser.add_argument(
        "--unfiltered",
        action="store_true",
        help="pass every terminal escape on to this terminal: titles, clipboard, device reports",
    )


def run(args: argparse.Namespace) -> int:
    from hatchway.client.terminal import open_terminal

    parameters = _parameters(args.parameters)
    terminal = open_terminal()
    hatchway = service(args)
    started = hatchway.start(
        args.target, document=args.document, reason=args.reason, parameters=parameters
    )
    _tell(f"Starting session with SessionId: {printable(started.session_id)}")
    filtered = terminal.screen and not args.unfiltered
    return _follow(hatchway, started, terminal, filtered=filtered)


def _follow(hatchway: Hatchway, started: Started, terminal: Terminal, *, filtered: bool) -> int:
    import asyncio

    from hatchway.client.shell import Shell

    # In raw mode a line feed alone does not return to the first column.
    begin, end = ("\r\n", "\r\n") if terminal.keyboard else ("", "\n")

    def say(text: str) -> None:
        lines = [f"[hatchway: {line}]{end}" for line in text.splitlines()]
        sys.stderr.write(begin + "".join(lines))
        sys.stderr.flush()

    async def attend() -> Outcome:
        return await Shell(hatchway.open_stream(started), terminal, say, filtered=filtered).run()

    try:
        outcome = asyncio.run(attend())
    except BrokenPipeError:
        _end(hatchway, started)
        raise
    if terminal.keyboard and (outcome.ended is None or outcome.ended.exit_code is None):
        _tell("")  # the remote side did not end its line
    return _conclude(hatchway, started, outcome)


def _conclude(hatchway: Hatchway, started: Started, outcome: Outcome) -> int:
    if outcome.ended is not None:
        return _report(hatchway, started, outcome.ended)
    _end(hatchway, started)
    _tell(f"Session {printable(started.session_id)} was left and is terminated.")
    return 128 + outcome.signal if outcome.signal else int(Exit.FAILURE)


def _end(hatchway: Hatchway, started: Started) -> None:
    """Ends the session at the service, as far as that is possible: nobody could return to it."""
    import threading

    def terminate() -> None:
        try:
            hatchway.terminate(started.session_id)
        except HatchwayError as error:
            refuse(error)

    thread = threading.Thread(target=terminate, daemon=True)
    thread.start()
    thread.join(FAREWELL_SECONDS)


def _report(hatchway: Hatchway, started: Started, ended: Ended) -> int:
    code, reason = ended.exit_code, ended.reason
    if ended.error is not None:
        if isinstance(ended.error, ChannelFailed):
            _end(hatchway, started)  # at the service it goes on, and nobody could return to it
        _tell(f"Session {printable(started.session_id)} was left.")
        return refuse(ended.error)
    if code is None:
        code, reason = _recorded(hatchway, started, reason)
    how = f": {printable(reason)}" if reason else ""
    status = "" if code is None else f" with exit code {code}"
    _tell(f"Session {printable(started.session_id)} ended{status}{how}.")
    return int(Exit.FAILURE) if code is None else _status(code)


def _recorded(hatchway: Hatchway, started: Started, reason: str) -> tuple[int | None, str]:
    """What the service recorded of an end whose message did not arrive, if we may know it."""
    try:
        record = hatchway.session(started.session_id)
    except HatchwayError:
        return None, reason
    return record.exit_code, reason or record.end_reason


def _status(code: int) -> int:
    return code if 0 <= code <= 255 else int(Exit.FAILURE)


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


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
