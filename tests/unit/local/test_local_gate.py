"""Well-known root keys and unauthenticated control paths stay outside the embedded AWS."""

from __future__ import annotations

from typing import Any

import pytest

from local.gate import Message, Receive, Scope, Send, admitted, gate


def _scope(path: str = "/", authorization: str = "", query: str = "", **more: Any) -> Scope:
    headers = [(b"authorization", authorization.encode())] if authorization else []
    return {
        "type": "http",
        "path": path,
        "headers": headers,
        "query_string": query.encode(),
        **more,
    }


def _signed(key: str) -> str:
    scope = f"{key}/20261122/us-east-1/iam/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=00"


@pytest.mark.parametrize("key", ["test", "000000000000", "123456789012"])
def test_well_known_root_keys_are_refused(key: str) -> None:
    assert not admitted(_scope(authorization=_signed(key)))
    query = f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={key}%2F20261122%2Fus-east-1"
    assert not admitted(_scope(query=query))
    assert not admitted(_scope(query=f"AWSAccessKeyId={key}&Signature=x"))
    assert not admitted(_scope(authorization=f"AWS {key}:signature"))


def test_other_keys_and_unsigned_requests_are_for_the_application_to_judge() -> None:
    assert admitted(_scope(authorization=_signed("AKIA0123456789")))
    assert admitted(_scope("/_aws/execute-api/abc/local/nodes"))


@pytest.mark.parametrize(
    "path",
    ["/_ministack/reset", "/_ministack/config", "/_ministack/sqs/messages", "/_localstack/init"],
)
def test_control_paths_and_instance_metadata_are_closed(path: str) -> None:
    assert not admitted(_scope(path))
    assert not admitted(_scope("/latest/meta-data/iam/security-credentials/"))


def test_the_paths_that_say_whether_it_is_up_are_open() -> None:
    assert admitted(_scope("/_ministack/ready"))
    assert admitted(_scope("/_ministack/health"))


async def _answer(scope: Scope, *messages: Message) -> tuple[list[Message], int]:
    """What comes back through the gate, and how often the application was reached."""
    reached, sent, waiting = [], [], list(messages)

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        reached.append(scope)

    async def receive() -> Message:
        return waiting.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    await gate(application)(scope, receive, send)
    assert not waiting
    return sent, len(reached)


async def test_a_refused_request_is_read_to_its_end_and_answered_403() -> None:
    parts: list[Message] = [
        {"type": "http.request", "body": b"a", "more_body": True},
        {"type": "http.request", "body": b"b", "more_body": False},
    ]
    sent, reached = await _answer(_scope(authorization=_signed("test")), *parts)
    assert (sent[0]["status"], reached) == (403, 0)
    assert b"UnrecognizedClientException" in sent[1]["body"]


async def test_a_refused_websocket_is_closed() -> None:
    scope = _scope(authorization=_signed("test"), type="websocket")
    sent, reached = await _answer(scope, {"type": "websocket.connect"})
    assert (sent, reached) == ([{"type": "websocket.close", "code": 1008}], 0)


async def test_what_is_admitted_and_the_lifespan_reach_the_application() -> None:
    assert await _answer(_scope()) == ([], 1)
    assert await _answer({"type": "lifespan"}) == ([], 1)
