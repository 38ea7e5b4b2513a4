"""What the contract cannot show: the items themselves, the bounds, and AWS's refusals."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hatchway.core.errors import (
    InternalServerError,
    InvalidNextToken,
    LimitExceededException,
    ThrottlingException,
)
from hatchway.core.lifecycle import Status
from hatchway.core.names import Owner
from hatchway.core.transcript.stated import Stated
from lambdas.adapters import dynamodb, items, paging, table
from lambdas.adapters.retention import HISTORY, history
from lambdas.adapters.table import TableNodes, TableSessions
from lambdas.memory.clock import ManualClock
from lambdas.ports import Connection, Limits, Node, Request, Session, SessionQuery, Stale, Token
from tests.unit.adapters.stubs import Answer, Scripted, refused

OWNER = Owner("000000000000", "AROAWEB:mary")
SESSION = Session(
    session_id="mary-0123456789abcdef0",
    target="i-0123456789abcdef0",
    owner=OWNER,
    owner_arn="arn:aws:sts::000000000000:assumed-role/Web/mary",
    status=Status.CONNECTED,
    started=1_799_999_000.123456,
    document_name="d",
    document="{}",
    version=4,
)
ENDED = replace(SESSION, status=Status.FAILED, ended=1_800_000_000.9, end_reason="x", exit_code=1)
TOKEN = Token(digest="ab" * 32, session_id=SESSION.session_id, expires=1_800_000_060.0)
REQUEST = Request(
    owner=OWNER, token="t", fingerprint="f", session_id=SESSION.session_id, expires=1_800_000_600.0
)


PAUSES: list[float] = []


def sessions(*answers: Answer) -> tuple[TableSessions, Scripted]:
    client = Scripted(*answers)
    made = TableSessions("t", ManualClock(), client=client, pause=PAUSES.append)  # type: ignore[arg-type]
    return made, client


def cancelled(*codes: str) -> Exception:
    reasons = [{"Code": code} for code in codes]
    return refused("TransactionCanceledException", CancellationReasons=reasons)


def page(*found: Session, last: Session | None = None, kind: int = 1) -> dict[str, Any]:
    answer: dict[str, Any] = {"Items": [items.of_session(s, HISTORY) for s in found]}
    if last is not None:
        item = items.of_session(last, HISTORY)
        keys = ("pk", "sk", f"gsi{kind}pk", f"gsi{kind}sk")
        answer["LastEvaluatedKey"] = {key: item[key] for key in keys}
    return answer


class TestItems:
    def test_keys_are_as_the_protocol_has_them(self) -> None:
        pks = [
            items.of_session(SESSION, HISTORY),
            items.of_token(TOKEN),
            items.of_connection(Connection(connection="c=", session_id="s", generation=1), 0.0),
            items.of_request(REQUEST),
            items.of_node(Node(node_id="i-0123456789abcdef0")),
        ]
        assert [item["pk"]["S"] for item in pks] == [
            "SESSION#mary-0123456789abcdef0",
            "TOKEN#" + "ab" * 32,
            "CONNECTION#c=",
            "REQUEST#000000000000/AROAWEB:mary#t",
            "NODE#i-0123456789abcdef0",
        ]
        assert {item["sk"]["S"] for item in pks} == {"STATE"}
        assert [items.kind_of(item) for item in pks] == [
            "SESSION",
            "TOKEN",
            "CONNECTION",
            "REQUEST",
            "NODE",
        ]

    def test_an_active_session_is_in_all_indexes_and_has_no_ttl(self) -> None:
        item = items.of_session(SESSION, HISTORY)
        place = {"S": "01799999000.1234560#mary-0123456789abcdef0"}
        assert item["gsi1pk"] == {"S": "SESSIONS#Active"}
        assert item["gsi2pk"] == {"S": f"OWNER#{SESSION.owner_arn}"}
        assert item["gsi3pk"] == {"S": "TARGET#i-0123456789abcdef0"}
        assert item["gsi1sk"] == item["gsi2sk"] == item["gsi3sk"] == place
        assert "ttl" not in item

    def test_an_ended_session_leaves_its_target_and_gets_a_ttl(self) -> None:
        item = items.of_session(ENDED, 86400.0)
        assert item["gsi1pk"] == {"S": "SESSIONS#History"}
        assert not {"gsi3pk", "gsi3sk"} & set(item)
        assert item["ttl"] == {"N": str(1_800_000_000 + 86400)}

    def test_a_session_that_ended_at_no_known_time_is_kept_from_its_last_state(self) -> None:
        unknown = replace(ENDED, ended=0.0, status_since=1_800_000_000.0)
        assert items.of_session(unknown, 10.0)["ttl"] == {"N": "1800000010"}
        never = replace(unknown, status_since=0.0)
        assert items.of_session(never, 10.0)["ttl"] == {"N": str(int(SESSION.started + 10))}

    @pytest.mark.parametrize(
        "session",
        [SESSION, ENDED, replace(ENDED, exit_code=None), replace(ENDED, stated=Stated(sent=3))],
    )
    def test_a_stream_image_is_read_back_whole(self, session: Session) -> None:
        assert items.session_of(items.of_session(session, HISTORY)) == session

    def test_what_is_short_lived_has_a_ttl(self) -> None:
        assert items.of_token(TOKEN)["ttl"] == {"N": "1800003660"}
        assert items.of_request(REQUEST)["ttl"] == {"N": "1800004200"}
        made = Connection(connection="c", session_id="s", generation=1)
        assert items.of_connection(made, 5.5)["ttl"] == {"N": str(5 + 3 * 3600)}


class TestHistory:
    def test_it_is_thirty_days_unless_said_otherwise(self) -> None:
        assert history({}) == history({"HISTORY_DAYS": "30"}) == HISTORY
        assert history({"HISTORY_DAYS": "3650"}) == 3650 * 86400.0

    @pytest.mark.parametrize("days", ["0", "3651", "-1", "1.5", "x", "²"])
    def test_an_unusable_number_of_days_is_an_error(self, days: str) -> None:
        with pytest.raises(InternalServerError):
            history({"HISTORY_DAYS": days})


class TestCreate:
    def test_all_three_and_the_counts_are_one_transaction(self) -> None:
        store, client = sessions({})
        store.create(SESSION, TOKEN, REQUEST)
        ((method, arguments),) = client.calls
        assert method == "transact_write_items"
        writes = arguments["TransactItems"]
        assert [write["Update"]["Key"]["pk"]["S"] for write in writes[3:]] == [
            "COUNT#user/000000000000/AROAWEB:mary",
            "COUNT#node/i-0123456789abcdef0",
            "COUNT#account/000000000000",
            "COUNT#role/000000000000/AROAWEB",
        ]
        puts = [write["Put"] for write in writes[:3]]
        assert [items.kind_of(put["Item"]) for put in puts] == ["SESSION", "TOKEN", "REQUEST"]
        assert all("attribute_not_exists(pk)" in put["ConditionExpression"] for put in puts)

    def test_a_transaction_that_meets_another_is_tried_again(self) -> None:
        conflict = cancelled("TransactionConflict", "None")
        store, client = sessions(conflict, {})
        assert store.create(SESSION, TOKEN, None).version == 1
        assert len(client.calls) == 2

    def test_it_is_tried_a_named_number_of_times(self) -> None:
        conflict = cancelled("TransactionConflict", "None")
        store, client = sessions(*[conflict] * table.CREATE_ATTEMPTS)
        with pytest.raises(ThrottlingException):
            store.create(SESSION, TOKEN, None)
        assert len(client.calls) == table.CREATE_ATTEMPTS

    def test_it_pauses_before_each_attempt_but_the_first_and_never_long(self) -> None:
        PAUSES.clear()
        store, _ = sessions(*[cancelled("TransactionConflict")] * table.CREATE_ATTEMPTS)
        with pytest.raises(ThrottlingException):
            store.create(SESSION, TOKEN, None)
        assert len(PAUSES) == table.CREATE_ATTEMPTS - 1
        assert all(0 <= pause <= dynamodb.LONGEST_PAUSE for pause in PAUSES)

    @pytest.mark.parametrize(
        ("which", "said"),
        [(0, "7 sessions of this caller"), (1, "8 "), (2, "9 "), (3, "6 sessions of this role")],
    )
    def test_a_count_that_is_full_says_which_and_how_many(self, which: int, said: str) -> None:
        codes = ["None"] * 7
        codes[3 + which] = "ConditionalCheckFailed"
        store, _ = sessions(cancelled(*codes))
        full = Limits(per_user=7, per_node=8, per_account=9, starts_a_minute=1, per_role=6)
        with pytest.raises(LimitExceededException, match=said):
            store.create(SESSION, TOKEN, REQUEST, full)

    @pytest.mark.parametrize("code", ["ThrottlingError", "ProvisionedThroughputExceeded"])
    def test_a_throttled_transaction_is_throttling(self, code: str) -> None:
        store, _ = sessions(cancelled("None", code))
        with pytest.raises(ThrottlingException):
            store.create(SESSION, TOKEN, None)

    @pytest.mark.parametrize("codes", [("ValidationError", "None"), ()])
    def test_a_transaction_refused_for_another_reason_is_our_fault(
        self, codes: tuple[str, ...]
    ) -> None:
        store, _ = sessions(cancelled(*codes))
        with pytest.raises(InternalServerError):
            store.create(SESSION, TOKEN, None)

    @pytest.mark.parametrize("left", [{}, {"Item": items.of_request(REQUEST)}])
    def test_a_request_whose_session_vanished_meanwhile_is_stale(
        self, left: dict[str, Any]
    ) -> None:
        store, _ = sessions(cancelled("None", "None", "ConditionalCheckFailed"), left, {})
        with pytest.raises(Stale):
            store.create(SESSION, TOKEN, REQUEST)


class TestEnd:
    def test_the_write_that_ends_a_session_counts_it_out(self) -> None:
        store, client = sessions({})
        store.update(SESSION, replace(ENDED, version=SESSION.version))
        ((method, arguments),) = client.calls
        assert method == "transact_write_items"
        guarded, *counts = arguments["TransactItems"]
        assert guarded["Put"]["ConditionExpression"] == "#version = :read"
        for write in counts:
            assert "ConditionExpression" not in write["Update"]
            assert write["Update"]["ExpressionAttributeValues"][":by"] == {"N": "-1"}

    def test_no_other_write_counts(self) -> None:
        store, client = sessions({}, {})
        store.update(SESSION, replace(SESSION, reason="x"))
        store.update(ENDED, replace(ENDED, reason="x"))
        assert [method for method, _ in client.calls] == ["put_item", "put_item"]

    def test_a_lost_race_is_stale_and_counts_nothing(self) -> None:
        store, client = sessions(cancelled("ConditionalCheckFailed", "None"))
        with pytest.raises(Stale):
            store.update(SESSION, ENDED)
        assert len(client.calls) == 1

    def test_an_end_that_meets_others_ends_without_the_counts_after_a_named_number_of_times(
        self,
    ) -> None:
        conflict = cancelled("None", "TransactionConflict")
        store, client = sessions(*[conflict] * table.END_ATTEMPTS, {})
        assert store.update(SESSION, ENDED).status is ENDED.status
        assert len(client.calls) == table.END_ATTEMPTS + 1
        method, arguments = client.calls[-1]
        assert (method, arguments["ConditionExpression"]) == ("put_item", "#version = :read")

    def test_an_end_does_not_wait_for_counts_that_are_throttled(self) -> None:
        store, client = sessions(cancelled("None", "ThrottlingError"), {})
        assert store.update(SESSION, ENDED).status is ENDED.status
        assert [method for method, _ in client.calls] == ["transact_write_items", "put_item"]

    def test_without_the_counts_of_two_ends_one_is_stale_all_the_same(self) -> None:
        store, _ = sessions(
            cancelled("None", "ThrottlingError"), refused("ConditionalCheckFailedException")
        )
        with pytest.raises(Stale):
            store.update(SESSION, ENDED)


class TestWrites:
    @pytest.mark.parametrize(
        "code", ["ConditionalCheckFailedException", "TransactionConflictException"]
    )
    def test_a_lost_race_is_stale(self, code: str) -> None:
        store, _ = sessions(refused(code))
        with pytest.raises(Stale):
            store.update(SESSION, SESSION)

    def test_a_refusal_of_another_kind_is_not_taken_for_a_used_token(self) -> None:
        store, _ = sessions(refused("AccessDeniedException"), refused("ThrottlingException"))
        with pytest.raises(InternalServerError):
            store.use_token("d", "c", 0.0)
        with pytest.raises(ThrottlingException):
            store.use_token("d", "c", 0.0)


class TestReads:
    def test_a_session_is_read_consistently(self) -> None:
        store, client = sessions({})
        assert store.get("x") is None
        assert client.calls[0][1]["ConsistentRead"] is True

    def test_a_page_that_finds_little_ends_after_a_named_number_of_reads(self) -> None:
        empty = page(last=ENDED)
        store, client = sessions(*[empty] * table.MAX_READS)
        found = store.query(SessionQuery(active=False))
        assert found.sessions == ()
        assert found.next_token
        assert len(client.calls) == table.MAX_READS

    def test_the_next_page_begins_where_the_reads_ended(self) -> None:
        store, client = sessions(*[page(last=ENDED)] * table.MAX_READS, page())
        query = SessionQuery(active=False)
        store.query(replace(query, next_token=store.query(query).next_token))
        assert client.calls[-1][1]["ExclusiveStartKey"] == page(last=ENDED)["LastEvaluatedKey"]

    @pytest.mark.parametrize(
        ("query", "index"),
        [
            (SessionQuery(active=True, target="i-0123456789abcdef0", owner_arn="o"), "byTarget"),
            (SessionQuery(active=True, owner_arn="o"), "byState"),
            (SessionQuery(active=False, owner_arn="o", target="i-1"), "byOwner"),
            (SessionQuery(active=False, target="i-1"), "byState"),
        ],
    )
    def test_the_index_that_reads_least_is_read(self, query: SessionQuery, index: str) -> None:
        store, client = sessions(page())
        store.query(query)
        assert client.calls[0][1]["IndexName"] == index

    @pytest.mark.parametrize(
        "place",
        [
            "SESSION#x",
            "01799999000.1234560#",
            "01799999000.1234560",
            "01799999000.1234560#a\n",
            "01799999000.1234560#" + "a" * 83,
        ],
    )
    def test_a_place_of_a_wrong_shape_is_refused(self, place: str) -> None:
        store, client = sessions()
        with pytest.raises(InvalidNextToken):
            store.active(paging.issue("active", place))
        assert client.calls == []

    def test_a_node_with_more_sessions_than_are_read_is_an_error(self) -> None:
        full = page(*[SESSION] * (table.MAX_ACTIVE_ON_NODE + 1), last=SESSION, kind=3)
        store, client = sessions(full)
        with pytest.raises(LimitExceededException):
            store.active_on(SESSION.target)
        assert client.calls[0][1]["Limit"] == table.MAX_ACTIVE_ON_NODE + 1

    def test_a_node_with_as_many_sessions_as_are_read_is_read_in_pages(self) -> None:
        half = [SESSION] * (table.MAX_ACTIVE_ON_NODE // 2)
        store, _ = sessions(page(*half, last=SESSION, kind=3), page(*half))
        assert len(store.active_on(SESSION.target)) == table.MAX_ACTIVE_ON_NODE

    def test_a_throttled_table_is_throttling(self) -> None:
        client = Scripted(refused("ProvisionedThroughputExceededException"))
        with pytest.raises(ThrottlingException):
            TableNodes("t", client=client).get("i-1")  # type: ignore[arg-type]


class TestUnreadable:
    @pytest.mark.parametrize(
        "broken",
        [{"status": {"S": "Sleeping"}}, {"started": {"S": "x"}}, {"owner_userid": {"NULL": True}}],
    )
    def test_one_record_that_cannot_be_read_hides_no_other(self, broken: dict[str, Any]) -> None:
        bad = items.of_session(SESSION, HISTORY) | broken
        good = items.of_session(SESSION, HISTORY)
        store, _ = sessions({"Items": [bad, good]}, {"Items": [good, bad]})
        found = store.active()
        assert (list(found.sessions), found.unreadable) == ([SESSION], 1)
        assert list(store.active_on(SESSION.target)) == [SESSION]
