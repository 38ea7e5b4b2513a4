"""An administrator of the account's IoT Core, who may do all there is to do in it, reads nothing
that was typed and makes nothing run."""

from __future__ import annotations

import base64
import json
import secrets
import time
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hatchway.core.keys import seal_key
from hatchway.core.sealing import SealHeader, peek, seal
from local.deployment import STAGE
from local.identities import Statement
from local.stack import Stack
from local.waiting import until
from tests.integration.bare_client import BareClient, pack
from tests.integration.ledger import secret
from tests.integration.logs import agent_log, reported
from tests.integration.mqtt import GRANTED, MqttClient
from tests.integration.sessions import (
    person,
    quiet_shell,
    reconnect,
    resume,
    wait_status,
)

pytestmark = pytest.mark.stack

_IOT: Statement = {"Effect": "Allow", "Action": "iot:*", "Resource": "*"}
#: An agent reports a second after the first drop, and then once a minute.
REPORTED = 80.0


@pytest.fixture
def attacker(stack: Stack) -> Iterator[MqttClient]:
    """An IAM user with iot:* who listens to all that Hatchway publishes."""
    with (
        person(stack, f"iot-admin-{secrets.token_hex(4)}", [_IOT]) as user,
        MqttClient(stack, user.credentials, f"attacker-{secrets.token_hex(4)}") as client,
    ):
        assert client.subscribe("hatchway/#") == GRANTED
        yield client


@pytest.fixture
def node(stack: Stack) -> Iterator[str]:
    """A node of its own: nothing else makes its agent report, and its first report is prompt."""
    fresh = stack.run_instance({"Name": f"target-{secrets.token_hex(4)}", "team": "web"})
    with stack.agent(fresh):
        yield fresh


def data_topic(node: str, session_id: str) -> str:
    return f"hatchway/{STAGE}/{node}/data/{session_id[-17:]}"


def sealed_on(attacker: MqttClient, topic: str) -> list[bytes]:
    return [payload for where, payload in list(attacker.received) if where == topic]


def captured(attacker: MqttClient, topic: str, client: BareClient, command: str) -> list[bytes]:
    """The genuine messages that carried a command, as they passed by."""
    before = len(sealed_on(attacker, topic))
    client.run(f"{command}; echo ta''ken", "taken")
    until(lambda: len(sealed_on(attacker, topic)) > before, 10, "Nothing was captured")
    return sealed_on(attacker, topic)[before:]


def genuine(
    stack: Stack, node: str, session_id: str, command: str, generation: int, life: int
) -> bytes:
    """What the relay would have sealed at another time, or for another connection: made with the
    service's own secret, which the attacker does not have, so that only time or generation is
    wrong with it."""
    found = stack.emulator.client("secretsmanager").get_secret_value(
        SecretId=f"hatchway-{STAGE}/seal"
    )
    key_id = str(found["VersionId"])[:8]
    value = str(found["SecretString"]).encode()
    key = seal_key(value, key_id=key_id, node=node, session=session_id)
    message = base64.b64decode(pack("input_stream_data", 1000, f"{command}\r".encode(), 1))
    return seal(
        AESGCM(key),
        SealHeader(key_id, generation, int(time.time()) + life),
        [message],
        node=node,
        session=session_id,
        nonce=secrets.token_bytes(12),
    )


def test_nothing_that_is_published_to_a_node_runs_and_its_report_says_so(
    stack: Stack, node: str, attacker: MqttClient
) -> None:
    with (
        quiet_shell(stack, node=node) as (session_id, client),
        quiet_shell(stack, node=node) as (
            other_id,
            other,
        ),
    ):
        topic = data_topic(node, session_id)
        client.run("count=0; echo re''ady", "ready")
        other.run("count=0; echo re''ady", "ready")
        of_another = captured(attacker, data_topic(node, other_id), other, "count=$((count+1))")[0]
        reconnect(stack, client, resume(stack, session_id))
        replayed = captured(attacker, topic, client, "count=$((count+1))")
        assert peek(replayed[0]).generation == 2
        add = "count=$((count+1))"
        attacker.publish(
            topic,
            b"junk",
            secrets.token_bytes(200),
            replayed[0][:-1] + bytes([replayed[0][-1] ^ 1]),
            *replayed,
            of_another,
            genuine(stack, node, session_id, add, generation=2, life=-1),
            genuine(stack, node, session_id, add, generation=1, life=30),
        )
        attacker.publish(f"hatchway/{STAGE}/{node}/control", b"junk", b'{"v":1,"session":7}')
        expected = {
            "forged": 4,
            "replayed": len(replayed),
            "expired": 1,
            "olderGeneration": 1,
            "malformedHint": 2,
        }
        _wait_reported(stack, node, expected)
        assert "counted 1\r" in client.run("echo cou''nted $count", "counted 1") + "\r"
        assert "counted 1" in other.run("echo cou''nted $count", "counted 1")


def _wait_reported(stack: Stack, node: str, expected: dict[str, int]) -> None:
    def told() -> bool:
        return reported(stack, node) == expected

    try:
        until(told, REPORTED, "The report")
    except Exception:
        assert reported(stack, node) == expected
        raise


def test_a_genuine_hint_for_a_terminated_session_starts_nothing_and_is_reported(
    stack: Stack, node: str, attacker: MqttClient
) -> None:
    control = f"hatchway/{STAGE}/{node}/control"
    with quiet_shell(stack, node=node) as (session_id, client):
        client.type("exit\r")
        client.until(lambda: client.closed is not None)
    wait_status(stack, session_id, "Terminated")
    hints = [p for p in sealed_on(attacker, control) if json.loads(p)["session"] == session_id]
    assert hints, "the genuine one was seen"
    until(lambda: "session over" in agent_log(stack, node), 10, "The agent goes on")
    opened = agent_log(stack, node).count("session open")
    attacker.publish(control, hints[0])
    _wait_reported(stack, node, {"staleHint": 1})
    assert agent_log(stack, node).count("session open") == opened
    assert wait_status(stack, session_id, "Terminated")["Status"] == "Terminated"


def test_whoever_listens_to_everything_reads_nothing_that_was_typed(
    stack: Stack, attacker: MqttClient
) -> None:
    typed = [secret(secrets.token_hex(16), "typed text") for _ in range(3)]
    with quiet_shell(stack) as (session_id, client):
        topic = data_topic(stack.demo.node, session_id)
        for text in typed:
            assert len(captured(attacker, topic, client, f"echo {text} >/dev/null")) > 0
        everything = [payload for _, payload in attacker.received]
        assert len(sealed_on(attacker, topic)) >= len(typed)
    for payload in everything:
        for text in (*typed, "echo", "input_stream_data", "acknowledge"):
            assert not _holds(payload, text.encode())


def _holds(payload: bytes, text: bytes) -> bool:
    """In clear, or as base64 at any of its three alignments."""
    encoded = (base64.b64encode(bytes(pad) + text) for pad in range(3))
    inner = [code[4:-4] if len(text) > 12 else code for code in encoded]
    return text in payload or any(code in payload for code in inner if len(code) >= 8)


def test_what_the_attacker_can_do_to_a_topic_does_not_reach_another_persons_session(
    stack: Stack, attacker: MqttClient
) -> None:
    """A flood of junk: the session's own messages still arrive."""
    with quiet_shell(stack) as (session_id, client):
        topic = data_topic(stack.demo.node, session_id)
        attacker.publish(topic, *(secrets.token_bytes(100) for _ in range(100)))
        client.run("echo st''ill here", "still here")
