"""A whole session with nothing but botocore-signed HTTPS and a bare WebSocket library."""

from __future__ import annotations

import secrets

import pytest

from local.stack import Stack
from tests.integration.bare_client import HANDSHAKE_COMPLETE, HANDSHAKE_REQUEST
from tests.integration.ledger import secret
from tests.integration.sessions import connect, described, start, wait_status

pytestmark = pytest.mark.stack


def test_a_client_written_from_the_documents_drives_a_whole_session(stack: Stack) -> None:
    typed = secret(secrets.token_hex(12), "typed text")
    started = start(stack, Reason="written by hand")
    client = connect(stack, started)
    assert client.socket.subprotocol in (None, "hatchway.v1")
    client.greet()
    assert client.handshakes == [HANDSHAKE_REQUEST, HANDSHAKE_COMPLETE]
    client.resize(101, 37)
    assert "37 101" in client.run("stty size; echo se''en", "seen")

    assert typed[::-1] in client.run(f"echo {typed} | rev; echo do''ne", "done")
    found = described(stack, started.session_id)
    assert found["Status"] == "Connected"
    assert found["Reason"] == "written by hand"

    # Every message is acknowledged by itself; the last one's may be overtaken by the end.
    client.until(lambda: not client.unacknowledged)
    sent = set(range(max(client.acknowledged) + 1))
    client.type("exit 7\r")
    client.until(lambda: client.closed is not None)
    assert client.closed is not None
    assert client.closed["MessageType"] == "channel_closed"
    assert client.closed["SessionId"] == started.session_id
    assert client.closed["Output"] == ""
    assert sent <= client.acknowledged, "each, once at least"
    assert client.largest <= 1024, "no extension was agreed on"
    ended = wait_status(stack, started.session_id, "Terminated")
    assert (ended["ExitCode"], ended["EndReason"]) == (7, "exited")


def test_the_greeting_of_original_clients_is_accepted_and_not_answered(stack: Stack) -> None:
    started = start(stack)
    client = connect(stack, started)
    client.socket.send(
        '{"MessageSchemaVersion":"1.0","RequestId":"5d5c1a9e-1f0e-4f4b-8a51-7b0b0a6c2f11",'
        f'"TokenValue":"{started.token}","ClientId":"1","ClientVersion":"1.2.0.0"}}'
    )
    client.greet()
    client.resize(80, 24)
    client.run("echo gree''ted", "greeted")
    assert client.answers == []
    client.type("exit\r")
    client.until(lambda: client.closed is not None)
