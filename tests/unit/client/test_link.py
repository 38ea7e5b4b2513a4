"""Real WebSocket connections over TLS: the token's way, refusals, and nothing of it in a log."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from hatchway.client.link import SUBPROTOCOL, Dialler
from hatchway.client.notices import is_json
from hatchway.client.records import Started
from hatchway.core.errors import CertificateRefused, HatchwayError, ProtocolError, TokenInvalid
from hatchway.core.errors import ServiceUnreachable as Unreachable
from hatchway.net.tls import client_context
from tests.unit.client.world import SESSION, World

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path) as world:
        yield world


def started(world: World, token: str = "token-1", url: str = "") -> Started:
    url = url or f"wss://127.0.0.1:{world.stream_port}/local"
    return Started(session_id=SESSION, stream_url=url, token=token)


@pytest.mark.parametrize("chosen", [SUBPROTOCOL, None])
async def test_the_token_is_the_second_protocol_and_the_first_is_chosen(
    chosen: str | None, world: World
) -> None:
    world.chooses = chosen
    link = await Dialler(client_context(world.authority.bundle))(started(world))
    assert world.offered == [[SUBPROTOCOL, "token-1"]]
    text = await link.receive()
    assert text
    assert not is_json(text)
    await link.close()
    await link.send("after the end, nothing happens")
    assert await link.receive() is None


async def test_another_address_is_dialled_and_the_certificate_is_still_the_streams(
    world: World,
) -> None:
    trusted, to = client_context(world.authority.bundle), ("127.0.0.1", world.stream_port)
    link = await Dialler(trusted, to)(started(world, url="wss://127.0.0.1:1/local"))
    await link.close()
    with pytest.raises(CertificateRefused):
        await Dialler(trusted, to)(started(world, url="wss://example.com/local"))


async def test_a_server_that_chooses_the_token_is_refused(world: World) -> None:
    world.chooses = "the token"
    with pytest.raises(ProtocolError):
        await Dialler(client_context(world.authority.bundle))(started(world))


@pytest.mark.parametrize(
    ("token", "url", "kind"),
    [
        ("used", "", TokenInvalid),
        ("token-1", "ws://127.0.0.1:1/", ProtocolError),
        ("token-1", "wss://127.0.0.1:1/", Unreachable),
    ],
)
async def test_refusals_are_typed(
    token: str, url: str, kind: type[HatchwayError], world: World
) -> None:
    with pytest.raises(kind) as caught:
        await Dialler(client_context(world.authority.bundle))(started(world, token, url))
    assert caught.value.__cause__ is None


async def test_a_server_of_an_unknown_authority_is_refused(world: World) -> None:
    with pytest.raises(CertificateRefused):
        await Dialler(client_context())(started(world))


async def test_a_server_that_hangs_up_before_it_answered_can_be_tried_again(world: World) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.close()

    authority = world.authority
    server = await asyncio.start_server(hang_up, "127.0.0.1", 0, ssl=authority.server())
    async with server:
        url = f"wss://127.0.0.1:{server.sockets[0].getsockname()[1]}/local"
        with pytest.raises(Unreachable) as caught:
            await Dialler(client_context(authority.bundle))(started(world, url=url))
    assert caught.value.__cause__ is None


async def test_the_token_reaches_no_log(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    link = await Dialler(client_context(world.authority.bundle))(started(world))
    await link.close()
    ours = [r for r in caplog.records if not r.name.startswith("websockets.server")]
    assert not [r for r in ours if "token-1" in r.getMessage()]


async def test_a_connection_that_is_cut_ends(world: World) -> None:
    link = await Dialler(client_context(world.authority.bundle))(started(world))
    await link.receive()
    world.cut()
    while await link.receive() is not None:
        continue
    await link.send("nothing")
