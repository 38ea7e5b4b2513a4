"""GetSessionRecording, GetRecordingManifest, ListRecordings: pages of what is there."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

from hatchway.core import api
from hatchway.core.errors import DoesNotExistException, InvalidNextToken, MalformedRecording
from hatchway.core.transcript.chunks import dump
from hatchway.core.transcript.evidence import MAX_SEGMENT, Manifest, Segment, read_segment
from lambdas.access import Access
from lambdas.ledger import Kept, read_kept, read_signed
from lambdas.passing import read_on, redaction_of
from lambdas.ports import Session
from lambdas.recordings.permission import Readable, day_prefix, readable
from lambdas.recordings.service import Service
from lambdas.request import Request

#: Milliseconds by which a live view is behind: events of the last moments may still come in
#: another order.
BEHIND = 500


def get_recording(service: Service, access: Access, request: Request) -> Mapping[str, object]:
    """Chunks from an index on: one segment's, or those that no segment has yet."""
    found = readable(service, access, request)
    index = request.number("Index", 0)
    kept = read_kept(service.archive, found.prefix)
    manifest = kept.signed.manifest if kept.signed is not None else None
    segment = _holding(manifest, index) if manifest is not None else None
    if segment is not None:
        return _archived(service, found, segment, index, over=kept.final and _last(kept, segment))
    if kept.final or found.session is None:
        return {"Lines": [], "Index": index}
    return _live(service, found.session, kept, index)


def _holding(manifest: Manifest, index: int) -> Segment | None:
    """The segment with this chunk."""
    for segment in manifest.segments:
        if segment.first <= index < segment.first + segment.chunks:
            return segment
    return None


def _last(kept: Kept, segment: Segment) -> bool:
    return kept.signed is not None and kept.signed.manifest.segments[-1] == segment


def _archived(
    service: Service, found: Readable, segment: Segment, index: int, *, over: bool
) -> Mapping[str, object]:
    answer: dict[str, object] = {"Index": index, "Segment": segment.name}
    following = segment.first + segment.chunks
    lines = stored_lines(service, found.prefix, segment)
    if lines is None:
        answer |= {"Lines": [], "Missing": True}
    elif index > segment.first:
        answer["Lines"] = lines[index - segment.first :]
    else:
        answer["Lines"] = lines
    return answer if over else answer | {"NextIndex": following}


def stored_lines(service: Service, prefix: str, segment: Segment) -> Sequence[str] | None:
    """A segment's lines as they are stored now; None where it is missing or unreadable."""
    packed = service.archive.get(prefix + segment.name)
    if packed is None:
        return None
    try:
        return [line.decode("utf-8", "replace") for line in read_segment(packed)]
    except MalformedRecording:
        return None


def _live(service: Service, session: Session, kept: Kept, index: int) -> Mapping[str, object]:
    """What passed and is settled. The archive will say the same of it: nothing is let go early."""
    until = int(service.clock() * 1000) - BEHIND
    read = read_on(
        service.passed, session.session_id, redaction_of(session), kept.progress, until=until
    )
    lines: list[str] = []
    size = 0
    for chunk in read.chunks:
        if chunk.index < index:
            continue
        line = dump(chunk)
        size += len(line)
        if size > MAX_SEGMENT:
            break
        lines.append(line)
    return {"Lines": lines, "Index": index, "NextIndex": index + len(lines)}


def get_manifest(service: Service, access: Access, request: Request) -> Mapping[str, object]:
    found = readable(service, access, request)
    signed = read_signed(service.archive, found.prefix)
    if signed is None:
        raise DoesNotExistException("The session has no manifest yet.")
    return {
        "Manifest": signed.text.decode("utf-8", "replace"),
        "Signature": base64.b64encode(signed.signature.value).decode("ascii"),
        "Algorithm": signed.signature.algorithm,
        "KeyId": signed.signature.key,
        "PublicKey": base64.b64encode(service.keys.public_key(signed.signature.key)).decode(),
    }


def list_recordings(service: Service, access: Access, request: Request) -> Mapping[str, object]:
    """A page of objects' names at a time; a session may be told in two pages."""
    access.demand(api.LIST_RECORDINGS.action, api.LIST_RECORDINGS.resource)
    prefix = day_prefix(request.text("Date"))
    page = service.archive.names(prefix, _position(prefix, request.text("NextToken")))
    found = {name.removeprefix(prefix).partition("/")[0] for name in page.names}
    answer: dict[str, object] = {"SessionIds": sorted(found)}
    return answer | ({"NextToken": page.next_token} if page.next_token else {})


def _position(prefix: str, token: str) -> str:
    if not token.isprintable() or len(token) > api.MAX_NEXT_TOKEN:
        raise InvalidNextToken()
    return token
