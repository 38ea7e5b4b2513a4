"""What a session takes from its document, also from one that it cannot run."""

from __future__ import annotations

from collections.abc import Callable

from agent import document
from agent.deflate import compress
from agent.digest import sha256
from agent.ports import StartFailed
from hatchway.core.channel import ChannelSettings
from hatchway.core.documents import Document, SessionType


def read(text: str) -> Document | StartFailed:
    try:
        return document.parse(text)
    except StartFailed as error:
        return error


def settings(
    found: Document | StartFailed, epoch: float, replay: Callable[[int], bytes]
) -> ChannelSettings:
    """A command's output is never given up: without a client the command waits instead. What a
    terminal showed is shown again to another client."""
    if isinstance(found, StartFailed):
        return ChannelSettings(epoch=epoch)
    lossless = without_terminal(found)
    return ChannelSettings(
        epoch=epoch,
        session_type=found.session_type,
        compress=compress,
        digest=sha256,
        lossless=lossless,
        replay=_nothing if lossless else replay,
    )


def _nothing(held: int) -> bytes:
    return b""


def without_terminal(found: Document | StartFailed) -> bool:
    without = SessionType.NON_INTERACTIVE_COMMANDS
    return not isinstance(found, StartFailed) and found.session_type is without


def tells_exit_code(found: Document | StartFailed) -> bool:
    """Whether clients of the original get the exit code, as text: with their streams apart."""
    if isinstance(found, StartFailed):
        return False
    return without_terminal(found) and found.properties.separate_output_stream


def records_input(found: Document | StartFailed) -> bool:
    """Whether what is typed is recorded: then the node says which of it the terminal echoed."""
    return not isinstance(found, StartFailed) and found.inputs.hatchway.record_input


def output_counts(found: Document | StartFailed) -> bool:
    """Whether output keeps the session from idling out."""
    return not isinstance(found, StartFailed) and found.inputs.hatchway.output_keeps_alive
