"""Events: one for each change of state, the same id each time, and the stream never blocked."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from hatchway.core.errors import ThrottlingException
from hatchway.core.lifecycle import ENDED, Status
from lambdas.adapters import items
from lambdas.details import node_change, session_changes, who
from lambdas.events.deps import IMAGES
from lambdas.events.handler import Events
from lambdas.logline import Line
from lambdas.memory.events import MemoryEventBus
from lambdas.ports import Node, Session, Token
from tests.unit.edge.world import NODE, NOW, SESSION, World, recorded
from tests.vectors.event_schemas import check

MOMENT = f"{datetime.fromtimestamp(NOW, UTC):%Y-%m-%d %H:%M:%S} UTC"

HISTORY = 30 * 86400.0


class Setting:
    def __init__(self) -> None:
        self.bus = MemoryEventBus()
        self.events = Events(self.bus, IMAGES, "local")
        self.line = Line("events")
        self.session = World().start(reason="disk full")

    def send(self, *records: dict[str, Any]) -> list[str]:
        """The sequence numbers reported as failed."""
        self.line = Line("events")
        answer: Any = self.events.handle({"Records": list(records)}, self.line)
        for kind, detail, _ in self.bus.events:
            check(kind, detail)
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def change(self, old: Session | None, new: Session, number: str = "1") -> dict[str, Any]:
        images = {"NewImage": items.of_session(new, HISTORY)}
        if old is not None:
            images["OldImage"] = items.of_session(old, HISTORY)
        return {"dynamodb": {"SequenceNumber": number, **images}}

    @property
    def last(self) -> tuple[str, dict[str, Any], float]:
        kind, detail, time = self.bus.events[-1]
        return kind, dict(detail), time


@pytest.fixture
def setting() -> Setting:
    return Setting()


def test_a_new_session_is_an_event_with_all_that_is_known(setting: Setting) -> None:
    assert setting.send(setting.change(None, setting.session)) == []
    assert setting.last == (
        "Session State Change",
        {
            "version": "1",
            "stage": "local",
            "time": NOW,
            "id": f"{SESSION}/1",
            "sessionId": SESSION,
            "target": NODE,
            "owner": "arn:aws:iam::123456789012:user/john",
            "ownerUserId": "AIDAJOHN",
            "change": "connecting",
            "status": "Connecting",
            "previousStatus": "",
            "documentName": "SSM-SessionManagerRunShell",
            "reason": "disk full",
            "startDate": NOW,
            "summary": f"Hatchway local: john is opening a session on {NODE}, {MOMENT}. "
            f"Reason: “disk full”. Session {SESSION}.",
        },
        NOW,
    )


@pytest.mark.parametrize(
    ("arn", "name"),
    [
        ("arn:aws:iam::123456789012:user/john", "john"),
        ("arn:aws:iam::123456789012:user/team/web/john", "john"),
        ("arn:aws:sts::123456789012:assumed-role/ops/alice", "ops/alice"),
        ("arn:aws:iam::123456789012:root", "arn:aws:iam::123456789012:root"),
    ],
)
def test_a_summary_names_people_as_people_do(arn: str, name: str) -> None:
    assert who(arn) == name


def test_a_summary_is_a_text_to_read_on_a_phone(setting: Setting) -> None:
    def told(status: Status, before: Status, **more: object) -> str:
        new = replace(setting.session, status=status, version=2, **more)  # type: ignore[arg-type]
        setting.send(setting.change(replace(setting.session, status=before), new))
        return str(setting.last[1]["summary"])

    quoted = told(Status.CONNECTED, Status.CONNECTING, reason='the "big" one')
    assert "john opened a session on" in quoted
    assert "“the 'big' one”" in quoted
    assert "came back to" in told(Status.CONNECTED, Status.DISCONNECTED)
    ended = told(
        Status.TERMINATED, Status.CONNECTED, ended=NOW + 3725, end_reason="exited", exit_code=3
    )
    assert "john left" in ended
    assert "after 1:02:05 (exited, exit code 3)" in ended
    assert "(no reason given)" in told(Status.FAILED, Status.CONNECTING, ended=NOW)


HOSTILE = 'a"b\\c\nd\x00e\x1b[2Jf\x85g\u2028h\u202ei\ud800”. Session forged'


def test_no_word_of_another_leaves_the_quotes_of_a_notification(setting: Setting) -> None:
    new = replace(
        setting.session,
        status=Status.FAILED,
        reason=HOSTILE,
        end_reason=HOSTILE,
        target=HOSTILE,
        owner_arn=f"arn:aws:sts::1:assumed-role/ops/{HOSTILE}",
        ended=NOW,
    )
    (changed,) = session_changes("local", replace(new, status=Status.CONNECTED), new)
    assert_plain(str(changed.detail["summary"]))
    assert str(changed.detail["summary"]).count("”. Session") == 4, "the owner closed a quote"
    node = replace(OFFLINE, name=HOSTILE, online=True)
    came = node_change("local", None, node)
    assert came is not None
    assert_plain(str(came.detail["summary"]))


def assert_plain(summary: str) -> None:
    """What EventBridge makes of it between quotes is still one JSON text."""
    assert json.loads(f'"{summary}"') == summary
    assert summary.isprintable()
    assert "a'b/c d e [2Jf g h i " in summary


@pytest.mark.parametrize("status", list(Status))
def test_every_change_of_status_is_an_event_and_an_end_says_how(
    setting: Setting, status: Status
) -> None:
    ended = status in ENDED
    new = replace(
        setting.session,
        status=status,
        status_since=NOW + 90.5,
        ended=NOW + 90.5 if ended else 0.0,
        end_reason="exited" if ended else "",
        exit_code=3 if ended else None,
        version=2,
    )
    old = setting.session if status is not Status.CONNECTING else replace(new, status=Status.FAILED)
    setting.send(setting.change(old, new))
    _, detail, time = setting.last
    assert (detail["status"], detail["previousStatus"]) == (status.value, old.status.value)
    assert time == NOW + 90.5
    assert {k: detail.get(k) for k in ("endDate", "durationSeconds", "endReason", "exitCode")} == (
        {"endDate": NOW + 90.5, "durationSeconds": 90, "endReason": "exited", "exitCode": 3}
        if ended
        else dict.fromkeys(("endDate", "durationSeconds", "endReason", "exitCode"))
    )


def test_any_other_change_of_a_session_is_none(setting: Setting) -> None:
    new = replace(setting.session, activity=NOW + 30, connection="c", generation=1, version=2)
    setting.send(setting.change(setting.session, new))
    assert setting.bus.events == []


def test_an_event_carries_nothing_that_grants_anything(setting: Setting) -> None:
    new = replace(setting.session, connection="L0SM9cOFvHcCIhw=", agent_instance="agent-1")
    setting.send(setting.change(None, new))
    text = repr(setting.last)
    for private in ("L0SM9cOFvHcCIhw=", "agent-1", "schemaVersion"):
        assert private not in text


def test_the_same_record_again_has_the_same_id(setting: Setting) -> None:
    record = setting.change(None, setting.session)
    setting.send(record, record)
    assert len({detail["id"] for _, detail, _ in setting.bus.events}) == 1


def node_record(old: Node | None, new: Node) -> dict[str, Any]:
    images = {"NewImage": items.of_node(new)}
    if old is not None:
        images["OldImage"] = items.of_node(old)
    return {"dynamodb": {"SequenceNumber": "1", **images}}


OFFLINE = Node(
    node_id=NODE, name="web-1", agent_version="1.0.0", enrolment="hash", last_seen=NOW, version=4
)
ONLINE = replace(OFFLINE, online=True, last_seen=NOW + 5, version=5)


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        (None, OFFLINE, None),
        (None, ONLINE, "online"),
        (OFFLINE, ONLINE, "online"),
        (ONLINE, OFFLINE, "offline"),
        (ONLINE, replace(ONLINE, agent_version="2.0.0"), None),
    ],
)
def test_a_node_that_comes_or_goes_is_an_event(
    setting: Setting, old: Node | None, new: Node, status: str | None
) -> None:
    setting.send(node_record(old, new))
    assert [detail["status"] for _, detail, _ in setting.bus.events] == ([status] if status else [])


def test_a_nodes_event_says_who_and_since_when(setting: Setting) -> None:
    setting.send(node_record(OFFLINE, ONLINE))
    assert setting.last == (
        "Node State Change",
        {
            "version": "1",
            "stage": "local",
            "time": NOW + 5,
            "id": f"{NODE}/5",
            "nodeId": NODE,
            "name": "web-1",
            "status": "online",
            "agentVersion": "1.0.0",
            "summary": f"Hatchway local: node {NODE} (web-1) is online, 2027-01-15 08:00:05 UTC.",
        },
        NOW + 5,
    )


def test_tokens_connections_and_deletions_are_no_events(setting: Setting) -> None:
    token = items.of_token(Token(digest="d", session_id=SESSION, expires=NOW))
    gone = {"OldImage": items.of_session(setting.session, HISTORY)}
    setting.send(
        {"dynamodb": {"SequenceNumber": "1", "NewImage": token}},
        {"dynamodb": {"SequenceNumber": "2", **gone}},
    )
    assert setting.bus.events == []
    assert setting.line.level == "INFO"


def test_what_could_not_be_put_is_asked_for_again_from_there_on(setting: Setting) -> None:
    setting.send(setting.change(None, setting.session, "1"))
    setting.bus.failure = ThrottlingException()
    failed = setting.send(
        {"dynamodb": {"SequenceNumber": "2", "NewImage": items.of_node(OFFLINE)}},
        setting.change(None, setting.session, "3"),
        setting.change(None, setting.session, "4"),
    )
    assert failed == ["3"]
    assert setting.line.fields["code"] == "ThrottlingException"


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"dynamodb": 7},
        {"dynamodb": {"SequenceNumber": "1", "NewImage": {}}},
        {"dynamodb": {"SequenceNumber": "1", "NewImage": {"pk": {"S": "SESSION#x"}}}},
        {"dynamodb": {"SequenceNumber": "1", "NewImage": []}},
    ],
)
def test_a_record_that_cannot_be_read_is_reported_and_left_out(
    setting: Setting, record: dict[str, Any]
) -> None:
    assert setting.send(record, setting.change(None, setting.session, "2")) == []
    assert setting.line.fields["unreadable"] == 1
    assert setting.line.level == "ERROR"
    assert len(setting.bus.events) == 1


def test_the_recorded_batch_is_read(setting: Setting) -> None:
    answer = setting.events.handle(recorded("stream.json"), setting.line)
    assert answer == {"batchItemFailures": []}
    assert [detail["status"] for _, detail, _ in setting.bus.events] == [
        "Connecting",
        "Connected",
        "online",
    ]


def test_an_event_without_records_is_an_empty_batch(setting: Setting) -> None:
    assert setting.events.handle({}, setting.line) == {"batchItemFailures": []}
