"""The transport over AWS: whose credentials a call bears, which host is dialled, what is closed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from agent.clock import ServiceClock
from agent.config import Address, Config
from agent.ports import Answer, Credentials, Listener, Request, Unreachable
from agent.transport import aws
from agent.transport.aws import AwsTransport
from agent.transport.crt import Crt, NoCredentials
from agent.transport.http import Pool
from tests.unit.agent.tls_server import answer, certificate, serving

INSTANCE = Credentials("AKIDINSTANCE", "secret", "token")
CHANNEL = Credentials("AKIDCHANNEL", "secret", "token")
CALL = Request("POST", "/agent/x/channel", b"{}")


def config(url: str = "https://127.0.0.1:1/stage", **more: object) -> Config:
    return Config(region="us-east-1", agent_api_url=url, **more)  # type: ignore[arg-type]


def clock() -> ServiceClock:
    return ServiceClock(lambda: 0.0, lambda: 1_440_938_160.0)


class Chain:
    """As much of the runtime as credentials come from."""

    def __init__(self, give: Callable[[], Credentials]) -> None:
        self.give, self.asked = give, 0
        self.hangs = False

    async def instance_credentials(self) -> Credentials:
        self.asked += 1
        if self.hangs:
            await asyncio.Event().wait()
        return self.give()


class Calls:
    """The pool of connections."""

    def __init__(self) -> None:
        self.sent: list[tuple[Request, Credentials, float]] = []
        self.closed = False

    async def send(self, request: Request, credentials: Credentials, deadline: float) -> Answer:
        self.sent.append((request, credentials, deadline))
        return Answer(200, b"{}")

    def close(self) -> None:
        self.closed = True


class Setting:
    """The transport, its runtime and connections replaced by what remembers."""

    def __init__(self, give: Callable[[], Credentials] = lambda: INSTANCE) -> None:
        self.transport = AwsTransport(config(), clock())
        self.chain, self.calls = Chain(give), Calls()
        self.transport._crt = cast(Crt, self.chain)
        self.transport._pool = cast(Pool, self.calls)


async def test_a_call_bears_the_credentials_that_it_is_given() -> None:
    setting = Setting()
    got = await setting.transport.send(CALL, CHANNEL, 7.0)
    assert got.status == 200
    assert setting.calls.sent == [(CALL, CHANNEL, 7.0)]
    assert setting.chain.asked == 0


async def test_without_any_it_bears_the_instance_s_own_asked_for_each_time() -> None:
    setting = Setting()
    for _ in range(2):
        await setting.transport.send(CALL, None, 7.0)
    assert [credentials for _, credentials, _ in setting.calls.sent] == [INSTANCE, INSTANCE]
    assert setting.chain.asked == 2


def _none() -> Credentials:
    raise NoCredentials()


async def test_an_instance_without_credentials_calls_nobody() -> None:
    setting = Setting(_none)
    with pytest.raises(NoCredentials):
        await setting.transport.send(CALL, None, 7.0)
    assert setting.calls.sent == []


async def test_a_metadata_service_that_never_answers_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(aws, "CREDENTIALS_DEADLINE", 0.0)  # not twenty seconds of a test
    setting = Setting()
    setting.chain.hangs = True
    with pytest.raises(Unreachable):
        await setting.transport.send(CALL, None, 7.0)
    assert setting.calls.sent == []


@pytest.mark.parametrize(
    ("connect", "dialled"),
    [
        (None, Address("data.iot.example", 443)),
        (Address("127.0.0.1", 4566), Address("127.0.0.1", 4566)),
    ],
)
async def test_the_endpoint_is_dialled_unless_the_configuration_has_another_place(
    connect: Address | None, dialled: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[object, ...]] = []
    monkeypatch.setattr(aws, "MqttListening", lambda *given: made.append(given))
    transport = AwsTransport(config(iot_connect=connect), clock())
    listener = cast(Listener, object())
    transport.listen("data.iot.example", "client", "topic", lambda: CHANNEL, listener)
    [(_, dial, endpoint, client, topic, credentials, heard)] = made
    assert (dial, endpoint, client, topic) == (dialled, "data.iot.example", "client", "topic")
    assert heard is listener
    assert callable(credentials)
    assert credentials() is CHANNEL
    await transport.close()


async def test_closing_closes_the_connections() -> None:
    setting = Setting()
    await setting.transport.close()
    assert setting.calls.closed


async def test_a_call_goes_out_over_tls_signed_at_the_service_s_time(tmp_path: Path) -> None:
    heads: list[bytes] = []

    async def respond(head: bytes, body: bytes) -> bytes:
        heads.append(head)
        return answer(b'{"a": 1}')

    pem = certificate(tmp_path)
    async with serving(respond, pem) as server:
        given = config(f"https://127.0.0.1:{server.port}/stage", ca_bundle=str(pem))
        transport = AwsTransport(given, clock())
        try:
            got = await transport.send(CALL, CHANNEL, 10.0)
        finally:
            await transport.close()
    assert (got.status, got.body) == (200, b'{"a": 1}')
    assert heads[0].startswith(b"POST /stage/agent/x/channel HTTP/1.1\r\n")
    assert b"Credential=AKIDCHANNEL/20150830/us-east-1/execute-api" in heads[0]
