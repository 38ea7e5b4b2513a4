"""Who may read a recording: ssm:GetSessionRecording on the session, with its node's tags."""

from __future__ import annotations

from dataclasses import dataclass

from hatchway.core import api, names
from hatchway.core.errors import DoesNotExistException, ValidationException
from hatchway.core.policy import ContextValue
from hatchway.core.transcript.evidence import Manifest
from lambdas.access import Access
from lambdas.conditions import tag_context, unknown_tags
from lambdas.ledger import PREFIX, prefix_of, read_signed
from lambdas.ports import Session
from lambdas.recordings.service import Service
from lambdas.request import Request


@dataclass(frozen=True, slots=True)
class Readable:
    """A recording that the caller may read; `session` is None where only the archive knows it."""

    session_id: str
    prefix: str
    session: Session | None


def readable(service: Service, access: Access, request: Request) -> Readable:
    """AccessDeniedException unless the caller may; then DoesNotExistException for a session that
    neither the table nor, on the day that was given, the archive knows."""
    session_id = names.session_id(request.text("SessionId"))
    session = service.sessions.get(session_id)
    if session is not None:
        _demand(service, access, session_id, session.target, session)
        return Readable(session_id, prefix_of(session_id, session.started), session)
    prefix = _on_day(session_id, request.text("Date"))
    manifest = _archived(service, session_id, prefix)
    _demand(service, access, session_id, manifest.target if manifest else "", None)
    if manifest is None:
        raise DoesNotExistException()
    return Readable(session_id, prefix, None)


def day_prefix(day: str) -> str:
    """Where the recordings of a day (`2026-11-22`) stand."""
    year, month, date = day.split("-")
    if not (1 <= int(month) <= 12 and 1 <= int(date) <= 31):
        raise ValidationException("Date is no day.")
    return f"{PREFIX}{year}/{month}/{date}/"


def _on_day(session_id: str, day: str) -> str:
    return f"{day_prefix(day)}{session_id}/" if day else ""


def _archived(service: Service, session_id: str, prefix: str) -> Manifest | None:
    signed = read_signed(service.archive, prefix) if prefix else None
    manifest = signed.manifest if signed is not None else None
    return manifest if manifest is not None and manifest.session == session_id else None


def _demand(
    service: Service, access: Access, session_id: str, target: str, session: Session | None
) -> None:
    place = access.principal.place(service.region)
    arn = f"arn:{place.partition}:ssm:{place.region}:{place.account}:session/{session_id}"
    own = session is not None and session.owner == access.principal.owner
    access.demand(api.READ_RECORDING, arn, _tags(service, access, target, session), foreign=not own)


def _tags(
    service: Service, access: Access, target: str, session: Session | None
) -> dict[str, ContextValue]:
    """The session's own tags and its node's. Of a node that EC2 has forgotten, the tags that the
    caller's policies ask about are unknown: what hangs on them is denied."""
    facts = service.instances.facts(target) if target else None
    tags: dict[str, ContextValue] = dict(tag_context(facts.tags)) if facts is not None else {}
    if facts is None and access.found is not None:
        tags = unknown_tags(access.found)
    system = {"aws:ssmmessages:target-id": target}
    if session is not None:
        system["aws:ssmmessages:session-id"] = session.owner.userid
    return tags | tag_context({name: value for name, value in system.items() if value})
