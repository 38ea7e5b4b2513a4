"""How what a session runs is ended: asked first, then killed until nothing of it is left."""

from __future__ import annotations

import asyncio
import signal

from agent.terminal.posix import members, signal_session

#: Seconds without output after the leader's end, where something in the background holds the
#: terminal or a pipe open, until that counts as the end of the output.
LINGER = 0.2
#: Seconds between looks at what is left; looks from SIGHUP to SIGKILL, and rounds of SIGKILL.
KILL_POLL = 0.02
HANGUP_ROUNDS = 50
KILL_ROUNDS = 100


async def end_session(session: int) -> None:
    """SIGHUP to every process of a session, stopped jobs too; SIGKILL until nothing is left."""
    signal_session(session, signal.SIGHUP)
    signal_session(session, signal.SIGCONT)
    if await _gone(session):
        return
    for _ in range(KILL_ROUNDS):
        if not signal_session(session, signal.SIGKILL):
            return
        await asyncio.sleep(KILL_POLL)


async def _gone(session: int) -> bool:
    for _ in range(HANGUP_ROUNDS):
        if not members(session):
            return True
        await asyncio.sleep(KILL_POLL)
    return False
