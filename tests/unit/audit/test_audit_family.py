"""The audit family: records are kept and queued, denials told, objects repeat themselves."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from typing import Any

import pytest

from hatchway.core.audit import AuditRecord, Caller, Source, written
from hatchway.core.errors import ThrottlingException
from lambdas import trail
from lambdas.adapters.trail import read
from lambdas.adapters.trail import written as message_of
from lambdas.audit import gateway
from lambdas.audit.archiving import Archiving
from lambdas.audit.gathering import MAX_BATCH, MAX_TOLD, Gathering, packed
from lambdas.audit.handler import Audit
from lambdas.logline import Line
from lambdas.memory.clock import ManualClock
from lambdas.memory.events import MemoryEventBus
from lambdas.memory.trail import MemoryRecordQueue, MemoryTrailLog, MemoryTrailObjects
from lambdas.ports import Kept
from tests.vectors.event_schemas import check

NOW = 1_800_000_000.0
RECORD = AuditRecord(
    source=Source.PEOPLE,
    name="StartSession",
    time=NOW,
    caller=Caller(arn="arn:aws:iam::123456789012:user/mary", principal_id="AIDAMARY"),
    request_id="r-1",
    read_only=False,
    source_ip="192.0.2.7",
    recipient="123456789012",
    request={"Target": "i-0123456789abcdef0"},
)
DENIED = replace(RECORD, error_code="AccessDeniedException", error_message="no")
#: As API Gateway writes it for `infra/rest.py`'s format.
REFUSED = {
    "door": "people",
    "requestId": "r-9",
    "time": "1800000000123",
    "method": "POST",
    "route": "/nodes/{nodeId}/sessions",
    "status": "403",
    "caller": "arn:aws:iam::123456789012:user/mary",
    "principal": "AIDAMARY",
    "account": "123456789012",
    "owner": "123456789012",
    "sourceIp": "192.0.2.7",
    "userAgent": "curl/8",
    "vpcEndpoint": "-",
    "latency": "3",
    "responseLength": "120",
    "gatewayError": "ACCESS_DENIED",
}


class Setting:
    def __init__(self) -> None:
        self.log, self.queue = MemoryTrailLog(), MemoryRecordQueue()
        self.bus, self.objects = MemoryEventBus(), MemoryTrailObjects()
        self.clock = ManualClock(NOW + 5)
        self.line = Line("audit")
        gathering = Gathering(
            log=self.log,
            queue=self.queue,
            bus=self.bus,
            stage="local",
            region="us-east-1",
            clock=self.clock,
        )
        self.audit = Audit(gathering, Archiving(self.objects, read, "local"))

    def gather(self, *messages: str) -> None:
        events = [{"id": str(n), "timestamp": 1, "message": m} for n, m in enumerate(messages)]
        self.audit.handle(packed({"messageType": "DATA_MESSAGE", "logEvents": events}), self.line)

    def archive(self, *bodies: str) -> None:
        records = [{"messageId": str(n), "body": body} for n, body in enumerate(bodies)]
        self.audit.handle({"Records": records}, self.line)

    @property
    def kept(self) -> list[dict[str, Any]]:
        return [json.loads(each.text) for each in self.log.records]


@pytest.fixture
def setting() -> Setting:
    return Setting()


def test_a_record_is_kept_queued_and_says_where_it_was_made(setting: Setting) -> None:
    setting.gather("START RequestId: 1", trail.line_of(RECORD), '{"family":"sessions"}')
    (kept,) = setting.kept
    assert kept["eventName"] == "StartSession"
    assert kept["awsRegion"] == "us-east-1"
    assert kept["additionalEventData"] == {"recordedBy": "service", "stage": "local"}
    assert setting.queue.records == setting.log.records
    assert setting.log.records[0].time == int(NOW * 1000)
    assert setting.bus.events == []


@pytest.mark.parametrize(
    ("record", "kind"),
    [
        (DENIED, "Access Denied"),
        (replace(DENIED, source=Source.AGENTS), "Node Identity Refused"),
        (replace(DENIED, source=Source.STREAM, error_code="TokenInvalid"), "Access Denied"),
        (replace(DENIED, error_code="ValidationException"), None),
        (replace(DENIED, error_code="TargetNotConnected"), None),
    ],
)
def test_a_denial_is_an_event_and_a_mistake_is_none(
    setting: Setting, record: AuditRecord, kind: str | None
) -> None:
    setting.gather(trail.line_of(record))
    assert [each[0] for each in setting.bus.events] == ([kind] if kind else [])
    for told, detail, time in setting.bus.events:
        check(told, detail)
        assert (detail["id"], time) == (record.event_id, NOW)


def test_statement_and_condition_of_a_denial_are_not_in_its_event(setting: Setting) -> None:
    more = {"denial": {"deniedBy": "identity secret-policy[0]", "failedKey": "aws:SourceIp"}}
    setting.gather(trail.line_of(replace(DENIED, more=more)))
    assert "secret-policy" in setting.log.records[0].text
    assert "secret-policy" not in repr(setting.bus.events)


def test_a_flood_of_denials_is_recorded_whole_and_told_up_to_a_limit(setting: Setting) -> None:
    flood = [trail.line_of(replace(DENIED, request_id=str(n))) for n in range(MAX_TOLD + 1)]
    setting.gather(*flood)
    assert len(setting.log.records) == MAX_TOLD + 1
    assert len(setting.bus.events) == MAX_TOLD
    assert (setting.line.level, setting.line.fields["denials"]) == ("WARNING", MAX_TOLD + 1)


@pytest.mark.parametrize("part", ["log", "queue", "bus"])
def test_what_could_not_be_done_comes_again(setting: Setting, part: str) -> None:
    getattr(setting, part).failure = ThrottlingException()
    with pytest.raises(ThrottlingException):
        setting.gather(trail.line_of(DENIED))


def test_a_record_that_waited_too_long_for_the_log_is_kept_under_now(setting: Setting) -> None:
    setting.gather(trail.line_of(replace(RECORD, time=NOW - 20 * 86400)))
    assert setting.log.records[0].time == int((NOW + 5) * 1000)
    assert setting.kept[0]["eventTime"].startswith("2026-12-26")


def test_a_control_message_is_no_record(setting: Setting) -> None:
    event = packed({"messageType": "CONTROL_MESSAGE", "logEvents": [{"message": "x"}]})
    setting.audit.handle(event, setting.line)
    assert setting.log.records == []


def test_a_batch_that_unpacks_to_too_much_is_refused(setting: Setting) -> None:
    bomb = packed({"messageType": "DATA_MESSAGE", "logEvents": [{"message": "x" * MAX_BATCH}]})
    with pytest.raises(ValueError, match="too large"):
        setting.audit.handle(bomb, setting.line)


# --- what API Gateway refused -------------------------------------------------------------------


def test_what_the_gateway_refused_is_a_record_with_what_it_knows_and_says_so(
    setting: Setting,
) -> None:
    setting.gather(json.dumps(REFUSED))
    (kept,) = setting.kept
    assert (kept["eventName"], kept["errorCode"]) == ("StartSession", "AccessDeniedException")
    assert kept["userIdentity"]["userName"] == "mary"
    assert kept["requestParameters"] is None
    assert kept["additionalEventData"]["recordedBy"] == "gateway"
    assert [each[0] for each in setting.bus.events] == ["Access Denied"]
    assert setting.bus.events[0][1]["refusedBy"] == "gateway"


@pytest.mark.parametrize(
    ("changes", "name", "code"),
    [
        ({"gatewayError": "INVALID_SIGNATURE", "caller": "-"}, "StartSession", "InvalidSignature"),
        ({"route": "/", "gatewayError": "MISSING_AUTHENTICATION_TOKEN"}, "POST /", "MissingAuthe"),
        ({"gatewayError": "INTEGRATION_TIMEOUT"}, "StartSession", "InternalServerError"),
        ({"gatewayError": "DEFAULT_4XX"}, "StartSession", "ValidationException"),
        ({"door": "agent", "route": "/agent/{nodeId}/channel"}, "EnrolNode", "AccessDenied"),
        ({"door": "stream", "route": "$connect"}, "OpenDataChannel", "AccessDenied"),
    ],
)
def test_each_refusal_has_the_name_and_code_that_the_caller_knows(
    changes: dict[str, str], name: str, code: str
) -> None:
    record = gateway.refused(json.dumps(REFUSED | changes))
    assert record is not None
    assert record.name == name
    assert record.error_code.startswith(code)


@pytest.mark.parametrize(
    "message",
    [
        json.dumps(REFUSED | {"gatewayError": "-"}),
        json.dumps(REFUSED | {"door": "elsewhere"}),
        json.dumps([1]),
        "{",
        "END RequestId: 1",
    ],
)
def test_what_the_gateway_did_not_refuse_is_no_record(message: str) -> None:
    assert gateway.refused(message) is None


def test_a_line_without_a_time_is_of_the_epoch_and_shows() -> None:
    record = gateway.refused(json.dumps(REFUSED | {"time": "-"}))
    assert record is not None
    assert record.members()["eventTime"] == "1970-01-01T00:00:00Z"


# --- objects ------------------------------------------------------------------------------------


def kept(number: int, time: float = NOW) -> Kept:
    record = replace(RECORD, request_id=f"r-{number}", time=time)
    return Kept(text=written(record.members()), time=int(time * 1000))


def test_objects_lie_by_the_hour_and_are_as_athena_reads_them(setting: Setting) -> None:
    one, two, later = kept(1), kept(2, NOW + 1), kept(3, NOW + 3600)
    setting.archive(message_of([two, later]), message_of([one]))
    first, second = sorted(setting.objects.objects)
    assert first.startswith("audit/2027/01/15/08/local-20270115T080000Z-")
    assert second.startswith("audit/2027/01/15/09/local-20270115T090000Z-")
    assert first.endswith(".json.gz")
    found = json.loads(gzip.decompress(setting.objects.objects[first]))
    assert [each["requestID"] for each in found["Records"]] == ["r-1", "r-2"]
    assert setting.line.fields["objects"] == 2


def test_a_batch_that_comes_again_writes_over_itself_and_a_record_twice_is_one(
    setting: Setting,
) -> None:
    setting.archive(message_of([kept(1), kept(2)]))
    before = dict(setting.objects.objects)
    setting.archive(message_of([kept(2)]), message_of([kept(1), kept(2)]))
    assert setting.objects.objects == before


def test_what_s3_refuses_comes_again(setting: Setting) -> None:
    setting.objects.failure = ThrottlingException()
    with pytest.raises(ThrottlingException):
        setting.archive(message_of([kept(1)]))


@pytest.mark.parametrize("body", ["", "{", "[1,2]", '["t",1]', "null", "[[]]"])
def test_a_message_that_is_not_ours_is_reported_and_stops_nothing(
    setting: Setting, body: str
) -> None:
    setting.archive(body, message_of([kept(1)]))
    assert len(setting.objects.objects) == 1
    assert setting.line.level == ("INFO" if not body else "ERROR")


def test_an_empty_batch_writes_nothing(setting: Setting) -> None:
    setting.audit.handle({}, setting.line)
    assert setting.objects.objects == {}
