"""Recordings: read page by page, searched, and checked here rather than by the service's word."""

from __future__ import annotations

import base64
import binascii
import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from awscrt.crypto import EC

from hatchway.client.records import SessionRecord
from hatchway.core.errors import DoesNotExistException, HatchwayError, MalformedRecording
from hatchway.core.transcript import verifying
from hatchway.core.transcript.chunks import Chunk, load
from hatchway.core.transcript.evidence import Manifest, load_manifest
from hatchway.core.transcript.search import Match
from hatchway.core.transcript.verifying import Fault, Finding, Known, Verification

#: Pages of one recording; a page holds a segment, or what is not archived yet.
MAX_PAGES = 100_000
#: Seconds between looks at a session that goes on.
FOLLOW_EVERY = 2.0
#: Recordings that are searched, or checked, at once.
AT_ONCE = 16
#: Days that `verify_all` looks back at what the archive has: sessions are described for 30.
DAYS = 29
ALGORITHM = "ECDSA_SHA_256"

Call = Callable[..., Mapping[str, Any]]
Pages = Callable[..., Iterator[Mapping[str, Any]]]
Sleep = Callable[[float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Lines as they are stored, from `index` on. `following` is where to read on, None at the end
    of a recording that is over; `missing` says that the segment is not there, or unreadable."""

    index: int
    lines: Sequence[str]
    following: int | None
    segment: str
    missing: bool

    @classmethod
    def of(cls, members: Mapping[str, Any]) -> Page:
        following = members.get("NextIndex")
        return cls(
            index=int(members.get("Index", 0)),
            lines=[str(line) for line in members.get("Lines", ())],
            following=following if isinstance(following, int) else None,
            segment=str(members.get("Segment", "")),
            missing=members.get("Missing") is True,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedManifest:
    """A manifest's bytes, their signature, and the key that the service says made it."""

    text: bytes
    signature: bytes
    algorithm: str
    key_id: str
    public_key: bytes

    @classmethod
    def of(cls, members: Mapping[str, Any]) -> SignedManifest:
        try:
            return cls(
                text=str(members["Manifest"]).encode(),
                signature=base64.b64decode(members["Signature"], validate=True),
                algorithm=str(members["Algorithm"]),
                key_id=str(members["KeyId"]),
                public_key=base64.b64decode(members["PublicKey"], validate=True),
            )
        except (KeyError, TypeError, binascii.Error):
            raise MalformedRecording("The service's answer is no signed manifest.") from None

    def check(self, key: bytes = b"") -> bool:
        """Whether the signature is right, by `key` (SubjectPublicKeyInfo, DER) where one is
        given, else by the key that came with it."""
        if self.algorithm != ALGORITHM:
            return False
        try:
            checker = EC.new_key_from_der_data(key or self.public_key)
            return bool(checker.verify(hashlib.sha256(self.text).digest(), self.signature))
        except (RuntimeError, ValueError):
            return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What checking one recording found. `findings` is empty where all is as it was stored."""

    session_id: str
    findings: Sequence[Finding]
    manifest: Manifest | None = None
    key_id: str = ""

    def members(self) -> dict[str, object]:
        """For programs."""
        found = [
            {"Fault": f.fault.value, "Text": f.text, "Chunk": f.chunk if f.chunk >= 0 else None}
            for f in self.findings
        ]
        manifest = self.manifest
        return {
            "SessionId": self.session_id,
            "Verified": not self.findings,
            "Findings": found,
            "Chunks": manifest.chunks if manifest else None,
            "Final": manifest.final if manifest else None,
            "EndKnown": manifest.end_known if manifest else None,
            "Gaps": manifest.gaps if manifest else None,
            "WrittenBy": manifest.code.digest if manifest else None,
            "KeyId": self.key_id or None,
        }


@dataclass(frozen=True, slots=True)
class Found:
    """A line of a session that holds the text; or the error that kept it from being searched."""

    session_id: str
    match: Match | None = None
    error: HatchwayError | None = None


class Recordings:
    """The recordings of one deployment, as far as the caller may read them."""

    def __init__(
        self,
        call: Call,
        pages: Pages,
        sleep: Sleep = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._call, self._pages, self._sleep, self._clock = call, pages, sleep, clock

    # --- reading --------------------------------------------------------------------------------

    def pages(self, session_id: str, *, follow: bool = False, index: int = 0) -> Iterator[Page]:
        """The recording, as it is stored; with `follow`, until the session is over."""
        for _ in range(MAX_PAGES):
            page = Page.of(
                self._call("get_session_recording", SessionId=session_id, Index=index or None)
            )
            yield page
            if page.following is None or (page.following <= index and not follow):
                return
            if page.following <= index:
                self._sleep(FOLLOW_EVERY)
            index = page.following

    def chunks(self, session_id: str, *, follow: bool = False) -> Iterator[Chunk]:
        """What was recorded. Lines that somebody changed so that they cannot be read are left
        out: `verify` names them."""
        for page in self.pages(session_id, follow=follow):
            for line in page.lines:
                try:
                    yield load(line)
                except MalformedRecording:
                    continue

    # --- searching ------------------------------------------------------------------------------

    def search(self, session_id: str, text: str) -> Iterator[Match]:
        """The lines of one recording that hold a text."""
        for members in self._pages(
            "search_session_recording", "Matches", SessionId=session_id, Text=text
        ):
            yield Match(
                int(members["Line"]), int(members["Milliseconds"]) / 1000, str(members["Text"])
            )

    def search_all(self, session_ids: Sequence[str], text: str) -> Iterator[Found]:
        """The same over many, some at a time, in their order. A recording that may not be read,
        or cannot be, is told as that, and ends nothing."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for found in pool.map(lambda each: self._searched(each, text), session_ids):
                yield from found

    def _searched(self, session_id: str, text: str) -> Sequence[Found]:
        try:
            return [Found(session_id, match) for match in self.search(session_id, text)]
        except HatchwayError as error:
            return [Found(session_id, error=error)]

    # --- checking -------------------------------------------------------------------------------

    def manifest(self, session_id: str, day: str = "") -> SignedManifest:
        """The newest one; DoesNotExistException where there is none."""
        return SignedManifest.of(
            self._call("get_recording_manifest", SessionId=session_id, Date=day or None)
        )

    def verify(
        self, session_id: str, known: Known | None = None, *, key: bytes = b"", day: str = ""
    ) -> Verified:
        """Checks signature, chain and every chunk; against `known`, also that nothing of the
        recording is missing. `day` finds a recording whose session is forgotten."""
        now = self._clock()
        try:
            signed = self.manifest(session_id, day)
        except DoesNotExistException:
            lost = verifying.missing(known, None, now) if known else []
            return Verified(session_id=session_id, findings=lost)
        if not signed.check(key):
            wrong = Finding(Fault.SIGNATURE, "the manifest's signature is not that of the key")
            return Verified(session_id=session_id, findings=[wrong], key_id=signed.key_id)
        try:
            manifest = load_manifest(signed.text)
        except MalformedRecording as error:
            damaged = Finding(Fault.MANIFEST, error.message)
            return Verified(session_id=session_id, findings=[damaged], key_id=signed.key_id)
        findings = self._checked(manifest, session_id, day)
        findings += verifying.missing(known, manifest, now) if known else []
        return Verified(
            session_id=session_id, findings=findings, manifest=manifest, key_id=signed.key_id
        )

    def _checked(self, manifest: Manifest, session_id: str, day: str) -> list[Finding]:
        if manifest.session != session_id:
            return [Finding(Fault.MANIFEST, f"the manifest is of {manifest.session}")]
        verification = Verification(manifest)
        for segment in manifest.segments:
            page = Page.of(
                self._call(
                    "get_session_recording",
                    SessionId=session_id,
                    Index=segment.first or None,
                    Date=day or None,
                )
            )
            there = page.segment == segment.name and not page.missing
            verification.check([line.encode() for line in page.lines] if there else None)
        return verification.finish()

    def recorded(self, day: str) -> Iterator[str]:
        """The sessions of a day (`2026-11-22`) that the archive has something of."""
        seen: set[str] = set()
        for page in self._raw_pages("list_recordings", Date=day):
            for session_id in page.get("SessionIds", ()):
                if session_id not in seen:
                    seen.add(session_id)
                    yield session_id

    def verify_all(
        self,
        sessions: Sequence[SessionRecord],
        *,
        key: bytes = b"",
        started: Sequence[str] = (),
    ) -> list[Verified]:
        """Checks the recordings of these sessions, and names recordings that none of them stands
        for, and sessions that were `started` (by the audit trail) of which nothing is left."""
        results = self.verify_all_of(sessions, key=key)
        recorded = [s for day in _days(self._clock()) for s in self.recorded(day)]
        known = [s.session_id for s in sessions]
        strangers = verifying.unknown(recorded, known)
        strangers += verifying.started(started, [*known, *recorded])
        return results + [
            Verified(session_id=finding.text.split(" ", 1)[0], findings=[finding])
            for finding in strangers
        ]

    def verify_all_of(
        self, sessions: Sequence[SessionRecord], *, key: bytes = b""
    ) -> list[Verified]:
        """Checks the recordings of these sessions, some at a time."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(lambda each: self._verified(each, key), sessions))

    def _verified(self, session: SessionRecord, key: bytes) -> Verified:
        try:
            return self.verify(session.session_id, _known(session), key=key)
        except HatchwayError as error:
            said = Finding(Fault.MANIFEST, f"cannot be checked: {error.code}: {error.message}")
            return Verified(session_id=session.session_id, findings=[said])

    def _raw_pages(self, operation: str, **members: object) -> Iterator[Mapping[str, Any]]:
        token = None
        for _ in range(MAX_PAGES):
            page = self._call(operation, NextToken=token, **members)
            yield page
            token = page.get("NextToken")
            if not token:
                return


def _known(session: SessionRecord) -> Known:
    return Known(
        session=session.session_id,
        started=session.start_date.timestamp() if session.start_date else 0.0,
        ended=session.end_date.timestamp() if session.end_date else 0.0,
    )


def _days(now: float) -> list[str]:
    today = datetime.fromtimestamp(now, UTC).date()
    return [(today - timedelta(days=back)).isoformat() for back in range(DAYS)]
