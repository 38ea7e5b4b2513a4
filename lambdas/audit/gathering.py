"""From log groups' subscriptions: records are kept, queued for objects, and denials told of.

A batch that fails is delivered again as a whole; what was kept of it is kept twice then, and
`eventID` says so.
"""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from hatchway.core.audit import Json, Source, written
from hatchway.core.errors import AccessDeniedException, NodeRefused
from lambdas import trail
from lambdas.audit import gateway
from lambdas.details import RefusedCall, Told, access_denied, node_identity_refused
from lambdas.logline import Line
from lambdas.ports import Clock, EventBus, Kept, RecordQueue, TrailLog

#: Bytes of a batch when unpacked: CloudWatch Logs sends 1 MB at most before it packs.
MAX_BATCH = 8 * 1024 * 1024
#: Denials of a batch that are told of. Whoever tries more at once is in the records, and the metric
#: and its alarm count them all.
MAX_TOLD = 100
#: Seconds for which a record may have waited; the log takes nothing older than 14 days.
MAX_AGE = 13 * 86400

#: A refused call that is worth an event; others are mistakes, not attempts.
_DENIED = frozenset(
    {
        AccessDeniedException.code,
        "ExpiredTokenException",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
        "TicketInvalid",
        "TokenInvalid",
        NodeRefused.code,
    }
)


@dataclass(frozen=True, slots=True)
class Gathering:
    """Takes what the other functions and API Gateway wrote."""

    log: TrailLog
    queue: RecordQueue
    bus: EventBus
    stage: str
    region: str
    clock: Clock

    def gather(self, event: Mapping[str, object], line: Line) -> None:
        """One batch of a subscription; raises what AWS refuses, so that the batch comes again."""
        records = list(self._records(event))
        line.note(records=len(records))
        if not records:
            return
        kept = [self._kept(each) for each in records]
        self.log.append(kept)
        self.queue.put(kept)
        self._tell(records, line)

    def _tell(self, records: Sequence[Mapping[str, Json]], line: Line) -> None:
        denials = [told for each in records if (told := told_of(self.stage, each)) is not None]
        line.note(denials=len(denials))
        if len(denials) > MAX_TOLD:
            line.warning()
        for told in denials[:MAX_TOLD]:
            self.bus.put(told.detail_type, told.detail, told.time)

    def _records(self, event: Mapping[str, object]) -> Iterator[dict[str, Json]]:
        for message in messages(event):
            found = trail.record_in(message)
            if found is None:
                refused = gateway.refused(message)
                found = refused.members() if refused is not None else None
            if found is not None:
                yield self._placed(found)

    def _placed(self, record: Mapping[str, Json]) -> dict[str, Json]:
        """With what functions do not know of themselves."""
        more = record.get("additionalEventData")
        about = dict(more) if isinstance(more, Mapping) else {}
        return {
            **record,
            "awsRegion": self.region,
            "additionalEventData": {**about, "stage": self.stage},
        }

    def _kept(self, record: Mapping[str, Json]) -> Kept:
        now = self.clock()
        time = time_of(record)
        return Kept(text=written(record), time=int((time if now - time < MAX_AGE else now) * 1000))


def messages(event: Mapping[str, object]) -> Sequence[str]:
    """The log events of a subscription's batch; ValueError for what is none.

    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/logs/SubscriptionFilters.html
    """
    packed = event.get("awslogs")
    data = packed.get("data") if isinstance(packed, Mapping) else None
    if not isinstance(data, str):
        raise ValueError("the event is no batch of a subscription")
    batch = json.loads(_unpacked(data))
    if batch.get("messageType") != "DATA_MESSAGE":
        return []  # CloudWatch Logs tries whether the destination is there
    return [str(each.get("message", "")) for each in batch.get("logEvents", [])]


def _unpacked(data: str) -> bytes:
    """At most MAX_BATCH bytes of it; what is longer is not ours."""
    unpack = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    found = unpack.decompress(base64.b64decode(data, validate=True), MAX_BATCH)
    if unpack.unconsumed_tail:
        raise ValueError("the batch is too large")
    return found


def packed(batch: Mapping[str, object]) -> dict[str, object]:
    """The event for a batch, as CloudWatch Logs makes it."""
    data = base64.b64encode(gzip.compress(json.dumps(batch).encode())).decode()
    return {"awslogs": {"data": data}}


def time_of(record: Mapping[str, Json]) -> float:
    """A record's `eventTime` in unix seconds, 0 where it has none that can be read."""
    try:
        return (
            datetime.strptime(str(record.get("eventTime")), "%Y-%m-%dT%H:%M:%SZ")
            .replace(tzinfo=UTC)
            .timestamp()
        )
    except ValueError:
        return 0.0


def told_of(stage: str, record: Mapping[str, Json]) -> Told | None:
    """The event of a refused call; None for any other."""
    code = _text(record, "errorCode")
    if code not in _DENIED:
        return None
    caller, asked = _mapping(record, "userIdentity"), _mapping(record, "requestParameters")
    call = RefusedCall(
        event_id=_text(record, "eventID"),
        event_name=_text(record, "eventName"),
        time=time_of(record),
        by=_text(_mapping(record, "additionalEventData"), "recordedBy"),
        error_code=code,
        caller_arn=_text(caller, "arn"),
        caller_id=_text(caller, "principalId"),
        source_ip=_text(record, "sourceIPAddress"),
        request_id=_text(record, "requestID"),
        target=_text(asked, "target") or _text(asked, "nodeId"),
        session_id=_text(asked, "sessionId"),
    )
    agents = _text(record, "eventSource") == Source.AGENTS
    return node_identity_refused(stage, call) if agents else access_denied(stage, call)


def _mapping(record: Mapping[str, Json], name: str) -> Mapping[str, Json]:
    value = record.get(name)
    return value if isinstance(value, Mapping) else {}


def _text(record: Mapping[str, Json], name: str) -> str:
    value = record.get(name)
    return value if isinstance(value, str) else ""
