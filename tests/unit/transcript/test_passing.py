"""From what the relay stored to the archive and back: any cut into runs, and every failure."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from awscrt.crypto import EC

from hatchway.core import documents
from hatchway.core.errors import InternalServerError, MalformedRecording
from hatchway.core.lifecycle import Status
from hatchway.core.names import Owner
from hatchway.core.recording import Passed, dump
from hatchway.core.transcript.chunks import Chunk, Kind, Side
from hatchway.core.transcript.evidence import Code, read_segment
from hatchway.core.transcript.hidden import EchoReport, Stretch, pack_report
from hatchway.core.transcript.recorder import Redaction
from hatchway.core.transcript.verifying import Verification, follows
from lambdas.ledger import MANIFEST, Kept, Ledger, Progress, prefix_of, read_kept, read_signed
from lambdas.memory.archive import MemoryArchive, MemoryPassedLog, MemorySigner
from lambdas.memory.clock import ManualClock
from lambdas.memory.recordings import MemoryRecordings
from lambdas.passing import (
    MAX_READ,
    OVERLAP,
    PATIENCE,
    UNREADABLE,
    ReadOn,
    read_on,
    redaction_of,
)
from lambdas.ports import Session
from tests.unit.transcript.frames import ANN, AT, offer, output, report, size, typed

ID = "ann-0123456789abcdef0"
SESSION = Session(
    session_id=ID,
    target="i-0123456789abcdef0",
    owner=Owner("123456789012", "AIDA1"),
    owner_arn="arn:aws:iam::123456789012:user/ann",
    status=Status.CONNECTED,
    started=AT / 1000,
    document_name="SSM-SessionManagerRunShell",
    document="{}",
)


class World:
    def __init__(self, page: int = 3) -> None:
        self.recordings = MemoryRecordings()
        self.log = MemoryPassedLog(self.recordings, page)
        self.archive, self.signer = MemoryArchive(), MemorySigner()
        self.clock = ManualClock(AT / 1000)
        code = Code(function="archive", version="$LATEST", digest="sha")
        self.ledger = Ledger(self.archive, self.signer, self.clock, "test", code)

    def passed(self, at: int, *frames: bytes, side: Side = Side.NODE, note: str = "") -> None:
        event = Passed(side=side, generation=1, frames=frames, note=note, mark=note)
        self.recordings.append(ID, dump(event), AT + at)

    def read(self, progress: Progress = Progress(), **how: object) -> ReadOn:  # noqa: B008
        redaction = how.pop("redaction", Redaction())
        until = how.pop("until", AT + 10_000_000)
        return read_on(self.log, ID, redaction, progress, until=until, **how)  # type: ignore[arg-type]

    def stored(self) -> list[list[bytes]]:
        kept = read_kept(self.archive, prefix_of(ID, SESSION.started))
        assert kept.signed is not None
        names = [segment.name for segment in kept.signed.manifest.segments]
        prefix = prefix_of(ID, SESSION.started)
        return [read_segment(self.archive.objects[prefix + name]) for name in names]


def data(chunks: tuple[Chunk, ...]) -> bytes:
    return b"".join(c.data for c in chunks if c.kind in (Kind.OUTPUT, Kind.INPUT))


def test_runs_give_each_chunk_once_though_they_read_what_was_read_again() -> None:
    world = World()
    world.passed(0, offer(), output(1, b"a"))
    world.passed(1, output(2, b"b"))
    first = world.read()
    world.passed(2, output(3, b"c"))
    second = world.read(first.progress)
    assert data(first.chunks) + data(second.chunks) == b"abc"
    assert [c.index for c in (*first.chunks, *second.chunks)] == [0, 1, 2, 3]
    assert world.read(second.progress).chunks == ()


def test_an_event_that_shows_itself_late_is_still_read() -> None:
    world = World()
    world.passed(5000, output(0, b"a"))
    first = world.read()
    world.passed(5000 - OVERLAP, output(1, b"b"))
    assert data(world.read(first.progress).chunks) == b"b"


def test_what_waits_for_an_earlier_message_is_read_again_in_the_next_run() -> None:
    world = World()
    world.passed(0, output(0, b"a"))
    world.passed(10, output(2, b"c"))
    first = world.read()
    assert data(first.chunks) == b"a"
    world.passed(20, output(1, b"b"))
    assert data(world.read(first.progress).chunks) == b"bc"


def test_what_has_waited_too_long_is_let_go_and_the_next_run_begins_there() -> None:
    world = World()
    world.passed(0, typed(0, b"x"), side=Side.CLIENT)
    world.passed(PATIENCE + 1, typed(1, b"y"), side=Side.CLIENT)
    found = world.read()
    assert [c.kind for c in found.chunks] == [Kind.MARKER, Kind.MARKER]
    assert found.progress.since == AT + PATIENCE + 1


def test_a_session_that_is_over_waits_for_nothing() -> None:
    world = World()
    world.passed(0, output(0, b"a"), output(2, b"c"))
    assert data(world.read().chunks) == b""
    found = world.read(final=True)
    assert [c.kind for c in found.chunks] == [Kind.OUTPUT, Kind.GAP, Kind.OUTPUT]


def test_a_live_look_shows_what_is_there() -> None:
    world = World()
    world.passed(0, output(0, b"prompt $ "))
    found = world.read(live=True, redaction=Redaction(patterns=("secret",)))
    assert data(found.chunks) == b"prompt $ "


def test_events_from_until_on_are_left_for_later() -> None:
    world = World()
    world.passed(0, output(0, b"a"))
    world.passed(10, output(1, b"b"))
    assert data(world.read(until=AT + 10).chunks) == b"a"


def test_one_run_reads_so_much_and_says_that_there_is_more() -> None:
    world = World(page=100)
    big = [output(n, bytes(20_000)) for n in range(4)]
    count = MAX_READ // len(dump(Passed(side=Side.NODE, generation=1, frames=big))) + 2
    for n in range(count):
        frames = [output(4 * n + m, bytes(20_000)) for m in range(4)]
        world.passed(n, *frames)
    first = world.read(final=True)
    assert first.more
    rest = world.read(first.progress, final=True)
    assert not rest.more
    assert len(first.chunks) + len(rest.chunks) == 4 * count


def test_a_mismatch_is_told_with_its_content() -> None:
    world = World()
    world.passed(0, output(0, b"true"))
    world.passed(1, output(0, b"false"))
    (mismatch,) = world.read().mismatches
    assert mismatch.data == b"false"


def test_the_services_marks_are_told_once_and_rubbish_is_counted_and_told() -> None:
    world = World()
    world.passed(0, note="no more is recorded")
    world.passed(0, note="no more is recorded")
    world.recordings.append(ID, "rubbish", AT + 1)
    found = world.read()
    assert [c.note for c in found.chunks] == ["no more is recorded", UNREADABLE]
    assert world.read(found.progress).chunks == ()
    assert found.counts["malformed"] == 1


def test_a_password_that_was_typed_is_not_in_the_archive() -> None:
    world = World()
    echo = EchoReport(str(ANN), (Stretch(0, 3, True), Stretch(3, 11, False)))
    world.passed(0, size(0, 80, 24), typed(1, b"su\r"), side=Side.CLIENT)
    world.passed(1, typed(2, b"hunter2\r"), side=Side.CLIENT)
    world.passed(2, output(0, b"Password: "), report(pack_report(echo)))
    found = world.read(final=True)
    kept = world.ledger.keep(SESSION, Kept(), found.chunks, found.progress, final=True)
    everything = b"".join(line for lines in world.stored() for line in lines)
    assert b"8 bytes withheld" in everything
    assert data(found.chunks) == b"Password: su\r"
    assert kept.final


def test_a_document_says_what_is_withheld() -> None:
    asked = {"recordInput": True, "recordHiddenInput": True, "maskPatterns": ["AKIA[0-9A-Z]{16}"]}
    document = documents_with(asked)
    found = redaction_of(replace(SESSION, document=document))
    assert found == Redaction(typed=True, record_hidden=True, patterns=("AKIA[0-9A-Z]{16}",))
    assert redaction_of(replace(SESSION, document=documents_with({}))) == Redaction(typed=False)


def documents_with(hatchway: dict[str, object]) -> str:
    parsed = documents.parse(
        {
            "schemaVersion": "1.0",
            "description": "test",
            "sessionType": "Standard_Stream",
            "inputs": {
                "s3EncryptionEnabled": False,
                "cloudWatchEncryptionEnabled": False,
                "cloudWatchStreamingEnabled": False,
                "runAsEnabled": False,
                "hatchway": hatchway,
            },
        }
    )
    return documents.resolved_text(documents.fill(parsed, {}))


# --- the ledger ---------------------------------------------------------------------------------


def chunks(first: int, count: int) -> tuple[Chunk, ...]:
    return tuple(
        Chunk(
            index=n,
            at=AT + n,
            side=Side.NODE,
            generation=1,
            sequence=n,
            kind=Kind.OUTPUT,
            data=b"line %d\n" % n,
            digest="d",
        )
        for n in range(first, first + count)
    )


def verified(world: World) -> bool:
    signed = read_signed(world.archive, prefix_of(ID, SESSION.started))
    assert signed is not None
    verification = Verification(signed.manifest)
    for lines in world.stored():
        verification.check(lines)
    return verification.finish() == []


def test_each_checkpoint_is_signed_and_continues_the_one_before() -> None:
    world = World()
    first = world.ledger.keep(SESSION, Kept(), chunks(0, 3), Progress(since=1))
    second = world.ledger.keep(SESSION, first, chunks(3, 2), Progress(since=2), final=True)
    assert first.signed is not None
    assert second.signed is not None
    manifest = second.signed.manifest
    assert (manifest.checkpoint, manifest.chunks, manifest.final) == (1, 5, True)
    assert follows(manifest, first.signed.manifest, first.signed.text) == []
    assert verified(world)
    assert world.ledger.kept(SESSION) == second


def test_the_signature_is_of_the_manifests_bytes_by_the_named_key() -> None:
    world = World()
    signed = world.ledger.keep(SESSION, Kept(), chunks(0, 1), Progress()).signed
    assert signed is not None
    key = EC.new_key_from_der_data(world.signer.public_key(signed.signature.key))
    assert key.verify(hashlib.sha256(signed.text).digest(), signed.signature.value)
    assert not key.verify(hashlib.sha256(signed.text + b" ").digest(), signed.signature.value)


@pytest.mark.parametrize("puts", [0, 1, 2])
def test_a_run_that_fails_on_the_way_is_repeated_from_where_it_began(
    puts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World()
    before = world.ledger.keep(SESSION, Kept(), chunks(0, 3), Progress(since=1))
    real, left = world.archive.put, [puts]

    def put(name: str, data: bytes) -> None:
        if not left[0]:
            raise InternalServerError
        left[0] -= 1
        real(name, data)

    world.archive.put = put  # type: ignore[method-assign]
    with pytest.raises(InternalServerError):
        world.ledger.keep(SESSION, before, chunks(3, 2), Progress(since=2))
    world.archive.put = real  # type: ignore[method-assign]
    assert world.ledger.kept(SESSION) == before
    assert verified(world)
    world.ledger.keep(SESSION, before, chunks(3, 4), Progress(since=3))
    assert verified(world)


def test_a_session_without_checkpoint_has_nothing() -> None:
    world = World()
    assert world.ledger.kept(SESSION) == Kept()
    assert not Kept().final


def test_objects_stand_by_the_day_of_the_start() -> None:
    assert prefix_of(ID, 1_700_000_000.0) == f"recordings/2023/11/14/{ID}/"


@pytest.mark.parametrize("damaged", [b"", b"{}", b"[]", b'{"version": 2}'])
def test_a_damaged_manifest_or_state_is_refused(damaged: bytes) -> None:
    world = World()
    world.ledger.keep(SESSION, Kept(), chunks(0, 1), Progress())
    prefix = prefix_of(ID, SESSION.started)
    state = world.archive.objects.pop(prefix + "state-000000.json")
    with pytest.raises(MalformedRecording):
        world.ledger.kept(SESSION)
    world.archive.put(prefix + "state-000000.json", damaged)
    with pytest.raises(MalformedRecording):
        world.ledger.kept(SESSION)
    world.archive.put(prefix + "state-000000.json", state)
    world.archive.put(prefix + MANIFEST, damaged)
    with pytest.raises(MalformedRecording):
        world.ledger.kept(SESSION)
