"""A lost connection and credentials that have expired: the session goes on, while its owner may."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from hatchway.client import Hatchway
from hatchway.client.events import Ended, Lost, Restored, Retrying
from hatchway.core.errors import AccessDeniedException, CredentialsInvalid, HatchwayError
from hatchway.net import settings as configuration
from local.identities import Statement, User, policy
from local.stack import Stack
from tests.edge.proxy import Cut, EdgeProxy
from tests.edge.tunnel import Kind
from tests.integration.edges import edge_of
from tests.integration.following import PATIENCE, Follower, asked, in_status, shell
from tests.integration.sessions import (
    OPEN_SESSIONS,
    PROTOCOL,
    Started,
    connect,
    person,
    quiet_shell,
    reconnect,
    resume,
)
from tests.integration.test_refusals import shut_out

pytestmark = [pytest.mark.stack, pytest.mark.timeout(200)]

NAME = "wanda"
NO_RESUME: Statement = {"Effect": "Deny", "Action": "ssm:ResumeSession", "Resource": "*"}


@pytest.fixture
def wanda(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[User]:
    """Somebody whose keys are in the environment, as a login puts them there."""
    with person(stack, NAME) as user:
        monkeypatch.delenv("AWS_PROFILE", raising=False)
        monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", user.credentials.access_key or "")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", user.credentials.secret_key or "")
        yield user


@pytest.fixture
def edge(stack: Stack) -> Iterator[EdgeProxy]:
    with edge_of(stack) as edge:
        yield edge


def behind(stack: Stack, edge: EdgeProxy) -> Hatchway:
    """The SDK with whatever credentials the environment has; its streams go through `edge`."""
    found = configuration.load({configuration.CONFIG_VARIABLE: str(stack.places.config)})
    return Hatchway(replace(found, stream_connect=("127.0.0.1", edge.port)))


def expire(stack: Stack, user: User) -> None:
    """From now on nothing that is signed with these keys is accepted."""
    key = user.credentials.access_key or ""
    stack.emulator.client("iam").delete_access_key(UserName=NAME, AccessKeyId=key)


def refused(hatchway: Hatchway, session_id: str) -> bool | None:
    try:
        hatchway.resume(session_id, reconnect=True)
    except AccessDeniedException:
        return True
    return None


async def prepared(follower: Follower) -> None:
    """Once its client has asked for its next token, and got it."""
    await asked(lambda: follower.stream.prepared or None, PATIENCE, "a spare token")


@pytest.mark.parametrize("how", [Cut.RST, Cut.FIN])
async def test_expired_credentials_do_not_end_a_session_that_is_cut_without_warning(
    stack: Stack, edge: EdgeProxy, wanda: User, how: Cut
) -> None:
    hatchway = behind(stack, edge)
    async with shell(hatchway) as follower:
        await follower.enter("kept=value-$$; tput smcup 2>/dev/null; echo before the cu''t")
        await follower.printed(r"before the cut\r\n")
        await prepared(follower)
        await asyncio.to_thread(expire, stack, wanda)
        with pytest.raises(HatchwayError):
            await asyncio.to_thread(hatchway.resume, follower.session_id)
        for number in (1, 2):  # and the token for the connection after the next one
            edge.refuse()
            assert edge.cut(how, Kind.STREAM) == 1
            begin = len(follower.output)
            await follower.enter(f"for i in $(seq 100); do echo $kept-{number} $i; done")
            events = len(follower.events)
            edge.refuse(False)
            done = await follower.printed(rf"value-\d+-{number} 100\r\n", since=begin)
            printed = bytes(follower.output[begin : done.end()]).decode().splitlines()
            assert [line.split(" ")[1] for line in printed] == [str(n) for n in range(1, 101)]
            assert len({line.split(" ")[0] for line in printed}) == 1
            await prepared(follower)
            assert not [e for e in follower.events[events:] if isinstance(e, Ended)]
        told = [e.error for e in follower.events if isinstance(e, Retrying)]
        assert not [e for e in told if isinstance(e, CredentialsInvalid | AccessDeniedException)]
        assert Lost() in follower.events
        assert Restored() in follower.events
        await follower.enter("exit 4")
        assert (await follower.told(Ended)).exit_code == 4


async def test_whoever_lost_the_permission_is_refused_with_the_token_he_has(
    stack: Stack, edge: EdgeProxy, wanda: User
) -> None:
    hatchway = behind(stack, edge)
    async with shell(hatchway) as follower:
        await prepared(follower)
        stack.emulator.client("iam").put_user_policy(
            UserName=NAME, PolicyName="demo", PolicyDocument=policy((*OPEN_SESSIONS, NO_RESUME))
        )
        # The people API keeps policies for some seconds; `$connect` has not asked for these yet.
        await asked(lambda: refused(hatchway, follower.session_id), PATIENCE, "a refusal")
        before = edge.counts["upgrade refused"]
        assert edge.cut(Cut.RST, Kind.STREAM) == 1
        ended = await follower.told(Ended)
        assert isinstance(ended.error, AccessDeniedException)
        assert "ssm:ResumeSession" in ended.error.message
        assert edge.counts["upgrade refused"] == before + 1  # the spare was shown
        await in_status(hatchway, follower.session_id, "Disconnected")


def test_a_spare_attaches_once_and_the_next_one_replaces_it(stack: Stack) -> None:
    with quiet_shell(stack) as (session_id, client):
        first, second = (spare(client.ask("resumeSession")) for _ in range(2))
        assert shut_out(stack, first.url, PROTOCOL, first.token) == 403
        reconnect(stack, client, second)
        client.run("echo ba''ck", "back")
        assert shut_out(stack, second.url, PROTOCOL, second.token) == 403
        client.run("echo un''disturbed", "undisturbed")
        assert client.ask("describeSession", SessionId=session_id)["Status"] == "Connected"


def test_a_takeover_is_not_undone_by_the_spare_of_who_was_displaced(stack: Stack) -> None:
    with quiet_shell(stack) as (session_id, client):
        mine = spare(client.ask("resumeSession"))
        taker = connect(stack, resume(stack, session_id))
        assert shut_out(stack, mine.url, PROTOCOL, mine.token) == 403
        # An answer comes to the session's own client only.
        assert taker.ask("describeSession")["Status"] == "Connected"
        taker.socket.close()


def spare(answer: dict[str, object]) -> Started:
    assert isinstance(answer["ExpiresIn"], int)
    assert 2000 < answer["ExpiresIn"] <= 2400
    return Started.of(answer)
