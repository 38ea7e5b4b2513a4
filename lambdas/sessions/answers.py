"""Answers to JSON frames, whichever kind of connection they come on."""

from __future__ import annotations

from collections.abc import Mapping

from hatchway.core.errors import HatchwayError, InternalServerError
from lambdas.logline import Line
from lambdas.ports import Clients


def refusal(error: Exception, log: Line) -> Mapping[str, object]:
    """The members that tell of a refusal. Of what nobody expected the peer learns nothing."""
    if isinstance(error, HatchwayError):
        log.refused(error)
    else:
        log.failed(error)
        error = InternalServerError()
    return {"__type": error.code, "message": error.message}


def posted(clients: Clients, connection: str, text: str) -> bool:
    """Whether the connection was there to take it."""
    try:
        return clients.post(connection, text)
    except HatchwayError:
        return False
