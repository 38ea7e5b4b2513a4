"""How a network's return is noticed: questions put again and again, the first answer counts."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from hatchway.client import reach
from hatchway.client.link import Dialler
from hatchway.client.reach import Address, reached
from hatchway.client.records import Started
from hatchway.core.errors import ServiceUnreachable
from hatchway.net.tls import client_context

pytestmark = pytest.mark.timeout(30)


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A port of its own at which nothing listens until the test has it listen."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound


@pytest.fixture
def closed(silent: socket.socket) -> Address:
    return address_of(silent)


def address_of(bound: socket.socket) -> Address:
    return ("127.0.0.1", int(bound.getsockname()[1]))


@pytest.fixture
def listening() -> Iterator[Address]:
    """The kernel opens connections by itself; nobody needs to take them."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield ("127.0.0.1", int(server.getsockname()[1]))


async def test_what_listens_is_reached(listening: Address) -> None:
    await reached(listening)


async def test_the_known_address_is_enough_where_the_name_is_not_found(
    closed: Address, listening: Address
) -> None:
    await reached(closed, listening)
    await reached(listening, closed)


async def test_it_is_noticed_when_it_comes_back(
    silent: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server begins to listen behind the third refusal."""
    refused = 0
    dial = reach._open

    async def counting(address: Address) -> None:
        nonlocal refused
        try:
            await dial(address)
        except OSError:
            refused += 1
            if refused == 3:
                silent.listen()
            raise

    monkeypatch.setattr(reach, "_open", counting)  # the only way to see a refusal as it happens
    monkeypatch.setattr(reach, "EVERY", 0.01)
    await reached(address_of(silent))
    assert refused == 3


async def test_it_is_said_when_nothing_answers(
    closed: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reach, "EVERY", 0.001)
    monkeypatch.setattr(reach, "WITHIN", 0.01)
    with pytest.raises(ServiceUnreachable):
        await reached(closed, closed)


@pytest.mark.parametrize(
    ("url", "proxy", "asked"),
    [
        ("wss://x.example/local", "", ("x.example", 443)),
        ("wss://x.example:8443/local", "", ("x.example", 8443)),
        ("wss://x.example/local", "http://proxy.example:3128", ("proxy.example", 3128)),
        ("wss://x.example/local", "http://proxy.example", ("proxy.example", 80)),
        ("wss://x.example/local", "https://proxy.example", ("proxy.example", 443)),
    ],
)
async def test_the_first_hop_is_asked(
    url: str, proxy: str, asked: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = list[Address]()

    async def answer(address: Address) -> None:
        seen.append(address)

    monkeypatch.setattr(reach, "_open", answer)  # nobody outside is asked
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    if proxy:
        monkeypatch.setenv("https_proxy", proxy)
    started = Started(session_id="s", stream_url=url, token="t")
    await Dialler(client_context()).reach(started)
    assert seen == [asked]
    seen.clear()
    await Dialler(client_context(), ("127.0.0.1", 1)).reach(started)
    assert seen == [("127.0.0.1", 1)]
