"""SearchSessionRecording: the lines that hold a text, segment by segment within a call's time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hatchway.core import api
from hatchway.core.errors import InvalidNextToken, MalformedRecording
from hatchway.core.transcript.chunks import dump, load
from hatchway.core.transcript.search import Match, Search, needle
from lambdas.access import Access
from lambdas.ledger import read_kept
from lambdas.passing import read_on, redaction_of
from lambdas.recordings.permission import Readable, readable
from lambdas.recordings.reading import stored_lines
from lambdas.recordings.service import Service
from lambdas.request import Request

#: Seconds after which no further segment is begun: the answer says where to go on.
BUDGET = 12.0


def search_recording(service: Service, access: Access, request: Request) -> Mapping[str, object]:
    found = readable(service, access, request)
    text = needle(request.text("Text"))
    position = _position(request.text("NextToken"))
    deadline = service.clock() + BUDGET
    searching = Search(text, line=position.line, start=position.start)
    matches: list[Match] = []
    for number, lines in _portions(service, found, position.segment):
        matches += _matches(searching, lines)
        if len(matches) >= api.MAX_MATCHES or service.clock() >= deadline:
            token = f"{number + 1}.{searching.line}.{searching.start}"
            return _answer(matches) | {"NextToken": token}
    return _answer([*matches, *searching.finish()])


@dataclass(frozen=True, slots=True)
class _Position:
    """Where a search goes on: the segment, lines before it, the recording's beginning."""

    segment: int = 0
    line: int = 0
    start: int = -1


def _position(token: str) -> _Position:
    if not token:
        return _Position()
    parts = token.split(".")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
        raise InvalidNextToken()
    segment, line, start = (int(part[:18]) for part in parts)
    return _Position(segment, line, start)


def _portions(service: Service, found: Readable, first: int) -> Iterator[tuple[int, Sequence[str]]]:
    """(number, lines) of the segments from `first` on, and of what is not archived yet. What is
    missing is no line: `verify` tells of it."""
    kept = read_kept(service.archive, found.prefix)
    segments = kept.signed.manifest.segments if kept.signed is not None else ()
    for number, segment in enumerate(segments):
        if number >= first:
            yield number, stored_lines(service, found.prefix, segment) or ()
    if kept.final or found.session is None or first > len(segments):
        return
    until = int(service.clock() * 1000)
    redaction = redaction_of(found.session)
    read = read_on(service.passed, found.session_id, redaction, kept.progress, until=until)
    yield len(segments), [dump(chunk) for chunk in read.chunks]


def _matches(searching: Search, lines: Sequence[str]) -> Iterator[Match]:
    for line in lines:
        try:
            yield from searching.take(load(line))
        except MalformedRecording:
            continue  # changed in the archive: `verify` tells of it


def _answer(matches: Sequence[Match]) -> dict[str, object]:
    return {
        "Matches": [
            {"Line": m.line, "Milliseconds": int(m.second * 1000), "Text": m.text}
            for m in matches[: api.MAX_MATCHES]
        ]
    }
