"""Somebody changes what the archive goes on from: it is told, and nothing is signed on top."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from hatchway.core.errors import InternalServerError, MalformedRecording
from hatchway.core.transcript.chunks import Kind
from hatchway.core.transcript.stated import Stated
from lambdas.archive.following import PLACE
from lambdas.archive.telling import INCOMPLETE
from lambdas.ledger import MANIFEST
from lambdas.memory.archive import MemorySigner
from lambdas.ports import Why
from tests.unit.archive.world import GROUP, World
from tests.unit.edge.world import SESSION

STATE = "state-000000.json"


@pytest.fixture
def world() -> World:
    """A session with one checkpoint, and something new."""
    made = World()
    made.begin()
    made.print(b"one")
    made.clock.advance(120)
    made.look()
    made.print(b"two")
    made.clock.advance(120)
    return made


def name_of(world: World, ending: str) -> str:
    return next(name for name in world.bucket.objects if name.endswith(ending))


def changed_state(world: World) -> None:
    """The message that is to come is taken for one that came."""
    name = name_of(world, STATE)
    document = json.loads(world.bucket.objects[name])
    document["state"]["node"]["expected"] = 2
    world.bucket.objects[name] = json.dumps(document).encode()


def no_state(world: World) -> None:
    del world.bucket.objects[name_of(world, STATE)]


def changed_manifest(world: World) -> None:
    name = name_of(world, MANIFEST)
    document = json.loads(world.bucket.objects[name])
    text = base64.b64decode(document["manifest"]).replace(b'"chunks":1', b'"chunks":0')
    document["manifest"] = base64.b64encode(text).decode()
    world.bucket.objects[name] = json.dumps(document).encode()


def changed_signature(world: World) -> None:
    name = name_of(world, MANIFEST)
    document = json.loads(world.bucket.objects[name])
    document["signature"] = base64.b64encode(b"none of ours").decode()
    world.bucket.objects[name] = json.dumps(document).encode()


def signed_by_another(world: World) -> None:
    """A whole checkpoint, made as the archive makes them, with a key of somebody else's."""
    ledger = replace(world.ledger, signer=MemorySigner())
    ledger.keep(world.session, world.kept, (), world.kept.progress)


@pytest.mark.parametrize(
    "tamper",
    [changed_state, no_state, changed_manifest, changed_signature, signed_by_another],
)
def test_what_the_archive_has_not_signed_is_not_gone_on_from(
    world: World, tamper: Callable[[World], None]
) -> None:
    before = dict(world.bucket.objects)
    tamper(world)
    tampered = dict(world.bucket.objects)
    world.look()
    assert world.bucket.objects == tampered
    [(kind, detail, _)] = world.bus.events
    assert (kind, detail["destination"], detail["errorCode"]) == (
        "Recording Failed",
        "archive",
        "MalformedRecording",
    )
    assert world.counted == ["RecordingFailed"]
    world.bucket.objects.update(before)  # S3 keeps each version
    world.look()
    assert world.shown == b"onetwo"


def test_another_sessions_recording_in_its_place_is_not_gone_on_from(world: World) -> None:
    first = world.kept
    assert first.signed is not None
    stranger = replace(first.signed.manifest, session=f"{SESSION[:-1]}9")
    signed = world.ledger._sign(stranger)  # as it stands there, signed by the archive
    document = {
        "version": 1,
        "manifest": base64.b64encode(signed.text).decode(),
        "signature": base64.b64encode(signed.signature.value).decode(),
        "algorithm": signed.signature.algorithm,
        "key": signed.signature.key,
    }
    world.bucket.objects[name_of(world, MANIFEST)] = json.dumps(document).encode()
    tampered = dict(world.bucket.objects)
    world.look()
    assert world.bucket.objects == tampered
    assert world.told == ["Recording Failed"]


def test_looks_at_a_session_that_runs_are_done_and_tell_it_once_an_hour(world: World) -> None:
    changed_signature(world)
    for _ in range(118):  # two a minute
        assert world.look()
        world.clock.advance(30)
    assert world.told == ["Recording Failed"]
    assert world.counted == ["RecordingFailed"]
    assert world.line.fields["code"] == "MalformedRecording"
    world.clock.advance(61)
    assert world.look()
    assert world.told == ["Recording Failed"] * 2


def test_the_look_at_its_end_comes_again_and_is_told_no_more_often(world: World) -> None:
    changed_signature(world)
    world.look()
    world.end()
    for _ in range(4):
        with pytest.raises(MalformedRecording):
            world.look(Why.ENDED)
        world.clock.advance(60)
    assert world.told == ["Recording Failed"]


def test_where_the_bus_fails_the_next_look_tells_it(world: World) -> None:
    changed_signature(world)
    world.bus.failure = InternalServerError()
    with pytest.raises(InternalServerError):
        world.look()
    world.bus.failure = None
    world.look()
    assert world.told == ["Recording Failed"]


def test_one_sessions_alarm_keeps_no_others_back(world: World) -> None:
    changed_signature(world)
    with world.leases.once("another/archive", 3600.0):
        world.look()
    assert world.told == ["Recording Failed"]


def test_a_place_at_the_destinations_that_is_none_is_told_as_rarely() -> None:
    world = World()
    world.begin(cloudWatchLogGroupName=GROUP, cloudWatchStreamingEnabled=True)
    world.print(b"one")
    world.look()
    world.bucket.objects[name_of(world, PLACE)] = b"none of ours"
    for _ in range(3):
        assert world.look()
    assert world.told == ["Recording Failed"]


def test_a_session_that_must_be_recorded_ends_where_its_recording_was_tampered_with() -> None:
    world = World()
    world.begin({"recordingRequired": True})
    world.print(b"one")
    world.clock.advance(120)
    world.look()
    changed_signature(world)
    world.look()
    assert world.session.end_reason == "recording failed"


def test_what_passed_and_was_deleted_before_a_checkpoint_is_a_gap_and_told(world: World) -> None:
    """Who deletes the stream takes what no checkpoint has: the node's own count shows it."""
    world.recordings.streams[SESSION].clear()
    world.end(stated=Stated(sent=2))
    world.look(Why.ENDED)
    world.look(Why.LATE)
    assert [chunk.kind for chunk in world.chunks] == [Kind.OUTPUT, Kind.GAP]
    failed = [detail for kind, detail, _ in world.bus.events if kind == "Recording Failed"]
    assert [detail["errorCode"] for detail in failed] == [INCOMPLETE]
