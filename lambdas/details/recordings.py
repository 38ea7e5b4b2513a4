"""Events of recordings. Who calls: the family that archives them, after what it tells is stored.

A recording that is told of twice is one and the same: the id says so.
"""

from __future__ import annotations

from dataclasses import dataclass

from lambdas.details.sessions import session_members
from lambdas.details.text import plain, who
from lambdas.details.told import Detail, Told, head
from lambdas.ports import Session

__all__ = [
    "RECORDING_FAILED",
    "RECORDING_MISMATCH",
    "RECORDING_STORED",
    "StoredRecording",
    "recording_failed",
    "recording_mismatch",
    "recording_stored",
]

RECORDING_STORED = "Recording Stored"
RECORDING_MISMATCH = "Recording Mismatch"
RECORDING_FAILED = "Recording Failed"

#: What a person is told of a failure that is no destination's.
_FAILURES = {
    "recordings": "lacks what passed",
    "archive": "is not gone on with: what the archive has is not what it signed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRecording:
    """A whole recording. `manifest` is its URI (s3://…); `size` counts bytes of content;
    `gaps` and `mismatches` are what the manifest names; `complete` says that the node
    told how much there was, and that it is there."""

    manifest: str
    chunks: int
    size: int
    gaps: int
    mismatches: int
    complete: bool
    signed: bool


def recording_stored(stage: str, session: Session, stored: StoredRecording, time: float) -> Told:
    """The recording of a session that has ended is archived; `time` is when."""
    whole = "all of it" if stored.complete else "as much as there is"
    whole = "with gaps" if stored.gaps else whole
    detail: Detail = {
        **_head(stage, session, "stored", time),
        "manifest": stored.manifest,
        "chunks": stored.chunks,
        "bytes": stored.size,
        "gaps": stored.gaps,
        "mismatches": stored.mismatches,
        "complete": stored.complete,
        "signed": stored.signed,
        "summary": _summary(stage, session, f"is stored, {whole}"),
    }
    return Told(RECORDING_STORED, detail, time)


def recording_mismatch(
    stage: str, session: Session, side: str, sequence: int, time: float, *, generation: int = 0
) -> Told:
    """The same sequence number came with another digest. `side` is node or client, `generation`
    the client's connection as it was counted."""
    detail: Detail = {
        **_head(stage, session, f"mismatch/{side}/{generation}/{sequence}", time),
        "side": side,
        "generation": generation,
        "sequence": sequence,
        "summary": _summary(stage, session, f"contradicts itself ({side}, message {sequence})"),
    }
    return Told(RECORDING_MISMATCH, detail, time)


def recording_failed(
    stage: str, session: Session, destination: str, code: str, time: float
) -> Told:
    """A destination did not take the recording (s3, cloudwatch), what passed was not stored
    (recordings), or what is there is not what was signed (archive). `code` is the stable error
    code."""
    said = _FAILURES.get(destination, f"could not be written to {destination}")
    detail: Detail = {
        **_head(stage, session, f"failed/{destination}/{code}", time),
        "destination": destination,
        "errorCode": code,
        "summary": _summary(stage, session, f"{said} ({code})"),
    }
    return Told(RECORDING_FAILED, detail, time)


def _head(stage: str, session: Session, what: str, time: float) -> Detail:
    identity = f"{session.session_id}/recording/{what}"
    return {**head(stage, identity, time), **session_members(session)}


def _summary(stage: str, session: Session, what: str) -> str:
    owner = who(session.owner_arn)
    return plain(
        f"Hatchway {stage}: the recording of {owner} on {session.target} {what}. "
        f"Session {session.session_id}."
    )
