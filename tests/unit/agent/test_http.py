"""The pool of HTTPS connections, and the instance metadata, against servers on loopback."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from agent.ports import BadAnswer, Credentials, Request, Unreachable
from agent.transport.crt import Crt
from agent.transport.http import MAX_ANSWER, MAX_CALLS, MAX_IDLE, MAX_UPLOADS, Pool
from agent.transport.metadata import instance_id
from tests.unit.agent.tls_server import Server, answer, certificate, serving

CREDENTIALS = Credentials("AKIDEXAMPLE", "secret", "token")
#: The runtime keeps a peer whose certificate it refuses waiting for longer than we do.
REFUSED = 2.0
CALL = Request("POST", "/agent/x/sessions/a%2Bb/ticket", b'{"a": 1}')


def pool(server: Server, bundle: Path | None) -> Pool:
    crt = Crt("us-east-1", str(bundle or ""), lambda: 1_440_938_160.0)
    return Pool(crt, f"https://127.0.0.1:{server.port}/stage")


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("pem"))


async def hello(_head: bytes, _body: bytes) -> bytes:
    return answer(b"{}")


async def test_a_call_is_signed_and_its_path_stays_encoded(pem: Path) -> None:
    heads: list[bytes] = []

    async def respond(head: bytes, body: bytes) -> bytes:
        heads.append(head)
        return answer(body, "429 Too Many Requests", "Retry-After: 7")

    async with serving(respond, pem) as server:
        pooled = pool(server, pem)
        got = await pooled.send(CALL, CREDENTIALS, 10.0)
        pooled.close()
    assert (got.status, got.body, got.retry_after) == (429, CALL.body, 7.0)
    assert heads[0].startswith(b"POST /stage/agent/x/sessions/a%2Bb/ticket HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{server.port}".encode() in heads[0]
    assert b"SignedHeaders=content-length;host;x-amz-date;x-amz-security-token" in heads[0]


async def test_connections_are_used_again(pem: Path) -> None:
    async with serving(hello, pem) as server:
        pooled = pool(server, pem)
        for _ in range(10):
            await pooled.send(CALL, CREDENTIALS, 10.0)
        assert (server.connections, server.requests) == (1, 10)
        pooled.close()


async def test_a_kept_connection_that_was_closed_meanwhile_is_replaced(pem: Path) -> None:
    count = 0

    async def respond(_head: bytes, _body: bytes) -> bytes | None:
        nonlocal count
        count += 1
        return None if count == 2 else answer(b"{}")

    async with serving(respond, pem) as server:
        pooled = pool(server, pem)
        await pooled.send(CALL, CREDENTIALS, 10.0)
        assert (await pooled.send(CALL, CREDENTIALS, 10.0)).status == 200
        assert server.connections == 2
        pooled.close()


async def test_a_new_connection_that_breaks_is_an_error(pem: Path) -> None:
    async def respond(_head: bytes, _body: bytes) -> bytes | None:
        return None

    async with serving(respond, pem) as server:
        pooled = pool(server, pem)
        with pytest.raises(Unreachable):
            await pooled.send(CALL, CREDENTIALS, 10.0)
        assert server.connections == 1


async def test_an_answer_has_a_limit_in_bytes(pem: Path) -> None:
    size = MAX_ANSWER

    async def respond(_head: bytes, _body: bytes) -> bytes:
        return answer(b"x" * size)

    async with serving(respond, pem) as server:
        pooled = pool(server, pem)
        assert len((await pooled.send(CALL, CREDENTIALS, 10.0)).body) == MAX_ANSWER
        size += 1
        with pytest.raises(BadAnswer):
            await pooled.send(CALL, CREDENTIALS, 10.0)
        pooled.close()


async def test_a_server_that_does_not_answer_costs_the_deadline_and_no_more(pem: Path) -> None:
    forever = asyncio.Event()

    async def respond(_head: bytes, _body: bytes) -> bytes | None:
        await forever.wait()
        return None

    async with serving(respond, pem) as server:
        pooled = pool(server, pem)
        with pytest.raises(Unreachable):
            await pooled.send(CALL, CREDENTIALS, 0.3)
        forever.set()


async def test_after_a_silence_no_kept_connection_is_trusted(pem: Path) -> None:
    """A network that went takes all of them, and each would cost a deadline of its own."""
    forever, silent = asyncio.Event(), False

    async def respond(_head: bytes, _body: bytes) -> bytes | None:
        if silent:
            await forever.wait()
            return None
        return answer(b"{}")

    async with serving(respond, pem) as server:
        pooled = pool(server, pem)
        both = (pooled.send(CALL, CREDENTIALS, 10.0) for _ in range(2))
        await asyncio.gather(*both)
        kept, silent = server.connections, True
        with pytest.raises(Unreachable):
            await pooled.send(CALL, CREDENTIALS, 0.3)
        silent = False
        assert (await pooled.send(CALL, CREDENTIALS, 10.0)).status == 200
        assert server.connections == kept + 1
        forever.set()
        pooled.close()


async def test_uploads_never_take_what_other_calls_need(pem: Path) -> None:
    released = asyncio.Event()

    async def respond(head: bytes, _body: bytes) -> bytes:
        if b"/frames" in head:
            await released.wait()
        return answer(b"{}")

    async with serving(respond, pem) as server:
        pooled = pool(server, pem)
        upload = Request("POST", "/frames", b"x", upload=True)
        uploads = [
            asyncio.ensure_future(pooled.send(upload, CREDENTIALS, 30.0))
            for _ in range(MAX_UPLOADS + 5)
        ]
        calls = [pooled.send(CALL, CREDENTIALS, 20.0) for _ in range(MAX_CALLS * 2)]
        assert [one.status for one in await asyncio.gather(*calls)] == [200] * MAX_CALLS * 2
        released.set()
        await asyncio.gather(*uploads)
        assert server.most <= MAX_UPLOADS + MAX_CALLS
        assert len(pooled._idle) <= MAX_IDLE
        pooled.close()


async def test_a_certificate_that_nobody_vouches_for_is_refused(pem: Path) -> None:
    async with serving(hello, pem) as server:
        pooled = pool(server, None)
        with pytest.raises(Unreachable):
            await pooled.send(CALL, CREDENTIALS, REFUSED)
        assert server.requests == 0


async def test_a_certificate_of_another_host_is_refused(tmp_path: Path) -> None:
    other = certificate(tmp_path, "127.0.0.2")
    async with serving(hello, other) as server:
        pooled = pool(server, other)
        with pytest.raises(Unreachable):
            await pooled.send(CALL, CREDENTIALS, REFUSED)
        assert server.requests == 0


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
async def test_tls_before_1_2_is_refused(pem: Path) -> None:
    async with serving(hello, pem, ssl.TLSVersion.TLSv1_1) as server:
        pooled = pool(server, pem)
        with pytest.raises(Unreachable):
            await pooled.send(CALL, CREDENTIALS, 10.0)
        assert server.requests == 0


async def test_tls_1_2_is_taken(pem: Path) -> None:
    async with serving(hello, pem, ssl.TLSVersion.TLSv1_2) as server:
        pooled = pool(server, pem)
        assert (await pooled.send(CALL, CREDENTIALS, 10.0)).status == 200
        pooled.close()


async def test_nobody_there_is_unreachable() -> None:
    async with serving(hello, None) as server:
        port = server.port
    gone = Server(hello)
    gone.port = port
    with pytest.raises(Unreachable):
        await pool(gone, None).send(CALL, CREDENTIALS, 10.0)


# --- instance metadata --------------------------------------------------------------------------


async def test_the_instance_id_is_read_with_a_session_token() -> None:
    async def respond(head: bytes, _body: bytes) -> bytes:
        if head.startswith(b"PUT /latest/api/token "):
            assert b"X-aws-ec2-metadata-token-ttl-seconds: 60" in head
            return answer(b"metadata-token")
        assert head.startswith(b"GET /latest/meta-data/instance-id ")
        assert b"X-aws-ec2-metadata-token: metadata-token" in head
        return answer(b"i-0123456789abcdef0")

    async with serving(respond, None) as server:
        crt = Crt("us-east-1", "", lambda: 0.0)
        assert await instance_id(crt, "127.0.0.1", server.port) == "i-0123456789abcdef0"


@pytest.mark.parametrize("text", [b"mi-0123456789abcdef0", b"", b"x" * 5000])
async def test_metadata_that_names_no_instance_is_an_error(text: bytes) -> None:
    async def respond(_head: bytes, _body: bytes) -> bytes:
        return answer(text or b" ")

    async with serving(respond, None) as server:
        crt = Crt("us-east-1", "", lambda: 0.0)
        with pytest.raises((BadAnswer, Unreachable)):
            await instance_id(crt, "127.0.0.1", server.port)
