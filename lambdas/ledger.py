"""A recording in the archive: its segments, its signed manifest, and where the archive goes on.

Objects stand under `recordings/{yyyy}/{mm}/{dd}/{session id}/`, by the day of the start:
`000000.jsonl.gz` and so on (`hatchway.core.transcript.evidence`), `state-000000.json` of each
checkpoint, and `manifest.json`, which holds the manifest's bytes and their signature. The manifest
is written last: what it does not name is not there yet.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from hatchway.core import handshake
from hatchway.core.errors import MalformedMessage, MalformedRecording
from hatchway.core.transcript import evidence
from hatchway.core.transcript.chunks import Chunk
from hatchway.core.transcript.evidence import Code, Manifest
from hatchway.core.transcript.known import Known
from hatchway.core.transcript.recorder import RecorderState
from lambdas.ports import Archive, Clock, Session, Signature, Signer

PREFIX = "recordings/"
MANIFEST = "manifest.json"
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Signed:
    """A manifest as it is stored: its bytes, and their signature."""

    text: bytes
    signature: Signature

    @property
    def manifest(self) -> Manifest:
        return evidence.load_manifest(self.text)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a recording has come: what its chunks know, the unix milliseconds of the latest
    event that was read, and which events of the time before it were."""

    state: RecorderState = field(default_factory=RecorderState)
    since: int = 0
    known: Known = field(default_factory=Known)


@dataclass(frozen=True, slots=True)
class Kept:
    """What the archive has of a session; `signed` is None before the first checkpoint."""

    signed: Signed | None = None
    progress: Progress = field(default_factory=Progress)

    @property
    def final(self) -> bool:
        return self.signed is not None and self.signed.manifest.final


def prefix_of(session_id: str, started: float) -> str:
    """Where a recording's objects are, by the session's start (unix seconds)."""
    day = datetime.fromtimestamp(started, UTC)
    return f"{PREFIX}{day:%Y/%m/%d}/{session_id}/"


def read_signed(archive: Archive, prefix: str) -> Signed | None:
    """The recording's manifest; None where there is none yet. MalformedRecording for a damaged
    one."""
    data = archive.get(prefix + MANIFEST)
    return _load_signed(data) if data is not None else None


def read_kept(archive: Archive, prefix: str) -> Kept:
    """The manifest, and the state that goes with it."""
    signed = read_signed(archive, prefix)
    return Kept(signed, _load_progress(_state(archive, prefix, signed))) if signed else Kept()


def _state(archive: Archive, prefix: str, signed: Signed) -> bytes:
    state = archive.get(prefix + _state_name(signed.manifest.checkpoint))
    if state is None:
        raise MalformedRecording("A checkpoint has no state.")
    return state


@dataclass(frozen=True, slots=True)
class Ledger:
    """Writes recordings: for the archive alone."""

    archive: Archive
    signer: Signer
    clock: Clock
    stage: str
    code: Code

    def kept(self, session: Session) -> Kept:
        """What there is to go on from; MalformedRecording for what this archive has not signed of
        this session: it would sign what somebody else has put there."""
        prefix = prefix_of(session.session_id, session.started)
        signed = read_signed(self.archive, prefix)
        if signed is None:
            return Kept()
        digest = hashlib.sha256(signed.text).digest()
        if not self.signer.made(digest, signed.signature):
            raise MalformedRecording("The manifest was not signed by the archive.")
        state = _state(self.archive, prefix, signed)
        if signed.manifest.session != session.session_id:
            raise MalformedRecording("The manifest is of another session.")
        if signed.manifest.state not in ("", hashlib.sha256(state).hexdigest()):
            raise MalformedRecording("The checkpoint's state is not the one that was signed.")
        return Kept(signed, _load_progress(state))

    def keep(
        self,
        session: Session,
        kept: Kept,
        chunks: Sequence[Chunk],
        progress: Progress,
        *,
        final: bool = False,
    ) -> Kept:
        """One checkpoint more: segments with `chunks`, then the state, then the manifest.

        A run that fails on the way is repeated from `kept`; what it wrote is written again.
        """
        prefix = prefix_of(session.session_id, session.started)
        manifest = self._next(session, kept, final)
        for portion in evidence.segments(chunks):
            manifest = evidence.extended(manifest, portion)
            name = manifest.segments[-1].name
            self.archive.put(prefix + name, evidence.pack_segment(portion))
        state = _dump_progress(progress)
        self.archive.put(prefix + _state_name(manifest.checkpoint), state)
        signed = self._sign(replace(manifest, state=hashlib.sha256(state).hexdigest()))
        self.archive.put(prefix + MANIFEST, _dump_signed(signed))
        return Kept(signed, progress)

    def _next(self, session: Session, kept: Kept, final: bool) -> Manifest:
        now = int(self.clock() * 1000)
        if kept.signed is None:
            manifest = Manifest(
                session=session.session_id,
                stage=self.stage,
                target=session.target,
                owner=session.owner_arn,
                started=int(session.started * 1000),
                written=now,
                code=self.code,
            )
        else:
            before = kept.signed.manifest
            manifest = replace(
                before,
                checkpoint=before.checkpoint + 1,
                previous=hashlib.sha256(kept.signed.text).hexdigest(),
                written=now,
                code=self.code,
            )
        stated = session.stated if final else None
        return replace(manifest, final=final, ended=int(session.ended * 1000), stated=stated)

    def _sign(self, manifest: Manifest) -> Signed:
        text = evidence.dump_manifest(manifest)
        return Signed(text, self.signer.sign(hashlib.sha256(text).digest()))


def _state_name(checkpoint: int) -> str:
    return f"state-{checkpoint:06d}.json"


# --- as text ------------------------------------------------------------------------------------


def _dump_signed(signed: Signed) -> bytes:
    document = {
        "version": _VERSION,
        "manifest": base64.b64encode(signed.text).decode("ascii"),
        "signature": base64.b64encode(signed.signature.value).decode("ascii"),
        "algorithm": signed.signature.algorithm,
        "key": signed.signature.key,
    }
    return json.dumps(document, separators=(",", ":")).encode()


def _load_signed(data: bytes) -> Signed:
    try:
        document = json.loads(data)
        if document["version"] != _VERSION:
            raise MalformedRecording("A signed manifest is of another version.")
        return Signed(
            base64.b64decode(document["manifest"], validate=True),
            Signature(
                key=_text(document["key"]),
                algorithm=_text(document["algorithm"]),
                value=base64.b64decode(document["signature"], validate=True),
            ),
        )
    except (KeyError, TypeError, ValueError, RecursionError, binascii.Error):
        raise MalformedRecording("A signed manifest is damaged.") from None


def _dump_progress(progress: Progress) -> bytes:
    document = {
        "version": _VERSION,
        "since": progress.since,
        "state": progress.state.to_json(),
        "known": progress.known.to_json(),
    }
    return json.dumps(document, separators=(",", ":")).encode()


def _load_progress(data: bytes) -> Progress:
    try:
        document = json.loads(data)
        if document["version"] != _VERSION:
            raise MalformedRecording("A recording's state is of another version.")
        since = handshake.whole(document["since"], 0, 1 << 62)
        # One that was kept before events were remembered reads nothing again.
        known = Known.of_json(document["known"]) if "known" in document else Known(since + 1)
        return Progress(RecorderState.of_json(document["state"]), since, known)
    except (KeyError, TypeError, ValueError, RecursionError, MalformedMessage):
        raise MalformedRecording("A recording's state is damaged.") from None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
