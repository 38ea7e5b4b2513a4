"""What a person reads: tables, times, and errors with the next step. Fields that come from
elsewhere are escaped here."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from hatchway.core.errors import HatchwayError
from hatchway.core.screen import printable

#: Wide enough for any row, where a table goes to a file or a pipe.
UNLIMITED = 10_000

NEXT_STEP = {
    "AccessDeniedException": "Ask whoever gives access; `--profile` chooses other credentials.",
    "CertificateRefused": "Check api_url and ca_bundle in the configuration.",
    "ConfigurationInvalid": "See `hatchway --help` for where the configuration is looked for.",
    "ConflictException": "Try again.",
    "ConnectionLost": "`hatchway describe-sessions` shows whether the session goes on.",
    "CredentialsInvalid": (
        "Check api_url, and the credentials: `aws sts get-caller-identity`, `aws sso login`."
    ),
    "DoesNotExistException": "`hatchway describe-sessions --state History` lists those that ended.",
    "InternalServerError": "Try again; if it stays, pass the request id to whoever runs Hatchway.",
    "InvalidDocument": "Check --document and --parameters.",
    "LimitExceededException": "End a session you no longer need, or try again later.",
    "ServiceUnreachable": "Check the network, a proxy, and api_url in the configuration.",
    "TargetAmbiguous": "Name one of them by its id.",
    "TargetNotConnected": "Check that the node runs and its agent is up: `hatchway list-nodes`.",
    "TargetUnknown": "`hatchway list-nodes` shows the nodes there are.",
    "ThrottlingException": "Try again in a moment.",
    "TakenOver": "The session goes on in the other client.",
}


def complain(code: str, message: str, request_id: str = "") -> None:
    """One line on standard error, and the next step on another where there is one."""
    said = printable(message.strip() or code)
    about = f" (request id {printable(request_id)})" if request_id else ""
    print(f"hatchway: {printable(code)}: {said}{about}", file=sys.stderr)
    if step := NEXT_STEP.get(code):
        print(f"  {step}", file=sys.stderr)


def refuse(error: HatchwayError) -> int:
    """Reports an error; its exit status."""
    complain(error.code, error.message, error.request_id)
    return int(error.exit)


def print_json(answer: Mapping[str, object]) -> None:
    """For programs. ASCII only, so that nothing in it can reach a terminal."""
    print(json.dumps(answer, indent=2, ensure_ascii=True))


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], empty: str, *, errors: bool = False
) -> None:
    """A table, or the word on standard error that there is nothing to show. `errors`: the table
    goes there too."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = [[Text(printable(field)) for field in row] for row in rows]
    if not shown:
        print(empty, file=sys.stderr)
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in shown:
        table.add_row(*row)
    person = (sys.stderr if errors else sys.stdout).isatty()
    width = None if person else UNLIMITED
    Console(width=width, highlight=False, no_color=not person, stderr=errors).print(table)


def when(moment: datetime | None) -> str:
    """A time in the reader's own zone."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S") if moment else ""
