"""The proxy enforces what it says it enforces; otherwise tests behind it would prove nothing."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.protocol import State
from websockets.typing import Subprotocol

from tests.edge.faults import Faults
from tests.edge.limits import KIB, Limits, Meter
from tests.edge.proxy import Cut, EdgeProxy, Settings
from tests.edge.tunnel import Kind, keep_alive


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "edge test")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("edge")
    pair = folder / "cert.pem", folder / "key.pem"
    pair[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    pair[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return pair


async def echo(connection: ServerConnection) -> None:
    with suppress(ConnectionClosed):
        async for message in connection:
            await connection.send(message)


@asynccontextmanager
async def upstream(
    certificate: tuple[Path, Path],
    handler: Callable[[ServerConnection], Awaitable[None]] = echo,
) -> AsyncIterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    async with serve(handler, "127.0.0.1", 0, ssl=context, max_size=None) as server:
        yield server.sockets[0].getsockname()[1]


@contextmanager
def edge(certificate: tuple[Path, Path], port: int, **more: Any) -> Iterator[EdgeProxy]:
    settings = Settings(
        upstream=("127.0.0.1", port), upstream_ca=certificate[0], certificate=certificate, **more
    )
    with EdgeProxy(settings) as proxy:
        yield proxy


def dial(
    certificate: tuple[Path, Path],
    proxy: EdgeProxy,
    path: str = "/x",
    protocol: str = "hatchway.v1",
) -> connect:
    context = ssl.create_default_context(cafile=str(certificate[0]))
    return connect(
        f"wss://127.0.0.1:{proxy.port}{path}", ssl=context, subprotocols=[Subprotocol(protocol)],
        max_size=None, compression=None,
    )  # fmt: skip


async def closed_with(connection: ClientConnection) -> int | None:
    with pytest.raises(ConnectionClosed):
        await asyncio.wait_for(connection.recv(), 10)
    return connection.close_code


async def test_text_passes_and_the_subprotocol_is_answered(certificate: tuple[Path, Path]) -> None:
    async with upstream(certificate) as port:
        with edge(certificate, port) as proxy:
            async with dial(certificate, proxy) as ws:
                assert ws.subprotocol == "hatchway.v1"
                await ws.send("x" * 32 * KIB)
                assert await ws.recv() == "x" * 32 * KIB
            assert proxy.counts["stream up"] == 1


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"binary", 1003),
        ("x" * (32 * KIB + 1), 1009),
        (["x" * 32 * KIB] * 4 + ["x"], 1009),
    ],
    ids=["binary", "frame", "message"],
)
async def test_what_api_gateway_refuses_closes_the_connection(
    certificate: tuple[Path, Path], message: object, code: int
) -> None:
    async with upstream(certificate) as port:
        with edge(certificate, port) as proxy:
            async with dial(certificate, proxy) as ws:
                await ws.send(message)  # type: ignore[arg-type]
                assert await closed_with(ws) == code


async def test_a_message_of_128_kb_in_frames_passes(certificate: tuple[Path, Path]) -> None:
    async with upstream(certificate) as port:
        with edge(certificate, port) as proxy:
            async with dial(certificate, proxy) as ws:
                await ws.send(["x" * 32 * KIB] * 4)
                assert len(await ws.recv()) == 128 * KIB


@pytest.mark.parametrize("limits", [Limits(idle=0.2), Limits(life=0.2)], ids=["idle", "life"])
async def test_idle_and_life_limits_end_a_connection(
    certificate: tuple[Path, Path], limits: Limits
) -> None:
    async with upstream(certificate) as port:
        with edge(certificate, port, limits=limits) as proxy:
            async with dial(certificate, proxy) as ws:
                assert await closed_with(ws) == 1001


async def test_lost_and_repeated_messages_are_lost_and_repeated(
    certificate: tuple[Path, Path],
) -> None:
    async with upstream(certificate) as port:
        with edge(certificate, port, up=Faults(loss=1.0, repeat=0.0)) as proxy:
            async with dial(certificate, proxy) as ws:
                await ws.send("gone")
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(ws.recv(), 0.3)
        with edge(certificate, port, down=Faults(repeat=1.0)) as proxy:
            async with dial(certificate, proxy) as ws:
                await ws.send("twice")
                assert [await ws.recv(), await ws.recv()] == ["twice", "twice"]


@pytest.mark.parametrize("how", [Cut.FIN, Cut.RST])
async def test_a_cut_ends_the_connection_without_a_close_frame(
    certificate: tuple[Path, Path], how: Cut
) -> None:
    async with upstream(certificate) as port:
        with edge(certificate, port) as proxy:
            async with dial(certificate, proxy) as ws:
                await ws.send("x")
                await ws.recv()
                assert proxy.cut(how, Kind.STREAM) == 1
                assert await closed_with(ws) == 1006


async def test_a_silent_cut_says_nothing(certificate: tuple[Path, Path]) -> None:
    async with upstream(certificate) as port:
        with edge(certificate, port) as proxy:
            async with dial(certificate, proxy) as ws:
                proxy.cut(Cut.SILENT)
                await ws.send("x")
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(ws.recv(), 0.3)
                proxy.cut(Cut.RST)


#: MQTT 5, clean start, a keep-alive of one second, no properties, no client id.
CONNECT = bytes([0x10, 13, 0, 4, *b"MQTT", 5, 2, 0, 1, 0, 0, 0])
PINGREQ = bytes([0xC0, 0])
#: So a second of keep-alive is 0.3 s here.
HASTY = Limits(keep_alive_least=0.0, keep_alive_grace=0.3)


def test_the_keep_alive_is_read_from_a_connect_and_nothing_else() -> None:
    assert keep_alive(CONNECT) == 1
    assert keep_alive(bytes([0x10, 0x8D, 0, *CONNECT[2:]])) == 1
    assert keep_alive(PINGREQ) == 0


@pytest.mark.parametrize("muted", [False, True])
async def test_an_mqtt_client_that_sends_no_packet_is_cut_and_one_that_does_is_not(
    certificate: tuple[Path, Path], muted: bool
) -> None:
    ended = asyncio.Event()

    async def handler(connection: ServerConnection) -> None:
        await echo(connection)
        ended.set()

    async with upstream(certificate, handler) as port:
        with edge(certificate, port, limits=HASTY) as proxy:
            async with dial(certificate, proxy, protocol="mqtt") as ws:
                for packet in (CONNECT, *[PINGREQ] * 6):
                    await ws.send(packet)
                    assert await ws.recv() == packet
                    with pytest.raises(TimeoutError):
                        await asyncio.wait_for(ws.recv(), 0.1)  # 0.6 s in all: twice the limit
                if muted:
                    proxy.cut(Cut.SILENT)
                await asyncio.wait_for(ended.wait(), 10)
                assert proxy.counts["keep-alive ran out"] == 1
                if muted:
                    assert ws.state is State.OPEN
                    ws.transport.abort()  # a closing handshake would wait for an answer
                else:
                    assert await closed_with(ws) == 1006


async def test_while_muted_no_side_learns_that_the_other_one_is_gone(
    certificate: tuple[Path, Path],
) -> None:
    ended = asyncio.Event()

    async def handler(connection: ServerConnection) -> None:
        await echo(connection)
        ended.set()

    async with upstream(certificate, handler) as port:
        with edge(certificate, port) as proxy:
            async with dial(certificate, proxy) as ws:
                await ws.send("x")
                await ws.recv()
                proxy.mute()
                ws.transport.abort()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(ended.wait(), 0.3)
            assert proxy.tunnels(Kind.STREAM) == 1
            proxy.mute(False)
            await asyncio.wait_for(ended.wait(), 10)


async def test_only_what_is_admitted_passes(certificate: tuple[Path, Path]) -> None:
    async with upstream(certificate) as port:
        with edge(certificate, port, admit=lambda method, path: path == "/good") as proxy:
            async with dial(certificate, proxy, "/good"):
                pass
            with pytest.raises(InvalidStatus):
                async with dial(certificate, proxy, "/bad"):
                    pass
            assert proxy.refused == ["GET /bad"]


def test_a_meter_lets_its_rate_pass_and_no_more() -> None:
    meter = Meter(100)
    assert all(meter.take(1, 0.0) for _ in range(100))
    assert not meter.take(1, 0.0)
    assert meter.take(50, 0.5)
    assert not meter.take(1, 0.5)


async def test_the_proxy_can_answer_in_the_service_s_place(certificate: tuple[Path, Path]) -> None:
    def answer(method: str, path: str) -> tuple[int, str] | None:
        return (429, '{"a": 1}') if path == "/throttled" else None

    with edge(certificate, 1, answer=answer) as proxy:
        context = ssl.create_default_context(cafile=str(certificate[0]))
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port, ssl=context)
        writer.write(b"POST /throttled?x=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx")
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 429 ")
        assert await reader.readexactly(8) == b'{"a": 1}'
        assert proxy.counts["answered 429"] == 1
        writer.close()
        await writer.wait_closed()


async def test_the_proxy_can_speak_in_the_service_s_place(certificate: tuple[Path, Path]) -> None:
    async with upstream(certificate) as port:
        with edge(certificate, port) as proxy:
            async with dial(certificate, proxy) as ws:
                assert proxy.say('{"message": "Internal server error"}') == 1
                assert await ws.recv() == '{"message": "Internal server error"}'
