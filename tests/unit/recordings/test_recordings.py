"""Who may read a recording, what is read, and that the SDK checks it itself."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hatchway.core import api
from hatchway.core.errors import (
    AccessDeniedException,
    DoesNotExistException,
    InvalidNextToken,
    ValidationException,
)
from hatchway.core.lifecycle import Status
from hatchway.core.shapes import Operation
from hatchway.core.transcript.chunks import Kind
from hatchway.core.transcript.evidence import read_segment
from hatchway.core.transcript.verifying import FINAL_WITHIN, Fault
from lambdas import trail
from lambdas.memory.archive import MemorySigner
from lambdas.ports import Session
from lambdas.recordings import searching
from tests.unit.recordings.world import READ, Recorded
from tests.unit.sessions.world import ACCOUNT, NODE, REGION, Person, allow, deny


@pytest.fixture
def recorded() -> Recorded:
    return Recorded()


@pytest.fixture
def session(recorded: Recorded) -> Session:
    return recorded.world.connected(recorded.ann)


def ended(recorded: Recorded, session: Session) -> Session:
    read = recorded.world.session(session.session_id)
    return recorded.world.sessions.update(
        read, replace(read, status=Status.TERMINATED, ended=recorded.world.clock())
    )


def printed(recorded: Recorded, session: Session, *, follow: bool = False) -> bytes:
    chunks = recorded.reader(recorded.ann).chunks(session.session_id, follow=follow)
    return b"".join(c.data for c in chunks if c.kind is Kind.OUTPUT)


# --- reading ------------------------------------------------------------------------------------


def test_a_recording_is_read_whole_whether_archived_or_not(
    recorded: Recorded, session: Session
) -> None:
    recorded.prints(session, b"one ", b"two ")
    recorded.keep(session)
    recorded.prints(session, b"three ")
    recorded.keep(session)
    recorded.prints(session, b"four ")
    assert printed(recorded, session) == b"one two three four "


def test_a_session_that_has_no_checkpoint_yet_is_read_from_what_passed(
    recorded: Recorded, session: Session
) -> None:
    recorded.prints(session, b"one ")
    assert printed(recorded, session) == b"one "


def test_following_ends_when_the_recording_is_final(recorded: Recorded, session: Session) -> None:
    recorded.prints(session, b"one ")
    follower = recorded.reader(recorded.ann).chunks(session.session_id, follow=True)
    assert next(follower).data == b"one "
    recorded.prints(session, b"two ")
    recorded.keep(session)
    assert next(follower).data == b"two "
    recorded.prints(session, b"three ")
    recorded.keep(ended(recorded, session), final=True)
    assert [chunk.data for chunk in follower] == [b"three "]


def test_an_index_within_a_segment_begins_there(recorded: Recorded, session: Session) -> None:
    recorded.prints(session, b"a", b"b", b"c")
    recorded.keep(session)
    page = recorded.call(
        recorded.ann,
        api.GET_SESSION_RECORDING,
        {"SessionId": session.session_id, "Index": 1},
    )
    assert [json.loads(line)["i"] for line in page["Lines"]] == [1, 2]
    assert (page["Index"], page["NextIndex"], page["Segment"]) == (1, 3, "000000.jsonl.gz")


def test_what_passed_this_moment_waits_for_what_passed_before_it(
    recorded: Recorded, session: Session
) -> None:
    recorded.prints(session, b"now", seconds=0.0)
    assert printed(recorded, session) == b""


def test_a_missing_segment_is_said_and_the_rest_is_read(
    recorded: Recorded, session: Session
) -> None:
    recorded.prints(session, b"one ")
    recorded.keep(session)
    recorded.prints(session, b"two ")
    recorded.keep(ended(recorded, session), final=True)
    del recorded.archive.objects[recorded.stored(session) + "000000.jsonl.gz"]
    pages = list(recorded.reader(recorded.ann).pages(session.session_id))
    assert [page.missing for page in pages] == [True, False]
    assert printed(recorded, session) == b"two "


def test_a_forgotten_session_is_found_by_its_day(recorded: Recorded, session: Session) -> None:
    recorded.prints(session, b"one ")
    recorded.keep(ended(recorded, session), final=True)
    recorded.world.clock.advance(31 * 24 * 3600)
    reader = recorded.reader(recorded.ann)
    with pytest.raises(DoesNotExistException):
        list(reader.pages(session.session_id))
    day = "/".join(recorded.stored(session).split("/")[1:4]).replace("/", "-")
    assert reader.verify(session.session_id, day=day).findings == []


def test_a_day_lists_its_recordings(recorded: Recorded, session: Session) -> None:
    recorded.prints(session, b"one ")
    recorded.keep(session)
    day = "/".join(recorded.stored(session).split("/")[1:4]).replace("/", "-")
    reader = recorded.reader(recorded.ann)
    assert list(reader.recorded(day)) == [session.session_id]
    assert list(reader.recorded("2001-01-01")) == []
    with pytest.raises(ValidationException):
        list(reader.recorded("2001-13-01"))


# --- who may ------------------------------------------------------------------------------------


def arn(session: Session) -> str:
    return f"arn:aws:ssm:{REGION}:{ACCOUNT}:session/{session.session_id}"


def may(recorded: Recorded, person: Person, session: Session) -> bool:
    try:
        list(recorded.reader(person).pages(session.session_id))
    except AccessDeniedException:
        return False
    return True


def test_nobody_reads_without_the_action_not_even_the_owner(
    recorded: Recorded, session: Session
) -> None:
    bob = recorded.world.user("bob", allow("ssm:StartSession", "ssm:DescribeSessions"))
    own = recorded.world.started(bob)
    assert not may(recorded, bob, own)
    assert not may(recorded, bob, session)


def test_a_policy_may_name_the_session_its_node_or_the_nodes_tags(
    recorded: Recorded, session: Session
) -> None:
    world = recorded.world
    target = {"StringEquals": {"ssm:resourceTag/aws:ssmmessages:target-id": NODE}}
    team = {"StringEquals": {"ssm:resourceTag/team": "web"}}
    other = {"StringEquals": {"ssm:resourceTag/team": "db"}}
    assert may(recorded, world.user("a", allow(READ, on=arn(session))), session)
    assert may(recorded, world.user("b", allow(READ, Condition=target)), session)
    assert may(recorded, world.user("c", allow(READ, Condition=team)), session)
    assert not may(recorded, world.user("d", allow(READ, Condition=other)), session)
    assert not may(recorded, world.user("e", allow(READ, on=arn(session)[:-1] + "?x")), session)


def test_own_sessions_by_name_are_ones_own_alone(recorded: Recorded, session: Session) -> None:
    mine = f"arn:aws:ssm:{REGION}:{ACCOUNT}:session/${{aws:username}}-*"
    an = recorded.world.user(
        "an", allow(READ, on=mine), allow("ssm:StartSession"), allow("ssm:DescribeSessions")
    )
    assert may(recorded, an, recorded.world.started(an))
    assert not may(recorded, an, session)


def test_of_a_node_that_ec2_forgot_what_hangs_on_its_tags_is_denied(
    recorded: Recorded, session: Session
) -> None:
    world = recorded.world
    prod = {"StringEquals": {"ssm:resourceTag/env": "prod"}}
    careful = world.user("careful", allow(READ), deny(READ, Condition=prod))
    plain = world.user("plain", allow(READ))
    assert may(recorded, careful, session)
    del world.instances.instances[NODE]
    assert not may(recorded, careful, session)
    assert may(recorded, plain, session)


@pytest.mark.parametrize(
    "operation",
    [api.GET_SESSION_RECORDING, api.GET_RECORDING_MANIFEST, api.SEARCH_SESSION_RECORDING],
)
def test_whether_there_is_a_session_is_told_to_those_alone_who_may_read_it(
    recorded: Recorded, operation: Operation
) -> None:
    unknown = {"SessionId": "nobody-0123456789abcdef0"}
    if operation is api.SEARCH_SESSION_RECORDING:
        unknown["Text"] = "x"
    with pytest.raises(AccessDeniedException):
        recorded.call(recorded.world.user("bob"), operation, unknown)
    with pytest.raises(DoesNotExistException):
        recorded.call(recorded.ann, operation, unknown)


def test_listing_a_day_asks_for_describing_sessions(recorded: Recorded) -> None:
    with pytest.raises(AccessDeniedException):
        list(recorded.reader(recorded.world.user("bob", allow(READ))).recorded("2026-11-22"))


# --- searching ----------------------------------------------------------------------------------


def test_a_search_gives_line_and_second_over_archive_and_what_passed(
    recorded: Recorded, session: Session
) -> None:
    recorded.prints(session, b"$ ls\r\n", b"notes\r\n")
    recorded.keep(session)
    recorded.prints(session, b"$ cat notes\r\n")
    matches = list(recorded.reader(recorded.ann).search(session.session_id, "notes"))
    assert [(m.line, m.second) for m in matches] == [(2, 1.0), (3, 2.0)]


def test_a_search_goes_on_where_its_time_ended(
    recorded: Recorded, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(5):
        recorded.prints(session, b"match %d\r\n" % n)
        recorded.keep(session)
    monkeypatch.setattr(searching, "BUDGET", 0.0)  # each segment is a call of its own
    matches = list(recorded.reader(recorded.ann).search(session.session_id, "match"))
    assert [(m.line, m.second, m.text) for m in matches] == [
        (n + 1, float(n), f"match {n}") for n in range(5)
    ]


@pytest.mark.parametrize("token", ["x", "1.2", "1.2.x", "-1.0.0", "²³.0.0"])
def test_a_token_of_another_search_is_refused(
    recorded: Recorded, session: Session, token: str
) -> None:
    asked = {"SessionId": session.session_id, "Text": "x", "NextToken": token}
    with pytest.raises(InvalidNextToken):
        recorded.call(recorded.ann, api.SEARCH_SESSION_RECORDING, asked)


def test_many_recordings_are_searched_and_one_that_may_not_be_read_ends_nothing(
    recorded: Recorded, session: Session
) -> None:
    other = recorded.world.started(recorded.ann)
    recorded.prints(session, b"needle\r\n")
    recorded.prints(other, b"needle\r\n")
    bob = recorded.world.user("bob", allow(READ, on=arn(other)))
    sessions = [session.session_id, other.session_id]
    refused, found = recorded.reader(bob).search_all(sessions, "needle")
    assert refused.error is not None
    assert refused.error.code == "AccessDeniedException"
    assert found.match is not None
    assert found.session_id == other.session_id


# --- checking -----------------------------------------------------------------------------------


def complete(recorded: Recorded, session: Session) -> str:
    """A recording of three segments that is over; where it is."""
    for n in range(3):
        recorded.prints(session, b"line %d\r\n" % (2 * n), b"line %d\r\n" % (2 * n + 1))
        recorded.keep(session if n < 2 else ended(recorded, session), final=n == 2)
    return recorded.stored(session)


def faults(recorded: Recorded, session: Session) -> list[tuple[Fault, int]]:
    found = recorded.reader(recorded.ann).verify(session.session_id)
    return [(f.fault, f.chunk) for f in found.findings]


def rewrite(recorded: Recorded, name: str, change: Callable[[list[bytes]], list[bytes]]) -> None:
    lines = read_segment(recorded.archive.objects[name])
    data = "".join(line.decode() + "\n" for line in change(lines)).encode()
    recorded.archive.objects[name] = gzip.compress(data)


def test_an_untouched_recording_is_verified_with_the_code_that_wrote_it(
    recorded: Recorded, session: Session
) -> None:
    complete(recorded, session)
    verified = recorded.reader(recorded.ann).verify(session.session_id)
    assert verified.findings == []
    assert verified.members()["WrittenBy"] == "sha"


def test_a_changed_chunk_is_named_by_the_client_itself(
    recorded: Recorded, session: Session
) -> None:
    prefix = complete(recorded, session)
    rewrite(
        recorded,
        prefix + "000001.jsonl.gz",
        lambda lines: [lines[0], lines[1].replace(b'"gen":1', b'"gen":2')],
    )
    assert faults(recorded, session) == [(Fault.CHANGED, 3)]


def test_removed_reordered_and_lost_parts_are_named(recorded: Recorded, session: Session) -> None:
    prefix = complete(recorded, session)
    kept = dict(recorded.archive.objects)
    rewrite(recorded, prefix + "000001.jsonl.gz", lambda lines: lines[1:])
    assert faults(recorded, session) == [(Fault.REMOVED, 2)]
    recorded.archive.objects = dict(kept)
    rewrite(recorded, prefix + "000001.jsonl.gz", lambda lines: lines[::-1])
    assert faults(recorded, session) == [(Fault.REORDERED, 2)]
    recorded.archive.objects = dict(kept)
    del recorded.archive.objects[prefix + "000002.jsonl.gz"]
    assert faults(recorded, session) == [(Fault.SEGMENT_MISSING, 4)]
    recorded.archive.objects = dict(kept)
    recorded.archive.objects[prefix + "000000.jsonl.gz"] = b"rubbish"
    assert faults(recorded, session) == [(Fault.SEGMENT_MISSING, 0)]


def test_a_manifest_that_was_changed_or_signed_by_another_key_is_found(
    recorded: Recorded, session: Session
) -> None:
    prefix = complete(recorded, session)
    document = json.loads(recorded.archive.objects[prefix + "manifest.json"])
    text = base64.b64decode(document["manifest"]).replace(b'"final":true', b'"final":false')
    document["manifest"] = base64.b64encode(text).decode()
    recorded.archive.objects[prefix + "manifest.json"] = json.dumps(document).encode()
    assert faults(recorded, session) == [(Fault.SIGNATURE, -1)]


def test_whoever_has_the_key_by_other_means_needs_not_trust_the_service_s(
    recorded: Recorded, session: Session
) -> None:
    complete(recorded, session)
    reader = recorded.reader(recorded.ann)
    key = recorded.signer.public_key("arn:aws:kms:us-east-1:123456789012:key/signing")
    assert reader.verify(session.session_id, key=key).findings == []
    other = MemorySigner().public_key("arn:aws:kms:us-east-1:123456789012:key/signing")
    for wrong in (other, b"rubbish"):
        (finding,) = reader.verify(session.session_id, key=wrong).findings
        assert finding.fault is Fault.SIGNATURE


def test_an_older_manifest_put_back_shows_as_a_missing_tail(
    recorded: Recorded, session: Session
) -> None:
    recorded.prints(session, b"one ")
    recorded.keep(session)
    prefix = recorded.stored(session)
    old = recorded.archive.objects[prefix + "manifest.json"]
    recorded.prints(session, b"two ")
    recorded.keep(ended(recorded, session), final=True)
    recorded.archive.objects[prefix + "manifest.json"] = old
    recorded.world.clock.advance(FINAL_WITHIN + 1)
    (verified,) = recorded.reader(recorded.ann).verify_all_of(recorded.records())
    assert [f.fault for f in verified.findings] == [Fault.NOT_FINAL]


def test_a_session_whose_recording_is_gone_is_named_among_all(
    recorded: Recorded, session: Session
) -> None:
    complete(recorded, session)
    other = recorded.world.started(recorded.ann)
    recorded.prints(other, b"x")
    recorded.keep(ended(recorded, other), final=True)
    gone = recorded.stored(other)
    for name in [n for n in recorded.archive.objects if n.startswith(gone)]:
        del recorded.archive.objects[name]
    recorded.world.clock.advance(FINAL_WITHIN + 1)
    found = recorded.reader(recorded.ann).verify_all_of(recorded.records())
    by_session = {v.session_id: [f.fault for f in v.findings] for v in found}
    assert by_session == {session.session_id: [], other.session_id: [Fault.NO_MANIFEST]}


def test_all_names_recordings_that_no_session_stands_for(
    recorded: Recorded, session: Session
) -> None:
    complete(recorded, session)
    stranger = recorded.stored(session).replace("ann-", "eve-")
    recorded.archive.objects[stranger + "000000.jsonl.gz"] = b"x"
    found = recorded.reader(recorded.ann).verify_all(recorded.records())
    assert [f.fault for v in found for f in v.findings] == [Fault.UNKNOWN_SESSION]
    assert found[-1].session_id.startswith("eve-")


def test_all_names_starts_of_which_nothing_is_left(recorded: Recorded, session: Session) -> None:
    complete(recorded, session)
    started = [session.session_id, "eve-0123456789abcdef0"]
    found = recorded.reader(recorded.ann).verify_all(recorded.records(), started=started)
    assert [f.fault for v in found for f in v.findings] == [Fault.UNKNOWN_START]
    assert found[-1].session_id == "eve-0123456789abcdef0"


def test_another_sessions_manifest_in_its_place_is_found(
    recorded: Recorded, session: Session
) -> None:
    prefix = complete(recorded, session)
    other = recorded.world.started(recorded.ann)
    recorded.prints(other, b"x")
    recorded.keep(other)
    taken = recorded.archive.objects[recorded.stored(other) + "manifest.json"]
    recorded.archive.objects[prefix + "manifest.json"] = taken
    assert faults(recorded, session) == [(Fault.MANIFEST, -1)]


# --- the trail ----------------------------------------------------------------------------------


def records(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    found = [trail.record_in(line) for line in capsys.readouterr().out.splitlines()]
    return [dict(record) for record in found if record is not None]


def test_each_reading_is_in_the_trail_with_who_and_which_and_nothing_of_what_was_read(
    recorded: Recorded, session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    recorded.prints(session, b"what-was-printed ")
    capsys.readouterr()
    assert printed(recorded, session) == b"what-was-printed "
    found = records(capsys)
    assert found  # a record of each page that was asked for
    encoded = base64.b64encode(b"what-was-printed ").decode()
    for record in found:
        assert record["eventName"] == "GetSessionRecording"
        assert record["userIdentity"]["arn"] == recorded.ann.arn
        assert record["requestParameters"]["sessionId"] == session.session_id
        assert "errorCode" not in record
        assert encoded not in json.dumps(record)


def test_a_reading_that_was_refused_is_in_the_trail_too(
    recorded: Recorded, session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    mallory = recorded.world.user("mallory", allow("ssm:StartSession"))
    with pytest.raises(AccessDeniedException):
        list(recorded.reader(mallory).chunks(session.session_id))
    (record,) = records(capsys)
    assert (record["eventName"], record["errorCode"]) == (
        "GetSessionRecording",
        "AccessDeniedException",
    )
    assert record["userIdentity"]["arn"] == mallory.arn
