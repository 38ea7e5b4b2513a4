"""What the agent relies on in the AWS runtime, without a network: futures and signatures."""

from __future__ import annotations

import asyncio
import gc
from concurrent.futures import Future

import pytest
from awscrt import http

from agent.config import ConfigError
from agent.ports import Credentials
from agent.transport.crt import Crt, settled

CREDENTIALS = Credentials("AKIDEXAMPLE", "secret", "the token")


def crt() -> Crt:
    return Crt("us-east-1", "", lambda: 1_440_938_160.0)


async def test_a_failure_after_the_deadline_is_not_an_unexpected_error() -> None:
    unexpected: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unexpected.append(context))
    future: Future[int] = Future()
    waiting = asyncio.ensure_future(settled(future))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert not future.cancelled()
    future.set_exception(OSError())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    gc.collect()
    assert unexpected == []


async def test_calls_are_signed_for_execute_api_by_the_clock_that_is_given() -> None:
    request = http.HttpRequest("POST", "/a%2Bb/x", http.HttpHeaders([("Host", "api.example")]))
    signed = await settled(crt().sign_call(request, CREDENTIALS, "0" * 64))
    authorization = signed.headers.get("Authorization") or ""
    assert "Credential=AKIDEXAMPLE/20150830/us-east-1/execute-api/aws4_request" in authorization
    assert signed.headers.get("X-Amz-Date") == "20150830T123600Z"
    assert signed.headers.get("X-Amz-Security-Token") == "the token"
    assert signed.path == "/a%2Bb/x"


async def test_the_handshake_is_signed_in_the_query_and_the_token_is_not_part_of_it() -> None:
    def handshake() -> http.HttpRequest:
        return http.HttpRequest("GET", "/mqtt", http.HttpHeaders([("Host", "data.iot.example")]))

    with_token = await settled(crt().sign_handshake(handshake(), CREDENTIALS))
    without = await settled(crt().sign_handshake(handshake(), Credentials("AKIDEXAMPLE", "secret")))
    assert "iotdevicegateway" in with_token.path
    assert "X-Amz-Security-Token=the%20token" in with_token.path
    signature = without.path.rpartition("X-Amz-Signature=")[2]
    assert f"X-Amz-Signature={signature}" in with_token.path


def test_a_bundle_that_cannot_be_read_is_a_typed_error() -> None:
    with pytest.raises(ConfigError):
        Crt("us-east-1", "/nonexistent.pem", lambda: 0.0)


def test_secrets_are_kept_out_of_representations() -> None:
    assert "secret" not in repr(CREDENTIALS)
    assert "token" not in repr(CREDENTIALS).replace("session_token", "")
