"""Every way of tampering with a recording is found, and its first place named."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatchway.core.errors import MalformedRecording
from hatchway.core.transcript import evidence
from hatchway.core.transcript.chunks import (
    MAX_DATA,
    MAX_LINE,
    UNNUMBERED,
    Chunk,
    Kind,
    Side,
    dump,
    load,
)
from hatchway.core.transcript.evidence import (
    Code,
    Manifest,
    digest_of,
    dump_manifest,
    extended,
    leaf,
    linked,
    load_manifest,
    pack_segment,
    read_segment,
    segment_name,
    segments,
)
from hatchway.core.transcript.verifying import (
    FINAL_WITHIN,
    FIRST_WITHIN,
    MAX_FINDINGS,
    Fault,
    Finding,
    Known,
    Verification,
    follows,
    missing,
    started,
    unknown,
)
from tests.unit.transcript.frames import AT, chunk

SESSION = "ann-0123456789abcdef0"
EMPTY = Manifest(
    session=SESSION,
    stage="prod",
    target="i-0123456789abcdef0",
    owner="arn:aws:iam::123456789012:user/ann",
    started=AT,
    written=AT,
    code=Code(function="archive", version="7", digest="sha"),
)


def recorded(count: int, per_segment: int = 4) -> tuple[Manifest, list[Any]]:
    """A recording of `count` chunks, as it is stored."""
    chunks = [chunk(b"line %d\n" % n, sequence=n).numbered(n) for n in range(count)]
    manifest, stored = EMPTY, []
    for first in range(0, count, per_segment):
        portion = chunks[first : first + per_segment]
        packed = pack_segment(portion)
        manifest = extended(manifest, portion)
        stored.append(read_segment(packed))
    return load_manifest(dump_manifest(manifest)), stored


def verify(manifest: Manifest, stored: Sequence[list[bytes] | None]) -> list[Finding]:
    verification = Verification(manifest)
    for lines in stored:
        verification.check(lines)
    return verification.finish()


def first(manifest: Manifest, stored: Sequence[list[bytes] | None]) -> tuple[Fault, int]:
    finding = verify(manifest, stored)[0]
    return finding.fault, finding.chunk


@given(st.integers(0, 30), st.integers(1, 9))
def test_an_untouched_recording_has_no_findings(count: int, per_segment: int) -> None:
    assert verify(*recorded(count, per_segment)) == []


@given(st.integers(0, 9), st.integers(0, 5))
def test_a_changed_chunk_is_named(which: int, bit: int) -> None:
    manifest, stored = recorded(10)
    lines = stored[which // 4]
    line = bytearray(lines[which % 4])
    line[10 + bit] ^= 1 << bit
    lines[which % 4] = bytes(line)
    assert first(manifest, stored) == (Fault.CHANGED, which)


@given(st.integers(0, 9))
def test_a_removed_chunk_is_named(which: int) -> None:
    manifest, stored = recorded(10)
    del stored[which // 4][which % 4]
    assert first(manifest, stored) == (Fault.REMOVED, which)


@given(st.integers(0, 2), st.integers(0, 3), st.integers(0, 3))
def test_chunks_in_another_order_are_named(segment: int, one: int, other: int) -> None:
    manifest, stored = recorded(12)
    lines = stored[segment]
    lines[one], lines[other] = lines[other], lines[one]
    expected = (Fault.REORDERED, segment * 4 + min(one, other))
    assert one == other or first(manifest, stored) == expected


@given(st.integers(0, 7))
def test_an_added_chunk_is_named(which: int) -> None:
    manifest, stored = recorded(8)
    stored[which // 4].insert(which % 4, dump(chunk(b"invented")).encode())
    assert first(manifest, stored) == (Fault.ADDED, which)


def test_a_chunk_added_behind_the_last_one_is_named() -> None:
    manifest, stored = recorded(4)
    stored[0].append(b"{}")
    assert first(manifest, stored) == (Fault.ADDED, 4)


def test_a_removed_segment_is_named_with_its_chunks() -> None:
    manifest, stored = recorded(12)
    stored[1] = None
    (finding,) = verify(manifest, stored)
    assert (finding.fault, finding.chunk) == (Fault.SEGMENT_MISSING, 4)
    assert "chunks 4 to 7" in finding.text


def test_segments_in_another_order_are_found() -> None:
    manifest, stored = recorded(12)
    stored[0], stored[1] = stored[1], stored[0]
    assert first(manifest, stored) == (Fault.CHANGED, 0)


def test_a_removed_tail_of_a_segment_is_named() -> None:
    manifest, stored = recorded(4)
    del stored[0][1:]
    (finding,) = verify(manifest, stored)
    assert (finding.fault, finding.chunk) == (Fault.REMOVED, 1)
    assert finding.text == "chunk 1 and 2 after it were removed"


def test_a_recording_changed_throughout_has_a_bounded_number_of_findings() -> None:
    manifest, stored = recorded(MAX_FINDINGS + 1, 1)
    findings = verify(manifest, [[b"x"] for _ in stored])
    assert len(findings) == MAX_FINDINGS


def test_beyond_so_many_chunks_a_change_is_named_by_its_segment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(evidence, "MAX_LEAVES", 4)  # two hundred thousand chunks take a while
    manifest, stored = recorded(8)
    assert [bool(segment.leaves) for segment in manifest.segments] == [True, False]
    assert verify(manifest, stored) == []
    stored[1][2] = b"{}"
    (finding,) = verify(manifest, stored)
    assert (finding.fault, finding.chunk) == (Fault.CHANGED, 4)
    assert finding.text == "000001.jsonl.gz was changed, somewhere in its 4 chunks"


def test_a_line_whose_hash_begins_alike_is_found_by_the_segments_digest() -> None:
    manifest, stored = recorded(4)
    forged = replace(manifest.segments[0], digest="0" * 64)
    assert first(replace(manifest, segments=(forged,)), stored)[0] is Fault.CHANGED


def test_equal_leaves_with_another_chain_are_found() -> None:
    """What names a chunk is short; what proves it is the chain."""
    manifest, stored = recorded(4)
    count = replace(manifest.sides[Side.NODE], chain="0" * 64)
    forged = replace(manifest, sides={**manifest.sides, Side.NODE: count})
    assert first(forged, stored) == (Fault.COUNTS, -1)


def test_a_manifest_whose_segments_leave_chunks_out_is_found() -> None:
    manifest, stored = recorded(12)
    forged = replace(manifest, segments=(manifest.segments[0], manifest.segments[2]))
    assert first(forged, [stored[0], stored[2]])[0] is Fault.MANIFEST


def test_numbers_that_are_not_contiguous_are_found() -> None:
    chunks = [chunk(b"a", sequence=0), chunk(b"c", sequence=2).numbered(1)]
    packed = pack_segment(chunks)
    manifest = extended(EMPTY, chunks)
    assert first(manifest, [read_segment(packed)]) == (Fault.COUNTS, 1)


def test_gaps_late_chunks_and_other_clients_are_contiguous() -> None:
    chunks = [
        chunk(b"2 messages", Kind.GAP, sequence=0),
        chunk(b"c", sequence=2),
        chunk(b"a", sequence=0, note="late: its place was given up"),
        chunk(b"", Kind.MARKER, sequence=UNNUMBERED, note="mismatch: message 2"),
        chunk(b"d", sequence=3),
        chunk(b"x", Kind.INPUT, sequence=0),
        chunk(b"y", Kind.INPUT, sequence=0),
    ]
    chunks = [one.numbered(n) for n, one in enumerate(chunks)]
    manifest = extended(EMPTY, chunks)
    assert verify(manifest, [read_segment(pack_segment(chunks))]) == []
    node = manifest.sides[Side.NODE]
    assert (node.chunks, node.messages, node.gaps, node.mismatches) == (5, 4, 1, 1)
    assert manifest.sides[Side.CLIENT].messages == 2
    assert manifest.gaps == 1


def test_a_line_that_is_no_chunk_is_found_though_it_was_signed() -> None:
    one = chunk(b"a", sequence=0)
    manifest = extended(EMPTY, [one])
    leaves = base64.b64encode(leaf(b"rubbish")).decode()
    rubbish = replace(manifest.segments[0], leaves=leaves, digest=digest_of([b"rubbish"]))
    assert first(replace(manifest, segments=(rubbish,)), [[b"rubbish"]])[0] is Fault.MANIFEST


def test_the_chain_is_the_documented_one() -> None:
    """A known vector, computed with nothing but SHA-256."""
    line = b'{"i":0}'
    assert (
        linked("0" * 64, line)
        == hashlib.sha256(bytes(32) + hashlib.sha256(line).digest()).hexdigest()
    )
    assert leaf(line) == hashlib.sha256(line).digest()[:8]


def test_a_checkpoint_continues_the_one_before() -> None:
    earlier, _ = recorded(8)
    text = dump_manifest(earlier)
    later = extended(earlier, [chunk(b"x").numbered(8)])
    later = replace(later, checkpoint=1, previous=hashlib.sha256(text).hexdigest())
    assert follows(later, earlier, text) == []
    assert follows(replace(later, previous=""), earlier, text)[0].fault is Fault.MANIFEST
    assert follows(replace(later, segments=later.segments[1:]), earlier, text)


# --- as a whole ---------------------------------------------------------------------------------


def test_a_session_without_manifest_is_missing_once_it_should_have_one() -> None:
    session = Known(session=SESSION, started=1000.0)
    assert missing(session, None, 1000.0 + FIRST_WITHIN) == []
    assert missing(session, None, 1001.0 + FIRST_WITHIN)[0].fault is Fault.NO_MANIFEST


def test_a_tail_is_missing_where_the_session_ended_and_its_manifest_is_not_final() -> None:
    manifest, _ = recorded(4)
    over = Known(session=SESSION, started=1000.0, ended=2000.0)
    assert missing(over, manifest, 2000.0 + FINAL_WITHIN) == []
    (finding,) = missing(over, manifest, 2001.0 + FINAL_WITHIN)
    assert (finding.fault, finding.chunk) == (Fault.NOT_FINAL, 4)
    assert missing(over, replace(manifest, final=True), 9999.0) == []
    assert missing(replace(over, ended=0.0), manifest, 9999.0) == []


def test_recordings_of_unknown_sessions_are_named() -> None:
    (finding,) = unknown(["a", "b"], ["a", "c"])
    assert finding.fault is Fault.UNKNOWN_SESSION
    assert finding.text.startswith("b ")


# --- lines, segments, manifests as text ---------------------------------------------------------

_CHUNKS = st.builds(
    Chunk,
    index=st.integers(0, 1 << 40),
    at=st.integers(0, 1 << 45),
    side=st.sampled_from(Side),
    generation=st.integers(0, 1 << 30),
    sequence=st.integers(-1, 1 << 62),
    kind=st.sampled_from(Kind),
    data=st.binary(max_size=64),
    digest=st.sampled_from(["", "ab" * 32]),
    note=st.text(max_size=40),
)


@given(_CHUNKS)
def test_a_chunk_survives_its_line_which_is_one_line(one: Chunk) -> None:
    line = dump(one)
    assert load(line) == one
    assert dump(load(line)) == line
    assert "\n" not in line


def test_the_largest_chunk_fits_a_line_and_a_longer_line_is_refused() -> None:
    line = dump(chunk(bytes(MAX_DATA), digest="a" * 64, note="\U0001f600" * 600))
    assert load(line).data == bytes(MAX_DATA)
    with pytest.raises(MalformedRecording):
        load(" " * (MAX_LINE + 1))


@pytest.mark.parametrize(
    "damage",
    [{"i": -1}, {"t": "1"}, {"side": "x"}, {"kind": 1}, {"data": "*"}, {"data": 1}, {"seq": True}],
)
def test_a_damaged_line_is_refused(damage: dict[str, object]) -> None:
    with pytest.raises(MalformedRecording):
        load(json.dumps(json.loads(dump(chunk(b"x"))) | damage))


@pytest.mark.parametrize("line", ["", "[]", "{}", "[" * 5000])
def test_what_is_no_line_is_refused(line: str) -> None:
    with pytest.raises(MalformedRecording):
        load(line)


def test_segments_are_within_their_size_and_hold_everything() -> None:
    chunks = [chunk(bytes(MAX_DATA)).numbered(n) for n in range(40)]
    portions = list(segments(chunks))
    assert [c for portion in portions for c in portion] == chunks
    sizes = [sum(len(dump(c)) + 1 for c in portion) for portion in portions]
    assert max(sizes) <= evidence.MAX_SEGMENT
    assert list(segments([])) == []


def test_the_same_chunks_give_the_same_object() -> None:
    chunks = [chunk(b"x")]
    assert pack_segment(chunks) == pack_segment(chunks)


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"rubbish",
        gzip.compress(b"a\n", mtime=0)[:-1],
        gzip.compress(b"a\n", mtime=0) + b"more",
        gzip.compress(bytes(evidence.MAX_SEGMENT + MAX_LINE + 1), mtime=0),
    ],
    ids=["empty", "rubbish", "cut", "more", "large"],
)
def test_an_object_that_is_damaged_or_too_large_is_refused(packed: bytes) -> None:
    with pytest.raises(MalformedRecording):
        read_segment(packed)


def test_a_manifest_survives_and_is_the_same_bytes() -> None:
    manifest, _ = recorded(10)
    text = dump_manifest(manifest)
    assert load_manifest(text) == manifest
    assert dump_manifest(load_manifest(text)) == text
    assert manifest.chunks == 10
    assert segment_name(3) == "000003.jsonl.gz"


@pytest.mark.parametrize(
    "damage",
    [
        {"version": 2},
        {"session": 1},
        {"started": -1},
        {"sides": {}},
        {"segments": [["n", "x", 0, 0, ""]]},
        {"segments": [["n", "00" * 31, 0, 0, ""]]},
        {"segments": [["n", "00" * 32, 0, 1, "AAAA"]]},
        {"segments": [[]]},
        {"owner": "x" * 1000},
        {"code": None},
    ],
)
def test_a_damaged_manifest_is_refused(damage: dict[str, object]) -> None:
    document = json.loads(dump_manifest(EMPTY)) | damage
    with pytest.raises(MalformedRecording):
        load_manifest(json.dumps(document).encode())


def test_what_is_no_manifest_is_refused() -> None:
    for text in (b"", b"[]", b"{}", b" " * (evidence.MAX_MANIFEST + 1)):
        with pytest.raises(MalformedRecording):
            load_manifest(text)


def test_a_start_that_only_the_audit_trail_tells_of_is_found() -> None:
    (found,) = started(["ann-1", "bob-1"], ["bob-1", "cyd-1"])
    assert found.fault is Fault.UNKNOWN_START
    assert found.text.startswith("ann-1 was started")
    assert started([], ["bob-1"]) == []
