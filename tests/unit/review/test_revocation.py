"""A session lasts no longer than its permission: every way to lose it, and what is no loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatchway.core.errors import InternalServerError, ThrottlingException
from hatchway.core.lifecycle import Status
from lambdas.memory import sessions as memory
from lambdas.memory.ec2 import MemoryInstances
from lambdas.memory.sessions import MemorySessions
from lambdas.ports import InstanceFacts, NodeRole, Session
from lambdas.review import handler
from tests.unit.review.world import Reviewed
from tests.unit.sessions.world import (
    ACCOUNT,
    NODE,
    Document,
    Person,
    allow,
    deny,
)

START = allow("ssm:StartSession")
HERE = {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}
NO_MFA = {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}
WITH_MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
OLD_TOKEN = {"DateLessThan": {"aws:TokenIssueTime": "2030-01-01T00:00:00Z"}}
DEFAULT_DOCUMENT = "arn:aws:ssm:eu-west-1:123456789012:document/SSM-SessionManagerRunShell"


def revoked(world: Reviewed, session: Session) -> bool:
    found = world.now(session)
    return found.end_reason == "access revoked" and found.status is not Status.CONNECTED


# --- every way to lose it -----------------------------------------------------------------------


def _detach(world: Reviewed, john: Person) -> None:
    world.again(john)


def _deny(world: Reviewed, john: Person) -> None:
    world.again(john, START, deny("ssm:StartSession"))


def _delete(world: Reviewed, john: Person) -> None:
    world.policies.remove(john.arn)


def _recreate(world: Reviewed, john: Person) -> None:
    world.again(john, START)
    _, policies = world.policies._principals[john.arn]
    world.policies.add(john.arn, john.userid + "X", policies)


def _retag(world: Reviewed, john: Person) -> None:
    tags = {"team": "db"}
    world.instances.instances[NODE] = replace(world.instances.instances[NODE], tags=tags)


def _terminate_instance(world: Reviewed, john: Person) -> None:
    del world.instances.instances[NODE]


def _untag_person(world: Reviewed, john: Person) -> None:
    world.again(john, ALLOWED["principal tag"], tags={"team": "db"})


def _move_network(world: Reviewed, john: Person) -> None:
    elsewhere = {"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}}
    world.again(john, allow("ssm:StartSession", Condition=elsewhere))


def _end_date(world: Reviewed, john: Person) -> None:
    world.clock.advance(86400 * 366)


def _other_document(world: Reviewed, john: Person) -> None:
    only = {"BoolIfExists": {"ssm:SessionDocumentAccessCheck": "true"}}
    world.again(john, allow("ssm:StartSession", on="arn:*:instance/*", Condition=only))


ALLOWED: dict[str, Document] = {
    "plain": START,
    "instance tag": allow(
        "ssm:StartSession", Condition={"StringEquals": {"ssm:resourceTag/team": "web"}}
    ),
    "principal tag": allow(
        "ssm:StartSession", Condition={"StringEquals": {"aws:PrincipalTag/team": "web"}}
    ),
    "date": allow(
        "ssm:StartSession", Condition={"DateLessThan": {"aws:CurrentTime": "2027-06-01T00:00:00Z"}}
    ),
}


@pytest.mark.parametrize(
    ("allowed", "lose"),
    [
        ("plain", _detach),
        ("plain", _deny),
        ("plain", _delete),
        ("plain", _recreate),
        ("plain", _move_network),
        ("plain", _other_document),
        ("instance tag", _retag),
        ("instance tag", _terminate_instance),
        ("principal tag", _untag_person),
        ("date", _end_date),
    ],
)
def test_a_permission_that_is_gone_ends_the_session_and_says_so(
    world: Reviewed, allowed: str, lose: Callable[[Reviewed, Person], None]
) -> None:
    john = world.user("john", ALLOWED[allowed], tags={"team": "web"})
    session = world.attached(john)
    assert world.review().fields.get("revoked") is None
    assert world.now(session).status is Status.CONNECTED
    lose(world, john)
    line = world.review()
    assert (line.fields["revoked"], line.level) == (1, "INFO")
    assert revoked(world, session)
    assert world.farewells(session) == ["access revoked"]
    assert not world.clients.is_open(session.connection)
    assert world.downlink.hints[-1] == (NODE, session.session_id)


def test_a_role_s_session_ends_with_the_role_s_permission_and_only_with_its_own(
    world: Reviewed,
) -> None:
    bob, admin = world.role("Ops", "bob", START), world.role("Admin", "bob", START)
    ours, other = world.attached(bob), world.attached(admin)
    world.role("Ops", "bob")
    world.review()
    assert revoked(world, ours)
    assert world.now(other).status is Status.CONNECTED


def test_a_role_that_became_a_node_s_is_a_person_s_no_more(world: Reviewed) -> None:
    session = world.attached(world.role("Ops", "bob", START))
    role_id = session.owner.userid.partition(":")[0]
    world.nodes.put_role(NodeRole(role_id=role_id, role_arn=f"arn:aws:iam::{ACCOUNT}:role/ops/Ops"))
    world.review()
    assert revoked(world, session)


@pytest.mark.parametrize("person", ["role", "user of temporary credentials"])
@pytest.mark.parametrize("condition", [NO_MFA, OLD_TOKEN], ids=["mfa", "older sessions"])
def test_a_new_deny_on_what_is_never_seen_ends_what_it_would_refuse_to_start(
    world: Reviewed, person: str, condition: Document
) -> None:
    """So "revoke older sessions" ends shells; who signed with an own key has no such property."""
    if person == "role":
        who = world.role("Ops", "bob", START)
        session = world.attached(who)
        world.role("Ops", "bob", START, deny("ssm:*", Condition=condition))
    else:
        who = replace(world.user("john", START), access_key="ASIAEXAMPLE")
        session = world.attached(who)
        world.user("john", START, deny("ssm:*", Condition=condition))
    assert world.start(who).denied
    world.review()
    assert revoked(world, session)


# --- what is no loss ----------------------------------------------------------------------------


def test_what_was_known_of_the_request_at_the_start_still_is(world: Reviewed) -> None:
    by_browser = {"StringLike": {"aws:UserAgent": "hatchway/*"}}
    conditions = {**HERE, **by_browser}
    mine = deny("ssm:*", Condition={"Bool": {"aws:MultiFactorAuthPresent": "false"}})
    session = world.attached(
        world.user("john", allow("ssm:StartSession", Condition=conditions), mine)
    )
    line = world.review()
    assert world.now(session).status is Status.CONNECTED
    assert "undecided" not in line.fields


def test_a_document_that_was_named_is_asked_about_and_one_that_was_not_is_not(
    world: Reviewed,
) -> None:
    instances = allow("ssm:StartSession", on="arn:*:instance/*")
    both = allow("ssm:StartSession", on=["arn:*:instance/*", DEFAULT_DOCUMENT])
    john = world.user("john", both)
    named = world.attached(john, {"DocumentName": "SSM-SessionManagerRunShell"})
    unnamed = world.attached(john)
    world.again(john, instances)
    world.review()
    assert revoked(world, named)
    assert world.now(unnamed).status is Status.CONNECTED


def _unrecorded(world: Reviewed, session: Session) -> Session:
    """As one that was started before its request was recorded."""
    return world.sessions.update(session, replace(session, about=None))


@pytest.mark.parametrize(
    "condition",
    [
        HERE,
        {"StringLike": {"aws:UserAgent": "*"}},
        {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    ],
    ids=["address", "agent", "session"],
)
def test_what_is_not_known_any_more_ends_nothing(world: Reviewed, condition: Document) -> None:
    john = world.user("john", START)
    session = _unrecorded(world, world.attached(john))
    world.again(john, allow("ssm:StartSession", Condition=condition))
    line = world.review()
    assert world.now(session).status is Status.CONNECTED
    assert line.fields["undecided"] == 1


@pytest.mark.parametrize(
    "denied", [(), (START, deny("ssm:*")), (allow("ssm:*", Condition=HERE), deny("ssm:*"))]
)
def test_a_certain_denial_ends_a_session_whose_request_is_not_known(
    world: Reviewed, denied: tuple[Document, ...]
) -> None:
    john = world.user("john", START)
    session = _unrecorded(world, world.attached(john))
    world.again(john, *denied)
    world.review()
    assert revoked(world, session)


def test_an_unrecorded_session_of_a_role_ends_by_what_was_never_known(world: Reviewed) -> None:
    session = _unrecorded(world, world.attached(world.role("Ops", "bob", START)))
    world.role("Ops", "bob", START, deny("ssm:*", Condition=OLD_TOKEN))
    world.review()
    assert revoked(world, session)


# --- when nobody answers ------------------------------------------------------------------------


@pytest.mark.parametrize("error", [ThrottlingException(), InternalServerError()])
def test_where_iam_does_not_answer_nothing_is_ended_and_it_is_asked_again(
    world: Reviewed, error: Exception
) -> None:
    john = world.user("john", START)
    session = world.attached(john)
    world.again(john)
    world.policies.failure = error  # type: ignore[assignment]
    line = world.review()
    assert world.now(session).status is Status.CONNECTED
    assert (line.fields["unasked"], line.level) == (1, "WARNING")
    world.policies.failure = None
    world.review()
    assert revoked(world, session)


class Silent(MemoryInstances):
    def facts_of(self, node_ids: object) -> dict[str, InstanceFacts]:
        raise ThrottlingException()


def test_where_ec2_does_not_answer_nothing_is_ended(world: Reviewed) -> None:
    john = world.user("john", START)
    session = world.attached(john)
    world.again(john)
    answering, world.instances = world.instances, Silent()
    line = world.review()
    assert (line.fields["unasked"], line.fields["code"]) == (1, "ThrottlingException")
    assert world.now(session).status is Status.CONNECTED
    world.instances = answering
    world.review()
    assert revoked(world, session)


def test_iam_is_spared_after_a_named_number_of_refusals_in_a_row(world: Reviewed) -> None:
    owners = handler.MAX_UNANSWERED + 3
    for n in range(owners):
        world.attached(world.user(f"u{n}", START))
    calls: list[str] = []

    class Throttled:
        def of(self, arn: str, userid: str) -> object:
            calls.append(arn)
            raise ThrottlingException()

    world.policies = Throttled()  # type: ignore[assignment]
    line = world.review()
    assert len(calls) == handler.MAX_UNANSWERED
    assert line.fields["unasked"] == owners


def test_a_run_that_takes_too_long_leaves_the_rest_to_the_next(world: Reviewed) -> None:
    for n in range(3):
        world.attached(world.user(f"u{n}", START))
    read = world.policies.of

    class Slow:
        def of(self, arn: str, userid: str) -> object:
            world.clock.advance(handler.BUDGET / 1.5)
            return read(arn, userid)

    world.policies = Slow()  # type: ignore[assignment]
    assert world.review().fields["unasked"] == 2


def test_an_owner_s_policies_are_read_once_however_many_sessions(world: Reviewed) -> None:
    john = world.user("john", START)
    for _ in range(4):
        world.attached(john)
    read, calls = world.policies.of, []

    class Counting:
        def of(self, arn: str, userid: str) -> object:
            calls.append(arn)
            return read(arn, userid)

    world.policies = Counting()  # type: ignore[assignment]
    assert world.review().fields["seen"] == 4
    assert calls == [john.arn]


# --- races and failures -------------------------------------------------------------------------


def test_reviewing_again_ends_nothing_twice(world: Reviewed) -> None:
    john = world.user("john", START)
    session = world.attached(john)
    world.again(john)
    world.review()
    before = world.now(session)
    assert "revoked" not in world.review().fields
    assert world.now(session) == before
    assert len(world.farewells(session)) == 1


def test_a_session_that_runs_nowhere_is_over_at_once(world: Reviewed) -> None:
    john = world.user("john", START)
    session = world.started(john)
    world.again(john)
    world.review()
    found = world.now(session)
    assert (found.status, found.end_reason) == (Status.TERMINATED, "access revoked")


def test_the_first_reason_stands(world: Reviewed) -> None:
    john = world.user("john", START)
    session = world.attached(john)
    world.sessions.update(
        session, replace(session, status=Status.TERMINATING, end_reason="idle for too long")
    )
    world.again(john)
    world.review()
    assert world.now(session).end_reason == "idle for too long"


def test_a_client_that_cannot_be_told_does_not_keep_the_session(world: Reviewed) -> None:
    john = world.user("john", START)
    session = world.attached(john)
    world.again(john)
    world.clients.failure = ThrottlingException()
    assert world.review().fields["unheard"] == 1
    assert revoked(world, session)


class Failing(MemorySessions):
    """Cannot write sessions of one owner."""

    error: Exception = ThrottlingException()

    def update(self, read: Session, changed: Session) -> Session:
        if changed.end_reason and read.session_id.startswith("bob-"):
            raise self.error
        return super().update(read, changed)


@pytest.mark.parametrize(
    ("error", "level"), [(ThrottlingException(), "WARNING"), (RuntimeError("x"), "ERROR")]
)
def test_one_failing_session_stops_no_other(error: Exception, level: str) -> None:
    world = Reviewed()
    world.sessions = sessions = Failing(world.clock)
    world.rebuild()
    sessions.error = error
    bob, john = world.user("bob", START), world.user("john", START)
    failing, other = world.attached(bob), world.attached(john)
    world.again(bob)
    world.again(john)
    line = world.review()
    assert revoked(world, other)
    assert world.now(failing).status is Status.CONNECTED
    assert (line.fields["failed"], line.level) == (1, level)


class Ending(MemorySessions):
    """The shell is left between the review's read and its write."""

    left = False

    def update(self, read: Session, changed: Session) -> Session:
        if changed.end_reason and not self.left:
            self.left = True
            super().update(read, replace(read, status=Status.TERMINATED, ended=self._clock()))
        return super().update(read, changed)


def test_a_session_that_was_left_meanwhile_was_not_revoked() -> None:
    world = Reviewed()
    world.sessions = Ending(world.clock)
    world.rebuild()
    john = world.user("john", START)
    session = world.attached(john)
    world.again(john)
    line = world.review()
    assert "revoked" not in line.fields
    assert world.now(session).end_reason == ""
    assert world.farewells(session) == []


def test_every_page_is_read(monkeypatch: pytest.MonkeyPatch, world: Reviewed) -> None:
    monkeypatch.setattr(memory, "ACTIVE_PAGE", 1)
    john = world.user("john", START)
    found = []
    for _ in range(3):
        found.append(world.attached(john))
        world.clock.advance(1)
    world.again(john)
    assert world.review().fields["revoked"] == 3
    assert all(revoked(world, session) for session in found)


STATEMENTS = (
    START,
    allow("ssm:StartSession", on="arn:*:instance/*"),
    allow("ssm:StartSession", Condition=HERE),
    allow("ssm:*", Condition={"StringEquals": {"ssm:resourceTag/team": "web"}}),
    allow("ssm:*", Condition={"Null": {"aws:PrincipalTag/team": "true"}}),
    deny("ssm:*", Condition=NO_MFA),
    deny("ssm:*", Condition=OLD_TOKEN),
    deny("ssm:StartSession", on=DEFAULT_DOCUMENT),
    deny("ssm:*", Condition={"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}),
)


@given(
    st.lists(st.sampled_from(STATEMENTS), max_size=4),
    st.sampled_from(["AKIAEXAMPLE", "ASIAEXAMPLE"]),
    st.booleans(),
)
def test_a_session_goes_on_exactly_where_the_same_request_would_be_allowed_now(
    policies: list[Document], access_key: str, named: bool
) -> None:
    world = Reviewed()
    john = replace(world.user("john", START), access_key=access_key)
    body = {"DocumentName": "SSM-SessionManagerRunShell"} if named else None
    session = world.attached(john, body)
    world.user("john", *policies)
    allowed = not world.start(john, body=body).denied
    world.review()
    assert revoked(world, session) is not allowed


def test_pages_are_followed_to_a_limit(monkeypatch: pytest.MonkeyPatch, world: Reviewed) -> None:
    john = world.user("john", START)
    session = world.attached(john)
    monkeypatch.setattr(handler, "MAX_PAGES", 0)  # the limit itself would take 10,000 sessions
    world.again(john)
    line = world.review()
    assert (line.fields["truncated"], line.fields["seen"], line.level) == (True, 0, "WARNING")
    assert world.now(session).status is Status.CONNECTED


def test_nothing_to_review_is_no_error(world: Reviewed) -> None:
    assert world.review().level == "INFO"
