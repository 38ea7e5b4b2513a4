"""`make shell`: a session as john in this terminal, and what it caused."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from local.identities import JOHN
from local.progress import Progress
from local.stack import CLI, Stack

#: Seconds until the notification of a session's end must have come.
NOTIFIED = 15.0
#: Pages of sessions looked at to find our own.
_MAX_PAGES = 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is known of the session when it is over. `command_code` is the client's own."""

    command_code: int
    session_id: str = ""
    duration: float | None = None
    exit_code: int | None = None
    notifications: tuple[str, ...] = ()


def open_shell(stack: Stack) -> Outcome:
    """Runs the client in this terminal, or with whatever standard input is."""
    with stack.inbox() as inbox:
        before = {str(session["SessionId"]) for session in _sessions(stack)}
        command = [*CLI, "start-session", "--target", stack.demo.node]
        code = subprocess.run(command, env=stack.environ(JOHN), check=False).returncode
        new = [s for s in _sessions(stack) if s["SessionId"] not in before]
        if not new:
            return Outcome(code)
        session_id = str(new[0]["SessionId"])
        texts = inbox.wait_for(lambda text: session_id in text and _says_ended(text), NOTIFIED)
    ended = next((s for s in _sessions(stack) if s["SessionId"] == session_id), new[0])
    return Outcome(
        code,
        session_id,
        _duration(ended),
        _number(ended.get("ExitCode")),
        tuple(text for text in texts if session_id in text),
    )


def tell(outcome: Outcome, progress: Progress) -> None:
    """Prints the outcome for a person."""
    if not outcome.session_id:
        progress.note("No session was started.")
        return
    duration = "unknown" if outcome.duration is None else f"{outcome.duration:.1f} s"
    code = "unknown" if outcome.exit_code is None else str(outcome.exit_code)
    progress.note(f"\nSession    {outcome.session_id}\nDuration   {duration}\nExit code  {code}")
    progress.note(f"Notifications ({len(outcome.notifications)}):")
    for text in outcome.notifications:
        progress.note("\n".join(f"  {line}" for line in text.splitlines()))


def exit_code(outcome: Outcome) -> int:
    """For a person: whether there was a session. For a script: the script's own."""
    if not outcome.session_id:
        return outcome.command_code or 1
    if sys.stdin.isatty():
        return 0
    return outcome.exit_code if outcome.exit_code is not None else outcome.command_code


def _sessions(stack: Stack) -> Iterator[Mapping[str, object]]:
    """John's sessions on the node, those that run first."""
    api = stack.people(JOHN)
    for state in ("Active", "History"):
        token = ""
        for _ in range(_MAX_PAGES):
            query = f"State={state}&Filter={quote(f'Target={stack.demo.node}', safe='')}"
            reply = api.call("GET", f"/sessions?{query}{token}").fields
            found = reply.get("Sessions")
            yield from found if isinstance(found, list) else ()
            if not reply.get("NextToken"):
                break
            token = f"&NextToken={quote(str(reply['NextToken']), safe='')}"


def _says_ended(text: str) -> bool:
    """As `lambdas/details/sessions.py` words it."""
    return " left " in text or " could not open " in text


def _duration(session: Mapping[str, object]) -> float | None:
    started, ended = session.get("StartDate"), session.get("EndDate")
    if isinstance(started, (int, float)) and isinstance(ended, (int, float)):
        return ended - started
    return None


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None
