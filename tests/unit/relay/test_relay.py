"""The relay: sealed for one session and node, or dropped and counted; the client hears nothing."""

from __future__ import annotations

from typing import Any

import pytest

from hatchway.core.errors import SealBroken, ThrottlingException
from hatchway.core.keys import seal_key
from hatchway.core.sealing import MAX_FRAMES, SEAL_LIFE, Sealed, peek, unseal
from hatchway.core.wire import MAX_TEXT_MESSAGE, MessageType, to_text
from lambdas.adapters.crypto import cipher
from lambdas.logline import Line
from lambdas.memory.clock import ManualClock
from lambdas.memory.iot import MemoryDownlink
from lambdas.memory.secrets import MemorySecrets
from lambdas.relay.handler import MAX_CIPHERS, Ciphers, Relay
from lambdas.relay.pace import BURST, MAX_CONNECTIONS, PER_SECOND, Pace
from tests.unit.edge.frames import frame
from tests.unit.edge.world import NODE, OTHER_NODE, SESSION, World, recorded

INPUT = frame(MessageType.INPUT, b"ls\r")
ACK = frame(MessageType.ACKNOWLEDGE, b"{}")


class Setting:
    def __init__(self) -> None:
        self.world = World()
        self.secrets = MemorySecrets("seal")
        self.downlink: MemoryDownlink = self.world.downlink
        self.relay = Relay(
            secrets=self.secrets,
            downlink=self.downlink,
            recorder=self.world.recorder,
            ciphers=Ciphers(cipher),
            pace=Pace(self.world.clock),
            clock=self.world.clock,
            random=self.world.random,
        )
        self.line = Line("relay")

    def send(self, body: object, **changes: Any) -> None:
        event = recorded("ws_message.json") | {"body": body}
        event["requestContext"]["authorizer"] |= changes
        self.line = Line("relay")
        assert self.relay.handle(event, self.line) == {"statusCode": 200}

    def opened(self, at: int = -1, node: str = NODE, session: str = SESSION) -> Sealed:
        _node, _session, sealed = self.downlink.sent[at]
        key_id = peek(sealed).key_id
        secret = self.secrets.version(key_id)
        assert secret is not None
        key = seal_key(secret.value, key_id=key_id, node=node, session=session)
        return unseal(cipher(key), sealed, node=node, session=session, now=self.world.clock())


@pytest.fixture
def setting() -> Setting:
    return Setting()


def test_frames_reach_the_node_sealed_with_generation_and_expiry(setting: Setting) -> None:
    setting.send(to_text([INPUT, ACK]), generation="7")
    [(node, session, sealed)] = setting.downlink.sent
    assert (node, session) == (NODE, SESSION)
    opened = setting.opened()
    assert opened.frames == (INPUT, ACK)
    assert opened.header.generation == 7
    assert opened.header.expires == int(setting.world.clock()) + SEAL_LIFE
    assert b"ls\r" not in sealed


def test_what_is_sealed_for_one_session_or_node_opens_for_no_other(setting: Setting) -> None:
    setting.send(to_text([INPUT]))
    with pytest.raises(SealBroken):
        setting.opened(session="john-ffffffffffffffff0")
    with pytest.raises(SealBroken):
        setting.opened(node=OTHER_NODE)


def test_no_two_messages_share_a_nonce(setting: Setting) -> None:
    for _ in range(3):
        setting.send(to_text([INPUT]))
    assert len({setting.opened(at).nonce for at in range(3)}) == 3


def test_a_rotated_secret_is_used_from_the_next_message_on(setting: Setting) -> None:
    setting.send(to_text([INPUT]))
    setting.secrets.rotate()
    setting.send(to_text([INPUT]))
    assert setting.opened(0).header.key_id != setting.opened(1).header.key_id


@pytest.mark.parametrize("kind", sorted(set(MessageType)))
def test_only_what_a_client_sends_passes(setting: Setting, kind: MessageType) -> None:
    setting.send(to_text([INPUT, frame(kind)]))
    allowed = {"input_stream_data", "acknowledge", "start_publication", "pause_publication"}
    assert len(setting.downlink.sent) == (1 if kind in allowed else 0)
    assert setting.line.fields.get("dropped", 0) == (0 if kind in allowed else 1)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "\n",
        None,
        7,
        "not base64!",
        to_text([INPUT]) + "\n" + "AAAA",
        to_text([INPUT[:-1] + b"?"]),  # another digest
        to_text([INPUT]) + "\r",
        "x" * (MAX_TEXT_MESSAGE + 1),
        '{"action": "unknown"}',
        '{"MessageSchemaVersion"',
        "{" * 20_000,
    ],
)
def test_an_unusable_message_is_dropped_and_counted(setting: Setting, body: object) -> None:
    setting.send(body)
    assert setting.downlink.sent == []
    assert setting.line.fields["dropped"] == 1


def test_frames_in_one_message_have_a_limit(setting: Setting) -> None:
    small = frame(MessageType.INPUT)
    setting.send(to_text([small] * MAX_FRAMES))
    assert len(setting.opened().frames) == MAX_FRAMES
    setting.send(to_text([small] * (MAX_FRAMES + 1)))
    assert setting.line.fields["dropped"] == 1


def test_base64_from_the_gateway_means_a_binary_message_and_is_dropped(setting: Setting) -> None:
    event = recorded("ws_message.json") | {"body": to_text([INPUT]), "isBase64Encoded": True}
    setting.relay.handle(event, setting.line)
    assert setting.downlink.sent == []


def test_the_original_clients_greeting_is_ignored(setting: Setting) -> None:
    setting.send('{"MessageSchemaVersion":"1.0","RequestId":"r","TokenValue":"t","ClientId":"c"}')
    assert setting.downlink.sent == []
    assert "dropped" not in setting.line.fields


@pytest.mark.parametrize(
    "change",
    [{"session": "mary"}, {"side": "agent"}, {"generation": ""}, {"node": "x"}, {"owner": None}],
)
def test_nothing_but_the_authorizers_context_says_whose_message_it_is(
    setting: Setting, change: dict[str, object]
) -> None:
    setting.send(to_text([INPUT]), **change)
    assert setting.downlink.sent == []
    assert setting.line.fields["dropped"] == 1


def test_a_throttled_downlink_is_a_drop_not_a_failure(setting: Setting) -> None:
    setting.downlink.failure = ThrottlingException()
    setting.send(to_text([INPUT]))
    assert setting.line.fields["code"] == "ThrottlingException"


def test_a_connection_sends_a_burst_then_so_many_a_second_and_the_rest_is_dropped(
    setting: Setting,
) -> None:
    for _ in range(int(BURST)):
        setting.send(to_text([INPUT]))
    assert len(setting.downlink.sent) == BURST
    setting.send(to_text([INPUT]))
    assert len(setting.downlink.sent) == BURST
    assert setting.line.fields["dropped"] == 1
    assert setting.line.fields["code"] == "ThrottlingException"
    setting.world.clock.advance(1)
    for _ in range(int(PER_SECOND) + 5):
        setting.send(to_text([INPUT]))
    assert len(setting.downlink.sent) == BURST + PER_SECOND


def test_one_connection_that_floods_costs_another_nothing() -> None:
    clock = ManualClock()
    pace = Pace(clock)
    for _ in range(int(BURST)):
        pace.spend("flooding")
    with pytest.raises(ThrottlingException):
        pace.spend("flooding")
    pace.spend("another")


def test_a_bucket_holds_no_more_than_a_burst_and_a_clock_that_goes_back_fills_none() -> None:
    clock = ManualClock()
    pace = Pace(clock)
    pace.spend("c")
    clock.advance(3600)
    for _ in range(int(BURST)):
        pace.spend("c")
    for seconds in (-10.0, 0.0):
        clock.advance(seconds)
        with pytest.raises(ThrottlingException):
            pace.spend("c")


def test_the_connections_seen_last_are_remembered_up_to_a_limit() -> None:
    clock = ManualClock()
    pace = Pace(clock)
    for number in range(MAX_CONNECTIONS + 1):
        clock.advance(1)
        pace.spend(f"c{number}")
        pace.spend("always")
    assert len(pace.kept) == MAX_CONNECTIONS
    assert "always" in pace.kept
    assert "c0" not in pace.kept


def test_an_unexpected_failure_says_nothing_of_what_was_typed(setting: Setting) -> None:
    def fail(node: str, session: str, sealed: bytes) -> None:
        raise RuntimeError("ls")

    setting.downlink.on_data = fail
    setting.send(to_text([INPUT]))
    assert setting.line.level == "ERROR"
    assert "ls" not in str(setting.line.fields["error"])
    assert set(setting.line.fields) <= {
        *("family", "session", "generation", "frames", "dropped", "error", "where"),
    }


def test_ciphers_are_kept_up_to_a_limit_and_the_last_used_stay(setting: Setting) -> None:
    ciphers, secrets = Ciphers(cipher), setting.secrets
    _, first = ciphers.of(secrets, NODE, "s0")
    for n in range(1, MAX_CIPHERS):
        ciphers.of(secrets, NODE, f"s{n}")
    assert ciphers.of(secrets, NODE, "s0")[1] is first
    ciphers.of(secrets, NODE, "one more")
    assert len(ciphers.kept) == MAX_CIPHERS
    assert ciphers.of(secrets, NODE, "s0")[1] is first
    assert not any(session == "s1" for _, _, session in ciphers.kept)
