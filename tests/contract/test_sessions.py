"""The port SessionStore: what holds for the memory twin and for the table alike."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hatchway.core.errors import (
    IdempotentParameterMismatch,
    InvalidNextToken,
    ValidationException,
)
from hatchway.core.lifecycle import Status
from hatchway.core.names import Owner
from hatchway.core.transcript.stated import Stated
from lambdas.adapters.table import TableSessions
from lambdas.memory.clock import ManualClock
from lambdas.memory.sessions import MemorySessions
from lambdas.ports import (
    Connection,
    Request,
    Session,
    SessionPage,
    SessionQuery,
    SessionStore,
    Stale,
    Token,
)
from tests.contract.cloud import Cloud

DAY = 86400.0
JOHN = Owner("000000000000", "AIDAJOHN")
JOHN_ARN = "arn:aws:iam::000000000000:user/people/john"
MARY_ARN = "arn:aws:sts::000000000000:assumed-role/Web/mary"
NODE, OTHER_NODE = "i-0123456789abcdef0", "i-0123456789abcdef1"


@pytest.fixture
def store(cloud: Cloud | None, clock: ManualClock) -> SessionStore:
    if cloud is None:
        return MemorySessions(clock)
    return TableSessions(cloud.table(), clock, client=cloud.client("dynamodb"))


def session(n: int, **changes: object) -> Session:
    made = Session(
        session_id=f"a+b=c,d.e@f-{n:017x}",
        target=NODE,
        owner=JOHN,
        owner_arn=JOHN_ARN,
        status=Status.CONNECTING,
        started=1_799_999_000.0 + n + 0.123456,
        document_name="SSM-SessionManagerRunShell",
        document='{"schemaVersion": "1.0"}',
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def token(n: int, of: Session, expires: float = 1_800_000_060.0) -> Token:
    return Token(digest=f"{n:064x}", session_id=of.session_id, expires=expires)


def request(of: Session, expires: float = 1_800_000_600.0, **changes: str) -> Request:
    made = Request(
        owner=JOHN, token="again", fingerprint="f1", session_id=of.session_id, expires=expires
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def add(store: SessionStore, *sessions: Session) -> list[Session]:
    return [
        store.create(made, token(int(made.session_id[-8:], 16), made), None) for made in sessions
    ]


def end(store: SessionStore, read: Session, at: float) -> Session:
    ended = replace(read, status=Status.TERMINATED, ended=at, status_since=at, exit_code=0)
    return store.update(read, ended)


def pages(store: SessionStore, query: SessionQuery, most: int = 30) -> list[Session]:
    """Every session of a query, page by page."""
    found: list[Session] = []
    for _ in range(most):
        page: SessionPage = store.query(query)
        assert len(page.sessions) <= query.max_results
        found += page.sessions
        if not page.next_token:
            return found
        query = replace(query, next_token=page.next_token)
    pytest.fail("the pages do not end")


class TestSessions:
    def test_what_was_created_is_read_back_whole(self, store: SessionStore) -> None:
        made = session(
            1,
            reason='a "reason" – ü',
            started=1_799_999_999.1234567,
            ended=0.1,
            end_reason="why",
            exit_code=255,
            stated=Stated(sent=7, taken=3, client="00000000-0000-0000-0000-000000000001"),
            generation=7,
            connection="AbC=",
            agent_instance="agent",
            activity=1_800_000_000.000001,
            status_since=1e-7,
            proven=1_800_000_000.5,
            attached=1_800_000_000.25,
            takeovers=2,
            marked=77,
            idle_ends=1_800_001_200.5,
            duration_ends=1_800_003_600.5,
        )
        created = store.create(made, token(1, made), None)
        assert created == replace(made, version=1)
        assert store.get(made.session_id) == created

    def test_ended_sessions_that_still_have_a_connection_are_listed(
        self, store: SessionStore
    ) -> None:
        going, over, left, other = add(
            store, *(session(n, connection=f"C{n}=") for n in (1, 2, 3)), session(4)
        )
        ended = [end(store, one, 1_800_000_100.0) for one in (over, left, other)]
        assert list(store.lingering(10)) == ended[:2]
        assert list(store.lingering(1)) == ended[:1]
        store.update(ended[0], replace(ended[0], connection=""))
        assert list(store.lingering(10)) == [ended[1]]
        assert list(store.active_on(going.target)) == [going]

    def test_an_unknown_session_is_none(self, store: SessionStore) -> None:
        assert store.get("nobody-00000000000000000") is None

    def test_a_session_id_is_used_once(self, store: SessionStore) -> None:
        (first,) = add(store, session(1))
        with pytest.raises(Stale):
            store.create(session(1, reason="other"), token(99, first), None)
        assert store.get(first.session_id) == first
        assert store.use_token(f"{99:064x}", "c", 1_800_000_000.0) is None

    def test_an_update_counts_the_version_and_keeps_what_it_writes(
        self, store: SessionStore
    ) -> None:
        (read,) = add(store, session(1))
        written = store.update(read, replace(read, status=Status.CONNECTED, generation=1))
        assert written == replace(read, status=Status.CONNECTED, generation=1, version=2)
        assert store.get(read.session_id) == written

    def test_of_two_updates_of_one_state_the_second_is_stale(self, store: SessionStore) -> None:
        (read,) = add(store, session(1))
        first = store.update(read, replace(read, reason="first"))
        with pytest.raises(Stale):
            store.update(read, replace(read, reason="second"))
        assert store.get(read.session_id) == first

    def test_an_update_of_an_absent_session_is_stale(self, store: SessionStore) -> None:
        with pytest.raises(Stale):
            store.update(session(1, version=1), session(1))

    def test_an_update_cannot_change_the_id(self, store: SessionStore) -> None:
        (read,) = add(store, session(1))
        with pytest.raises(ValueError, match="id"):
            store.update(read, session(2))

    def test_an_exit_code_can_be_absent_and_zero(self, store: SessionStore) -> None:
        (read,) = add(store, session(1))
        assert read.exit_code is None
        end(store, read, 1_800_000_000.0)
        stored = store.get(read.session_id)
        assert stored is not None
        assert stored.exit_code == 0


class TestIdempotentStart:
    def test_an_equal_request_gets_the_first_session_and_its_own_token(
        self, store: SessionStore
    ) -> None:
        first, second = session(1), session(2)
        created = store.create(first, token(1, first), request(first))
        assert store.create(second, token(2, second), request(second)) == created
        assert store.get(second.session_id) is None
        used = store.use_token(f"{2:064x}", "c", 1_800_000_000.0)
        assert used is not None
        assert used.session_id == first.session_id

    def test_a_request_that_was_something_else_is_refused(self, store: SessionStore) -> None:
        first, second = session(1), session(2)
        store.create(first, token(1, first), request(first))
        with pytest.raises(IdempotentParameterMismatch):
            store.create(second, token(2, second), request(second, fingerprint="f2"))
        assert store.get(second.session_id) is None
        assert store.use_token(f"{2:064x}", "c", 1_800_000_000.0) is None

    def test_an_expired_request_is_forgotten(self, store: SessionStore, clock: ManualClock) -> None:
        first, second = session(1), session(2)
        store.create(first, token(1, first), request(first, expires=clock.now))
        created = store.create(second, token(2, second), request(second, fingerprint="f2"))
        assert created.session_id == second.session_id

    def test_owners_do_not_share_request_tokens(self, store: SessionStore) -> None:
        first, second = session(1), session(2)
        store.create(first, token(1, first), request(first))
        theirs = replace(request(second), owner=Owner("000000000000", "AIDAJOHNNY"))
        assert store.create(second, token(2, second), theirs).session_id == second.session_id


class TestTokens:
    def test_a_token_opens_one_connection(self, store: SessionStore, clock: ManualClock) -> None:
        (made,) = add(store, session(1))
        used = store.use_token(f"{1:064x}", "first", clock.now)
        assert used == replace(token(1, made), connection="first")
        assert store.use_token(f"{1:064x}", "second", clock.now) is None

    def test_the_same_connection_again_is_answered_alike(
        self, store: SessionStore, clock: ManualClock
    ) -> None:
        add(store, session(1))
        first = store.use_token(f"{1:064x}", "same", clock.now)
        assert first is not None
        assert store.use_token(f"{1:064x}", "same", clock.now) == first

    def test_a_token_expires(self, store: SessionStore) -> None:
        (made,) = add(store, session(1))
        store.add_token(token(7, made, expires=1_800_000_010.25))
        assert store.use_token(f"{7:064x}", "c", 1_800_000_010.25) is None
        assert store.use_token(f"{7:064x}", "c", 1_800_000_010.0) is not None

    def test_a_token_keeps_the_address_it_is_for(self, store: SessionStore) -> None:
        (made,) = add(store, session(1))
        bound = replace(token(7, made), source_ip="2001:db8::1")
        store.add_token(bound)
        assert store.use_token(bound.digest, "c", 1_800_000_000.0) == replace(bound, connection="c")

    def test_a_token_keeps_the_generation_it_was_made_at(self, store: SessionStore) -> None:
        (made,) = add(store, session(1))
        later = replace(token(7, made), generation=3)
        store.add_token(later)
        assert store.use_token(later.digest, "c", 1_800_000_000.0) == replace(later, connection="c")

    def test_a_spare_is_bound_to_whichever_connection_showed_it_last(
        self, store: SessionStore
    ) -> None:
        (made,) = add(store, session(1))
        spare = replace(token(7, made), spare=True, source_ip="192.0.2.7", reconnects=True)
        store.add_token(spare)
        for connection in ("first", "second", "first"):
            used = store.use_token(spare.digest, connection, 1_800_000_000.0)
            assert used == replace(spare, connection=connection)
        assert store.use_token(spare.digest, "first", spare.expires) is None

    def test_a_session_keeps_its_spare(self, store: SessionStore) -> None:
        (made,) = add(store, session(1))
        store.update(made, replace(made, spare=f"{7:064x}"))
        kept = store.get(made.session_id)
        assert kept is not None
        assert kept.spare == f"{7:064x}"

    def test_an_unknown_token_is_none(self, store: SessionStore, clock: ManualClock) -> None:
        assert store.use_token(f"{5:064x}", "c", clock.now) is None

    def test_a_token_without_a_connection_is_a_mistake(
        self, store: SessionStore, clock: ManualClock
    ) -> None:
        add(store, session(1))
        with pytest.raises(ValueError, match="connection"):
            store.use_token(f"{1:064x}", "", clock.now)

    def test_a_token_is_added_once(self, store: SessionStore) -> None:
        (made,) = add(store, session(1))
        with pytest.raises(Stale):
            store.add_token(token(1, made))


class TestConnections:
    def test_a_connection_is_known_until_it_is_removed(self, store: SessionStore) -> None:
        made = Connection(connection="AbC=", session_id=session(1).session_id, generation=3)
        store.add_connection(made)
        assert store.connection("AbC=") == made
        store.remove_connection("AbC=")
        assert store.connection("AbC=") is None
        store.remove_connection("AbC=")


class TestActive:
    def test_a_node_s_sessions_are_those_that_are_not_ended(self, store: SessionStore) -> None:
        one, two, elsewhere = add(store, session(1), session(2), session(3, target=OTHER_NODE))
        end(store, two, 1_800_000_000.0)
        assert [s.session_id for s in store.active_on(NODE)] == [one.session_id]
        assert [s.session_id for s in store.active_on(OTHER_NODE)] == [elsewhere.session_id]
        assert list(store.active_on("i-0123456789abcdef9")) == []

    def test_all_active_sessions_come_oldest_first(self, store: SessionStore) -> None:
        made = add(store, *(session(n) for n in (3, 1, 2)))
        end(store, made[2], 1_800_000_000.0)
        assert [s.session_id[-1] for s in store.active().sessions] == ["1", "3"]

    def test_pages_of_active_sessions_miss_none(self, store: SessionStore) -> None:
        add(store, *(session(n) for n in range(1, 121)))
        first = store.active()
        rest = store.active(first.next_token)
        found = [s.session_id for s in (*first.sessions, *rest.sessions)]
        assert found == [session(n).session_id for n in range(1, 121)]
        assert rest.next_token == ""

    def test_a_token_of_another_list_is_refused(self, store: SessionStore) -> None:
        add(store, *(session(n) for n in range(1, 4)))
        page = store.query(SessionQuery(active=True, max_results=1))
        for bad in (page.next_token, "x", "a" * 600, "bm8="):
            with pytest.raises(InvalidNextToken):
                store.active(bad)


class TestDescribe:
    def test_newest_first_in_pages_of_the_size_asked_for(self, store: SessionStore) -> None:
        made = add(store, *(session(n) for n in range(1, 8)))
        found = pages(store, SessionQuery(active=True, max_results=3))
        assert found == made[::-1]

    def test_the_pages_stay_true_under_writes(self, store: SessionStore) -> None:
        made = add(store, *(session(n) for n in range(1, 7)))
        query = SessionQuery(active=True, max_results=2)
        first = store.query(query)
        # the place of the page's end is gone, and a newer session has come
        end(store, made[4], 1_800_000_000.0)
        end(store, made[3], 1_800_000_000.0)
        add(store, session(9))
        rest = pages(store, replace(query, next_token=first.next_token))
        assert [s.session_id[-1] for s in (*first.sessions, *rest)] == list("65321")

    def test_an_ended_session_moves_to_the_history(self, store: SessionStore) -> None:
        (read,) = add(store, session(1))
        ended = end(store, read, 1_800_000_000.0)
        assert pages(store, SessionQuery(active=True)) == []
        assert pages(store, SessionQuery(active=False)) == [ended]

    def test_the_history_forgets_after_thirty_days(
        self, store: SessionStore, clock: ManualClock
    ) -> None:
        (read,) = add(store, session(1))
        ended = end(store, read, clock.now + 0.5)
        clock.advance(30 * DAY)
        assert pages(store, SessionQuery(active=False)) == [ended]
        assert store.get(read.session_id) == ended
        clock.advance(0.5)
        assert pages(store, SessionQuery(active=False)) == []
        assert pages(store, SessionQuery(active=False, session_id=read.session_id)) == []
        assert pages(store, SessionQuery(active=False, owner_arn=JOHN_ARN)) == []
        assert store.get(read.session_id) is None

    def test_an_active_session_is_never_forgotten(
        self, store: SessionStore, clock: ManualClock
    ) -> None:
        (read,) = add(store, session(1))
        clock.advance(365 * DAY)
        assert store.get(read.session_id) == read

    @pytest.mark.parametrize("active", [True, False])
    @pytest.mark.parametrize(
        ("wanted", "expected"),
        [
            ({"target": OTHER_NODE}, "42"),
            ({"owner_arn": MARY_ARN}, "43"),
            ({"owner_arn": JOHN_ARN}, "521"),
            ({"owner_arn": JOHN_ARN[:-1]}, ""),
            ({"target": OTHER_NODE, "owner_arn": MARY_ARN}, "4"),
            ({"session_id": session(3).session_id}, "3"),
            ({"session_id": session(3).session_id, "target": OTHER_NODE}, ""),
            ({"session_id": session(8).session_id}, ""),
            ({"invoked_after": session(3).started}, "543"),
            ({"invoked_before": session(3).started}, "21"),
            ({"invoked_after": session(2).started, "invoked_before": session(4).started}, "32"),
            ({"invoked_after": session(4).started, "invoked_before": session(2).started}, ""),
            ({"session_id": session(3).session_id, "invoked_after": session(4).started}, ""),
        ],
    )
    def test_filters_leave_what_matches_all_of_them(
        self, store: SessionStore, active: bool, wanted: dict[str, str], expected: str
    ) -> None:
        made = add(
            store,
            session(1),
            session(2, target=OTHER_NODE),
            session(3, owner_arn=MARY_ARN),
            session(4, owner_arn=MARY_ARN, target=OTHER_NODE),
            session(5),
        )
        if not active:
            for read in made:
                end(store, read, 1_800_000_000.0)
        query = SessionQuery(active=active, max_results=2, **wanted)  # type: ignore[arg-type]
        assert "".join(s.session_id[-1] for s in pages(store, query)) == expected
        assert pages(store, replace(query, active=not active)) == []

    def test_the_status_is_a_filter_of_both_lists(self, store: SessionStore) -> None:
        made = add(store, *(session(n) for n in (1, 2, 3)))
        up = store.update(made[0], replace(made[0], status=Status.CONNECTED))
        over = end(store, made[1], 1_800_000_000.0)
        assert pages(store, SessionQuery(active=True, status="Connected")) == [up]
        assert pages(store, SessionQuery(active=False, status="Terminated")) == [over]
        assert pages(store, SessionQuery(active=False, status="Failed")) == []

    @pytest.mark.parametrize("size", [0, 201, -1])
    def test_a_page_has_one_to_two_hundred_sessions(self, store: SessionStore, size: int) -> None:
        with pytest.raises(ValidationException):
            store.query(SessionQuery(active=True, max_results=size))

    def test_a_token_is_good_for_its_query_only(self, store: SessionStore) -> None:
        add(store, *(session(n) for n in range(1, 4)))
        query = SessionQuery(active=True, max_results=1)
        page = store.query(query)
        assert store.query(replace(query, max_results=2, next_token=page.next_token)).sessions
        for other in (
            replace(query, active=False),
            replace(query, target=NODE),
            replace(query, invoked_after=1.0),
        ):
            with pytest.raises(InvalidNextToken):
                store.query(replace(other, next_token=page.next_token))

    @pytest.mark.parametrize(
        "bad", ["x", "====", "bm90IGpzb24=", "W10=", "a" * 513, "WyIiLCAiIl0="]
    )
    def test_a_made_up_token_is_refused(self, store: SessionStore, bad: str) -> None:
        with pytest.raises(InvalidNextToken):
            store.query(SessionQuery(active=True, next_token=bad))
