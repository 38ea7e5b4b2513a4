"""How a session is recorded: what its document asks for, and what the deployment does anyway."""

from __future__ import annotations

from collections.abc import Mapping

from hatchway.core import documents
from hatchway.core.recording import Mode, Terms, terms
from lambdas.environment import EnvironmentIncomplete
from lambdas.ports import Session


def terms_of(session: Session, floor: Mode) -> Terms:
    """InvalidDocument where the session's document cannot be read: nothing is assumed."""
    return terms(documents.read(session.document), floor)


def floor(environ: Mapping[str, str]) -> Mode:
    """RECORDING, the deployment's own mode; BESIDE where it is not set."""
    value = environ.get("RECORDING", "") or Mode.BESIDE
    try:
        return Mode(value)
    except ValueError:
        raise EnvironmentIncomplete(f"RECORDING is none of {', '.join(Mode)}.") from None
