"""The port SessionStore's counts and limits: what holds for the memory twin and the table alike."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hatchway.core.errors import LimitExceededException, ThrottlingException
from hatchway.core.lifecycle import Status
from hatchway.core.names import Owner
from lambdas import quotas
from lambdas.adapters.table import TableSessions
from lambdas.memory.clock import ManualClock
from lambdas.memory.sessions import MemorySessions
from lambdas.ports import Circumstances, Count, Limits, Session, SessionStore, Stale
from tests.contract.cloud import Cloud
from tests.contract.test_sessions import JOHN, NODE, OTHER_NODE, add, end, request, session, token

ROOM = Limits(per_user=100, per_node=100, per_account=100, starts_a_minute=100)
MARY = Owner(JOHN.account, "AROAWEB:mary")


@pytest.fixture
def store(cloud: Cloud | None, clock: ManualClock) -> SessionStore:
    if cloud is None:
        return MemorySessions(clock)
    return TableSessions(cloud.table(), clock, client=cloud.client("dynamodb"))


def web(n: int) -> Owner:
    """A session of the role Web by another name each time."""
    return Owner(JOHN.account, f"AROAWEB:p{n}")


def counts(store: SessionStore) -> dict[str, int]:
    return {count.name.partition("/")[0]: count.sessions for count in store.counts()}


def count(store: SessionStore, name: str) -> Count:
    return next(found for found in store.counts() if found.name == name)


def create(store: SessionStore, n: int, limits: Limits, **changes: object) -> Session:
    made = session(n, **changes)
    return store.create(made, token(n, made), None, limits)


class TestLimits:
    @pytest.mark.parametrize(
        ("limits", "changes", "said"),
        [
            (replace(ROOM, per_user=2), {"target": OTHER_NODE}, "2 sessions of this caller"),
            (replace(ROOM, per_node=2), {"owner": MARY}, "2 sessions on this node"),
            (
                replace(ROOM, per_account=2),
                {"owner": MARY, "target": OTHER_NODE},
                "2 sessions in this account",
            ),
        ],
    )
    def test_a_limit_is_reached_and_not_passed_and_says_which_it_is(
        self, store: SessionStore, limits: Limits, changes: dict[str, object], said: str
    ) -> None:
        first = create(store, 1, limits)
        create(store, 2, limits)
        with pytest.raises(LimitExceededException, match=said):
            create(store, 3, limits, **changes)
        assert store.get(session(3).session_id) is None
        assert store.use_token(f"{3:064x}", "c", 1_800_000_000.0) is None
        end(store, first, 1_800_000_000.0)
        assert create(store, 3, limits, **changes).version == 1

    def test_a_role_s_sessions_have_a_limit_in_common_whatever_they_are_called(
        self, store: SessionStore
    ) -> None:
        limits = replace(ROOM, per_role=2)
        first, *_ = (create(store, n, limits, owner=web(n)) for n in (1, 2))
        with pytest.raises(LimitExceededException, match="2 sessions of this role"):
            create(store, 3, limits, owner=web(3))
        assert create(store, 4, limits, owner=Owner(JOHN.account, "AROADEV:x")).version == 1
        end(store, first, 1_800_000_000.0)
        assert create(store, 3, limits, owner=web(3)).version == 1

    def test_without_limits_sessions_are_counted_all_the_same(self, store: SessionStore) -> None:
        add(store, session(1), session(2))
        assert counts(store) == {"user": 2, "node": 2, "account": 2}

    def test_callers_are_whole_user_ids(self, store: SessionStore) -> None:
        one = replace(ROOM, per_user=1)
        create(store, 1, one, owner=Owner(JOHN.account, "AROAWEB:bob"))
        create(store, 2, one, owner=Owner(JOHN.account, "AROAWEB:bob-admin"))
        with pytest.raises(LimitExceededException):
            create(store, 3, one, owner=Owner(JOHN.account, "AROAWEB:bob"))

    def test_a_repeated_request_counts_once_and_is_answered_at_the_limit(
        self, store: SessionStore
    ) -> None:
        one = replace(ROOM, per_user=1)
        first, second = session(1), session(2)
        made = store.create(first, token(1, first), request(first), one)
        assert store.create(second, token(2, second), request(second), one) == made
        assert counts(store) == {"user": 1, "node": 1, "account": 1}


class TestCountedOutOnce:
    def test_each_end_counts_one_out(self, store: SessionStore) -> None:
        one, two = add(store, session(1), session(2))
        end(store, one, 1_800_000_000.0)
        assert counts(store) == {"user": 1, "node": 1, "account": 1}
        end(store, two, 1_800_000_000.0)
        assert counts(store) == {"user": 0, "node": 0, "account": 0}

    def test_an_end_that_comes_too_late_counts_nothing(self, store: SessionStore) -> None:
        (one,) = add(store, session(1))
        end(store, one, 1_800_000_000.0)
        with pytest.raises(Stale):
            end(store, one, 1_800_000_001.0)
        assert counts(store)["account"] == 0

    def test_writes_of_what_is_not_ended_or_is_already_count_nothing(
        self, store: SessionStore
    ) -> None:
        (one,) = add(store, session(1), session(2))[:1]
        one = store.update(one, replace(one, status=Status.TERMINATING))
        assert counts(store)["account"] == 2
        ended = end(store, one, 1_800_000_000.0)
        store.update(ended, replace(ended, connection=""))
        assert counts(store)["account"] == 1


class TestRecount:
    def test_a_wrong_count_is_put_right(self, store: SessionStore, clock: ManualClock) -> None:
        add(store, session(1))
        name = f"node/{NODE}"
        assert store.recount(count(store, name), 7)
        assert count(store, name).sessions == 7
        assert store.recount(count(store, name), 1)
        assert count(store, name).sessions == 1

    def test_a_count_that_changed_meanwhile_is_left_alone(
        self, store: SessionStore, clock: ManualClock
    ) -> None:
        add(store, session(1))
        read = count(store, f"node/{NODE}")
        clock.advance(0.5)
        add(store, session(2))
        assert not store.recount(read, 1)
        assert not store.recount(read, 0)
        assert count(store, f"node/{NODE}").sessions == 2

    def test_a_count_of_nothing_is_forgotten_and_begins_anew(
        self, store: SessionStore, clock: ManualClock
    ) -> None:
        (one,) = add(store, session(1))
        end(store, one, 1_800_000_000.0)
        read = count(store, f"node/{NODE}")
        assert store.recount(read, 0)
        assert not store.recount(read, 0)
        assert "node" not in counts(store)
        create(store, 2, replace(ROOM, per_node=1))
        assert counts(store)["node"] == 1

    def test_a_count_that_is_missing_is_made_and_one_that_is_there_is_not(
        self, store: SessionStore, clock: ManualClock
    ) -> None:
        name = f"node/{NODE}"
        missing = Count(name=name, sessions=0, changed=0.0)
        assert store.recount(missing, 3)
        assert count(store, name) == Count(name=name, sessions=3, changed=clock.now)
        assert not store.recount(missing, 4)
        assert count(store, name).sessions == 3

    def test_an_end_never_fails_for_a_count_that_was_lost(self, store: SessionStore) -> None:
        (one,) = add(store, session(1))
        for each in store.counts():
            store.recount(each, 0)
        end(store, one, 1_800_000_000.0)
        assert counts(store) == {"user": -1, "node": -1, "account": -1}

    def test_what_is_counted_is_what_a_recount_finds(self, store: SessionStore) -> None:
        made = add(store, session(1), session(2, target=OTHER_NODE), session(3, owner=MARY))
        end(store, made[0], 1_800_000_000.0)
        found = quotas.recounted(store.active().sessions)
        stored = {each.name: each.sessions for each in store.counts() if each.sessions}
        assert found == stored


class TestRate:
    def test_as_many_starts_as_the_limit_in_a_minute_and_no_more(
        self, store: SessionStore, clock: ManualClock
    ) -> None:
        for _ in range(3):
            store.count_start(JOHN, 3)
        with pytest.raises(ThrottlingException, match="3"):
            store.count_start(JOHN, 3)
        store.count_start(MARY, 3)
        clock.advance(quotas.WINDOW)
        store.count_start(JOHN, 3)

    def test_as_many_questions_and_no_more_beside_the_starts(
        self, store: SessionStore, clock: ManualClock
    ) -> None:
        store.count_start(JOHN, 1)
        for _ in range(2):
            store.count_question(JOHN, 2)
        with pytest.raises(ThrottlingException, match="At most 2 such requests"):
            store.count_question(JOHN, 2)
        store.count_question(MARY, 2)
        clock.advance(60)
        store.count_question(JOHN, 2)


class TestWhatIsRecordedOfTheStart:
    def test_it_is_read_back_whole(self, store: SessionStore) -> None:
        about = Circumstances(
            source_ip="192.0.2.7", user_agent="ü", organisation="o-1", long_term=True
        )
        made = create(store, 1, ROOM, about=about, document_named=True, access_ends=1.5)
        assert store.get(made.session_id) == made
        assert made.about == about
