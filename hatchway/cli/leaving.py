"""How a session's end is told, and the status that follows from it."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

from hatchway.cli.exits import apart
from hatchway.cli.report import refuse
from hatchway.core.errors import ChannelFailed, Exit, HatchwayError
from hatchway.core.screen import printable

if TYPE_CHECKING:
    from hatchway.client import Hatchway, Started
    from hatchway.client.events import Ended

#: Seconds that a person who leaves waits, at most, for the service to end the session.
FAREWELL_SECONDS = 3.0


def tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def end_session(hatchway: Hatchway, started: Started) -> None:
    """Ends the session at the service, as far as that is possible: nobody could return to it."""

    def terminate() -> None:
        try:
            hatchway.terminate(started.session_id)
        except HatchwayError as error:
            refuse(error)

    thread = threading.Thread(target=terminate, daemon=True)
    thread.start()
    thread.join(FAREWELL_SECONDS)


def left(hatchway: Hatchway, started: Started, number: int, *, quiet: bool = False) -> int:
    """The status after this side has left, by signal `number` or (0) of its own accord."""
    end_session(hatchway, started)
    if not quiet:
        tell(f"Session {printable(started.session_id)} was left and is terminated.")
    return 128 + number if number else apart(Exit.FAILURE)


def detached(started: Started) -> int:
    """The status after this side has left a session that goes on."""
    name = printable(started.session_id)
    tell(f"Session {name} goes on without you, until it idles out.")
    tell(f"  hatchway resume-session {name}")
    return 0


def ended_with(hatchway: Hatchway, started: Started, ended: Ended, *, quiet: bool = False) -> int:
    """The status after the session's own end; with `quiet` only what went wrong is told."""
    if ended.error is not None:
        if isinstance(ended.error, ChannelFailed):
            end_session(hatchway, started)  # at the service it goes on, and nobody could return
        tell(f"Session {printable(started.session_id)} was left.")
        return apart(refuse(ended.error))
    from hatchway.client.ends import recorded

    code, reason = recorded(hatchway, started.session_id, ended)
    if code is None or not quiet:
        how = f": {printable(reason)}" if reason else ""
        status = "" if code is None else f" with exit code {code}"
        tell(f"Session {printable(started.session_id)} ended{status}{how}.")
    return status_of(code)


def status_of(code: int | None) -> int:
    """A remote status as ours; one that no process here can have is a failure."""
    return apart(Exit.FAILURE) if code is None or not 0 <= code <= 255 else code
