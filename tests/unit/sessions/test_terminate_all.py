"""TerminateSessions: all sessions of an owner, of a node, or all, and none that one may not end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hatchway.core.errors import ThrottlingException
from hatchway.core.lifecycle import Status
from lambdas.memory.connections import MemoryClients
from lambdas.memory.sessions import MemorySessions
from lambdas.ports import Session
from lambdas.sessions import terminate_all
from lambdas.sessions.handler import make_handler
from tests.unit.sessions.world import (
    ACCOUNT,
    CONNECTION,
    DARK,
    EVERYTHING,
    NODE,
    Answer,
    Person,
    World,
    allow,
    deny,
)

OWN_ONLY = allow("ssm:TerminateSession", on="arn:aws:ssm:*:*:session/${aws:username}-*")


def end(world: World, person: Person, **body: object) -> Answer:
    return world.call(person, "POST /sessions/terminate", body=body)


def counts(answer: Answer) -> tuple[int, int, int]:
    assert answer.status == 200, answer
    return tuple(answer.members[name] for name in ("Terminated", "Refused", "Failed"))


def over(world: World, *sessions: Session) -> list[bool]:
    return [world.session(s.session_id).status is Status.TERMINATED for s in sessions]


@pytest.fixture
def admin(world: World) -> Person:
    return world.user("admin", EVERYTHING)


def people(world: World) -> dict[str, Person]:
    return {
        "john": world.user("john", EVERYTHING),
        "johnny": world.user("johnny", EVERYTHING),
        "bob": world.role("Ops", "bob", EVERYTHING),
        "bob too": world.role("OpsToo", "bob", EVERYTHING),
    }


@pytest.mark.parametrize(
    ("owner", "ended"),
    [
        (f"arn:aws:iam::{ACCOUNT}:user/john", ["john"]),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/Ops/bob", ["bob"]),
        (f"arn:aws:iam::{ACCOUNT}:role/ops/Ops", ["bob"]),
        (f"arn:aws:iam::{ACCOUNT}:role/OpsToo", ["bob too"]),
        (f"arn:aws:iam::{ACCOUNT}:user/nobody", []),
    ],
)
def test_all_of_an_owner_and_of_nobody_else(
    world: World, admin: Person, owner: str, ended: list[str]
) -> None:
    sessions = {name: world.started(person) for name, person in people(world).items()}
    assert counts(end(world, admin, Owner=owner)) == (len(ended), 0, 0)
    assert [name for name, session in sessions.items() if over(world, session)[0]] == ended


def test_all_of_a_node(world: World, admin: Person) -> None:
    john = world.user("john", EVERYTHING)
    here = world.started(john)
    assert counts(end(world, admin, Target=DARK)) == (0, 0, 0)
    assert counts(end(world, admin, Target=NODE)) == (1, 0, 0)
    assert over(world, here) == [True]


def test_all_there_are(world: World, admin: Person) -> None:
    sessions = [world.started(person) for person in people(world).values()]
    assert counts(end(world, admin, All=True)) == (4, 0, 0)
    assert all(over(world, *sessions))
    assert world.session(sessions[0].session_id).end_reason == f"Terminated by {admin.arn}"
    assert counts(end(world, admin, All=True)) == (0, 0, 0)


def test_a_client_is_cut_off_and_its_agent_told(world: World, admin: Person) -> None:
    session = world.connected(world.user("john", EVERYTHING))
    end(world, admin, All=True)
    assert world.session(session.session_id).status is Status.TERMINATING
    assert world.clients.closed == [CONNECTION]
    assert world.downlink.hints[-1] == (NODE, session.session_id)


def test_each_session_is_asked_about_by_itself(world: World) -> None:
    """Own sessions means the owner's: not those of somebody whose name begins alike."""
    everybody = people(world)
    john = everybody["john"]
    mine = world.started(john)
    others = [world.started(everybody[name]) for name in ("johnny", "bob", "bob too")]
    bob_john = world.started(world.role("Ops", "john", EVERYTHING))
    world.user("john", OWN_ONLY)
    assert counts(end(world, john, All=True)) == (1, 4, 0)
    assert over(world, mine, *others, bob_john) == [True, False, False, False, False]


def test_a_deny_on_some_spares_those(world: World) -> None:
    everybody = people(world)
    sessions = [world.started(everybody[name]) for name in ("john", "bob")]
    not_john = deny("ssm:TerminateSession", on="arn:aws:ssm:*:*:session/john-*")
    careful = world.user("careful", EVERYTHING, not_john)
    assert counts(end(world, careful, All=True)) == (1, 1, 0)
    assert over(world, *sessions) == [False, True]


def test_whoever_may_end_nothing_ends_nothing(world: World) -> None:
    session = world.started(world.user("john", EVERYTHING))
    assert counts(end(world, world.user("nobody"), All=True)) == (0, 1, 0)
    assert over(world, session) == [False]


def test_pages_go_on_until_there_is_no_more(
    monkeypatch: pytest.MonkeyPatch, world: World, admin: Person
) -> None:
    monkeypatch.setattr(terminate_all, "PAGE", 1)
    monkeypatch.setattr(terminate_all, "MAX_PAGES", 2)
    sessions = []
    for _ in range(5):
        sessions.append(world.started(world.user("john", EVERYTHING)))
        world.clock.advance(1)
    ended, token, calls = 0, "", 0
    while calls == 0 or token:
        answer = end(world, admin, All=True, **({"NextToken": token} if token else {}))
        ended += counts(answer)[0]
        token, calls = answer.members.get("NextToken", ""), calls + 1
    assert (ended, calls) == (5, 3)
    assert all(over(world, *sessions))


def test_a_token_of_another_question_is_refused(
    monkeypatch: pytest.MonkeyPatch, world: World, admin: Person
) -> None:
    monkeypatch.setattr(terminate_all, "PAGE", 1)
    monkeypatch.setattr(terminate_all, "MAX_PAGES", 1)
    for _ in range(2):
        world.started(world.user("john", EVERYTHING))
        world.clock.advance(1)
    token = end(world, admin, All=True).members["NextToken"]
    assert end(world, admin, Target=NODE, NextToken=token).code == "InvalidNextToken"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"All": False},
        {"All": True, "Target": NODE},
        {"Owner": f"arn:aws:iam::{ACCOUNT}:user/john", "Target": NODE},
        {"All": "true"},
        {"All": 1},
        {"Owner": "john"},
        {"Target": "web-1"},
        {"Target": NODE, "More": 1},
    ],
)
def test_exactly_one_of_them_is_given(world: World, admin: Person, body: dict[str, object]) -> None:
    session = world.started(world.user("john", EVERYTHING))
    assert end(world, admin, **body).code == "ValidationException"
    assert over(world, session) == [False]


class Failing(MemorySessions):
    def update(self, read: Session, changed: Session) -> Session:
        if read.session_id.startswith("john-"):
            raise ThrottlingException()
        return super().update(read, changed)


def test_one_that_fails_stops_no_other_and_is_counted(world: World) -> None:
    world.sessions = Failing(world.clock)
    world.service = replace(world.service, sessions=world.sessions)
    world.handler = make_handler(world.service, world.lines)
    everybody = people(world)
    sessions = [world.started(everybody[name]) for name in ("john", "bob")]
    assert counts(end(world, world.user("admin", EVERYTHING), All=True)) == (1, 0, 1)
    assert over(world, *sessions) == [False, True]


def several(world: World, count: int) -> list[Session]:
    """Connected sessions, each with a client of its own."""
    made = []
    for n in range(count):
        session = world.started(world.user("john", EVERYTHING))
        connection = f"C{n}23456789="
        world.clients.open(connection)
        changed = replace(
            session, status=Status.CONNECTED, agent_instance="a1", connection=connection
        )
        made.append(world.sessions.update(session, changed))
        world.clock.advance(1)
    return made


def with_clients(world: World, clients: MemoryClients) -> None:
    world.clients = clients
    world.service = replace(world.service, clients=clients)
    world.handler = make_handler(world.service, world.lines)


def test_all_are_written_and_their_nodes_told_before_any_client(
    monkeypatch: pytest.MonkeyPatch, world: World, admin: Person
) -> None:
    monkeypatch.setattr(terminate_all, "PAGE", 2)
    hinted: list[int] = []

    class Clients(MemoryClients):
        def post(self, connection: str, text: str) -> bool:
            hinted.append(len(world.downlink.hints) - before)
            return super().post(connection, text)

    with_clients(world, Clients())
    sessions = several(world, 5)
    before = len(world.downlink.hints)
    assert counts(end(world, admin, All=True)) == (5, 0, 0)
    assert hinted == [5] * 5
    assert len(world.clients.closed) == 5
    assert {world.session(s.session_id).status for s in sessions} == {Status.TERMINATING}


def test_a_call_that_runs_out_of_time_says_where_to_go_on(
    monkeypatch: pytest.MonkeyPatch, world: World, admin: Person
) -> None:
    """Each write takes so long that there is time for one page."""
    monkeypatch.setattr(terminate_all, "PAGE", 2)

    class Slow(MemorySessions):
        def update(self, read: Session, changed: Session) -> Session:
            world.clock.advance(terminate_all.BEGIN_BUDGET / 2)
            return super().update(read, changed)

    several(world, 3)
    slow = Slow(world.clock)
    slow.__dict__.update(
        {name: value for name, value in vars(world.sessions).items() if name != "_clock"}
    )
    world.service = replace(world.service, sessions=slow)
    world.handler = make_handler(world.service, world.lines)
    first = end(world, admin, All=True)
    assert counts(first) == (2, 0, 0)
    second = end(world, admin, All=True, NextToken=first.members["NextToken"])
    assert counts(second) == (1, 0, 0)
    assert "NextToken" not in second.members


def test_clients_that_there_is_no_time_for_are_left_to_the_agent_and_the_sweep(
    world: World, admin: Person
) -> None:
    class Slow(MemoryClients):
        def post(self, connection: str, text: str) -> bool:
            world.clock.advance(terminate_all.TELL_BUDGET)
            return super().post(connection, text)

    with_clients(world, Slow())
    sessions = several(world, 3)
    assert counts(end(world, admin, All=True)) == (3, 0, 0)
    assert len(world.clients.closed) == 1
    assert {world.session(s.session_id).status for s in sessions} == {Status.TERMINATING}
