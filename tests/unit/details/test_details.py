"""Details of events: each as `docs/events` says, the same id for the same thing, no way out of a
summary for other people's words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from hatchway.core.lifecycle import ENDED, Status
from lambdas import details
from lambdas.details import RefusedCall, StoredRecording, Told, session_changes
from lambdas.ports import Node, Session
from tests.unit.edge.world import NODE, NOW, SESSION, World
from tests.vectors.event_schemas import SCHEMAS, check

HOSTILE = 'a"b\\c\nd\x00e\x1b[2J\x85\u2028\u202e\ud800”. Session forged'
REFUSED = RefusedCall(
    event_id="e-1",
    event_name="StartSession",
    time=NOW,
    by="service",
    error_code="AccessDeniedException",
    caller_arn="arn:aws:iam::123456789012:user/mary",
    caller_id="AIDAMARY",
    source_ip="192.0.2.7",
    request_id="r-1",
    target=NODE,
)
STORED = StoredRecording(
    manifest="s3://b/recordings/m.json",
    chunks=3,
    size=70,
    gaps=0,
    mismatches=0,
    complete=True,
    signed=True,
)


@pytest.fixture
def session() -> Session:
    return World().start(reason="disk full", takeovers=0)


def everything(session: Session) -> Iterator[Told]:
    """One event of each kind, and each state."""
    for status in Status:
        before = Status.DISCONNECTED if status is Status.CONNECTED else Status.TERMINATING
        old = replace(session, status=Status.FAILED if status is before else before)
        ended = NOW + 5 if status in ENDED else 0.0
        yield from session_changes("s", old, replace(session, status=status, ended=ended))
    yield from session_changes("s", None, session)
    later = replace(session, takeovers=1, attached=NOW + 9, version=5)
    yield from session_changes("s", session, later)
    for warned in ("idle_ends", "duration_ends", "access_ends"):
        yield from session_changes("s", session, replace(session, **{warned: NOW + 60}))  # type: ignore[arg-type]
    node = Node(node_id=NODE, name=session.reason, last_seen=NOW, online=True)
    came = details.node_change("s", None, node)
    assert came is not None
    yield came
    yield details.access_denied("s", REFUSED)
    yield details.node_identity_refused("s", REFUSED)
    yield details.recording_stored("s", session, STORED, NOW)
    yield details.recording_mismatch("s", session, "node", 7, NOW)
    yield details.recording_failed("s", session, "s3", "AccessDenied", NOW)


def test_every_kind_of_event_is_as_its_schema_says_and_every_schema_is_of_a_kind(
    session: Session,
) -> None:
    told = list(everything(session))
    for each in told:
        check(each.detail_type, each.detail)
    assert {each.detail_type for each in told} == set(SCHEMAS)


def test_nobody_s_words_leave_their_place_in_a_summary(session: Session) -> None:
    hostile = replace(
        session,
        reason=HOSTILE,
        end_reason=HOSTILE,
        target=HOSTILE,
        owner_arn=f"arn:aws:sts::1:assumed-role/ops/{HOSTILE}",
    )
    for each in everything(hostile):
        summary = str(each.detail["summary"])
        assert summary.isprintable()
        assert not set('"\\') & set(summary)
        check(each.detail_type, each.detail)


def only(told: object) -> Told:
    assert isinstance(told, tuple)
    (one,) = told
    assert isinstance(one, Told)
    return one


def test_a_session_that_comes_back_is_resumed_and_one_that_begins_is_connected(
    session: Session,
) -> None:
    up = replace(session, status=Status.CONNECTED)
    lost = replace(session, status=Status.DISCONNECTED)
    assert only(session_changes("s", lost, up)).detail["change"] == "resumed"
    assert only(session_changes("s", session, up)).detail["change"] == "connected"


def test_a_takeover_is_told_and_a_program_s_own_reconnection_is_not(session: Session) -> None:
    up = replace(session, status=Status.CONNECTED, generation=1, takeovers=1)
    again = replace(up, generation=2, attached=NOW + 3, version=9)
    assert session_changes("s", up, again) == ()
    taken = only(session_changes("s", up, replace(again, takeovers=2)))
    assert taken.detail_type == "Session Taken Over"
    assert (taken.time, taken.detail["generation"]) == (NOW + 3, 2)


@pytest.mark.parametrize(
    ("member", "warning"),
    [("idle_ends", "idle"), ("duration_ends", "duration"), ("access_ends", "access")],
)
def test_a_warning_is_told_once_for_each_end(session: Session, member: str, warning: str) -> None:
    warned = replace(session, **{member: NOW + 60})  # type: ignore[arg-type]
    told = only(session_changes("s", session, warned, NOW + 1))
    assert (told.detail["warning"], told.detail["endsAt"]) == (warning, NOW + 60)
    assert told.time == told.detail["time"] == NOW + 1
    assert session_changes("s", warned, replace(warned, activity=NOW + 2)) == ()
    assert session_changes("s", warned, replace(warned, **{member: 0.0})) == ()  # type: ignore[arg-type]
    later = only(session_changes("s", warned, replace(warned, **{member: NOW + 90})))  # type: ignore[arg-type]
    assert later.detail["id"] != told.detail["id"]


def test_a_session_that_has_ended_warns_nobody(session: Session) -> None:
    over = replace(session, status=Status.TERMINATED, ended=NOW)
    assert session_changes("s", over, replace(over, idle_ends=NOW + 60)) == ()


def test_what_is_told_of_a_denial_says_who_and_where_and_nothing_of_a_policy() -> None:
    told = details.access_denied("prod", REFUSED)
    assert told.detail["summary"] == (
        f"Hatchway prod: mary was refused StartSession on {NODE} from 192.0.2.7 "
        "(AccessDeniedException), 2027-01-15 08:00:00 UTC."
    )
    unknown = replace(REFUSED, caller_arn="", source_ip="", target="")
    assert "somebody unknown was refused StartSession (" in str(
        details.access_denied("prod", unknown).detail["summary"]
    )


def test_recordings_are_told_by_the_session_s_id(session: Session) -> None:
    assert details.recording_stored("s", session, STORED, NOW).detail["id"] == (
        f"{SESSION}/recording/stored"
    )
    gaps = replace(STORED, gaps=2)
    assert "with gaps" in str(details.recording_stored("s", session, gaps, 1.0).detail["summary"])
