"""What the agent asks of the MQTT runtime, and what it makes of what the runtime tells it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, cast

import pytest
from awscrt import http, io, mqtt5
from awscrt.exceptions import AwsCrtError

from agent.config import Address
from agent.ports import Credentials
from agent.transport import mqtt
from agent.transport.crt import Crt
from agent.transport.mqtt import MqttListening
from tests.unit.agent.virtual_time import run

pytestmark = pytest.mark.timeout(30)

CONTROL = "hatchway/local/i-0123456789abcdef0/control"
DATA = "hatchway/local/i-0123456789abcdef0/data/0123456789abcdef0"
#: A reason code of MQTT 5: not authorized.
REFUSED = 135


class Runtime:
    """The runtime's client as far as it is used: it keeps what it is given, and does nothing by
    itself."""

    def __init__(self) -> None:
        self.options: Any = None
        self.started = self.stopped = 0
        self.topics: list[str] = []
        self.subscriptions: list[Future[mqtt5.SubackPacket]] = []
        self.refuses: Exception | None = None
        self.says_stopped = True

    def make(self, options: mqtt5.ClientOptions) -> mqtt5.Client:
        self.options = options
        return cast(mqtt5.Client, self)

    def start(self) -> None:
        self.started += 1

    def stop(self, packet: object) -> None:
        self.stopped += 1
        if self.says_stopped:
            self.options.on_lifecycle_event_stopped_fn(mqtt5.LifecycleStoppedData())

    def subscribe(self, packet: mqtt5.SubscribePacket) -> Future[mqtt5.SubackPacket]:
        if self.refuses is not None:
            raise self.refuses
        self.topics += [each.topic_filter for each in packet.subscriptions]
        self.subscriptions.append(Future())
        return self.subscriptions[-1]

    # --- what happens to it -----------------------------------------------------------------------

    def connects(self) -> None:
        self.options.on_lifecycle_event_connection_success_fn(None)

    def is_refused(self, code: mqtt5.ConnectReasonCode | None) -> None:
        packet = None if code is None else mqtt5.ConnackPacket(reason_code=code)
        self.options.on_lifecycle_event_connection_failure_fn(
            mqtt5.LifecycleConnectFailureData(packet, AwsCrtError(0, "AWS_IO_DNS", "no name"))
        )

    def loses(self) -> None:
        self.options.on_lifecycle_event_disconnection_fn(
            mqtt5.LifecycleDisconnectData(None, AwsCrtError(0, "AWS_ERROR_MQTT_TIMEOUT", "late"))
        )

    def answers(self, *codes: int) -> None:
        packet = mqtt5.SubackPacket()
        packet.reason_codes = cast(Any, list(codes))
        self.subscriptions[-1].set_result(packet)

    def receives(self, payload: bytes, topic: str = CONTROL) -> None:
        packet = mqtt5.PublishPacket(topic=topic, qos=mqtt5.QoS.AT_LEAST_ONCE, payload=payload)
        self.options.on_publish_callback_fn(mqtt5.PublishReceivedData(publish_packet=packet))


class Heard:
    """The listener's events, as they came."""

    def __init__(self) -> None:
        self.events: list[str | bytes] = []

    def up(self) -> None:
        self.events.append("up")

    def down(self, code: str) -> None:
        self.events.append(code)

    def message(self, payload: bytes) -> None:
        self.events.append(payload)

    def overflow(self) -> None:
        self.events.append("overflow")


@dataclass
class Bench:
    runtime: Runtime
    heard: Heard
    listening: MqttListening

    async def settle(self) -> list[str | bytes]:
        """What was told since the last time."""
        await asyncio.sleep(0)
        told, self.heard.events = self.heard.events, []
        return told


def with_bench(test: Callable[[Bench], Awaitable[None]], topic: str = CONTROL) -> None:
    """In virtual time; closed at the end."""

    async def go() -> None:
        runtime, heard = Runtime(), Heard()
        listening = MqttListening(
            cast(Crt, Unsigned()),
            Address("127.0.0.1", 8883),
            "iot.example",
            "client-1",
            topic,
            lambda: Credentials("AKIDEXAMPLE", "secret", "the token"),
            heard,
            runtime.make,
        )
        await test(Bench(runtime, heard, listening))
        await listening.close()

    run(go())


class Unsigned:
    """In the place of the runtime's facilities; `signing` is the signature's future."""

    bootstrap = socket = tls = None

    def __init__(self) -> None:
        self.signed: list[tuple[str | None, Credentials]] = []
        self.signing: Future[http.HttpRequest] = Future()

    def sign_handshake(
        self, request: http.HttpRequest, credentials: Credentials
    ) -> Future[http.HttpRequest]:
        self.signed.append((request.headers.get("Host"), credentials))
        return self.signing


# --- what it is asked for -------------------------------------------------------------------------


@pytest.mark.parametrize(("topic", "longest"), [(CONTROL, 10_000), (DATA, 1_000)])
def test_a_session_s_connection_is_back_within_a_second_and_a_thousand_nodes_spread(
    topic: str, longest: int
) -> None:
    """Delays are of the runtime's doing: at random from nothing up to a bound that doubles."""

    async def test(bench: Bench) -> None:
        asked = bench.runtime.options
        assert asked.retry_jitter_mode is io.ExponentialBackoffJitterMode.FULL
        assert (asked.min_reconnect_delay_ms, asked.max_reconnect_delay_ms) == (1_000, longest)
        # One that held for a second was a good one: whoever is cut again begins with the first.
        assert asked.min_connected_time_to_reset_reconnect_delay_ms == 1_000

    with_bench(test, topic)


def test_a_silent_death_is_noticed_within_the_keep_alive_and_a_ping() -> None:
    async def test(bench: Bench) -> None:
        asked = bench.runtime.options
        assert (asked.connect_options.keep_alive_interval_sec, asked.ping_timeout_ms) == (30, 8000)
        assert (asked.connack_timeout_ms, asked.ack_timeout_sec) == (10_000, 10)

    with_bench(test)


def test_nothing_stale_is_asked_for_and_nothing_without_bound() -> None:
    async def test(bench: Bench) -> None:
        asked = bench.runtime.options
        assert asked.session_behavior is mqtt5.ClientSessionBehaviorType.CLEAN
        assert asked.connect_options.client_id == "client-1"
        assert asked.connect_options.receive_maximum == mqtt.RECEIVE_MAXIMUM
        assert asked.connect_options.maximum_packet_size == mqtt.MAX_PACKET
        assert (asked.host_name, asked.port) == ("127.0.0.1", 8883)
        assert bench.runtime.started == 1

    with_bench(test)


# --- what becomes of it ---------------------------------------------------------------------------


def test_it_is_up_when_it_is_subscribed_each_time_it_is_connected() -> None:
    async def test(bench: Bench) -> None:
        for number in (1, 2):
            bench.runtime.connects()
            assert await bench.settle() == []
            bench.runtime.answers(1)
            assert await bench.settle() == ["up"]
            assert bench.runtime.topics == [CONTROL] * number
            bench.runtime.loses()
            assert await bench.settle() == ["AWS_ERROR_MQTT_TIMEOUT"]

    with_bench(test)


@pytest.mark.parametrize(
    ("code", "told"),
    [(None, "AWS_IO_DNS"), (mqtt5.ConnectReasonCode.NOT_AUTHORIZED, f"CONNACK_{REFUSED}")],
)
def test_why_it_does_not_connect_is_told(code: mqtt5.ConnectReasonCode | None, told: str) -> None:
    async def test(bench: Bench) -> None:
        bench.runtime.is_refused(code)
        assert await bench.settle() == [told]

    with_bench(test)


def test_a_refused_subscription_is_told_and_tried_again() -> None:
    async def test(bench: Bench) -> None:
        bench.runtime.connects()
        await bench.settle()
        bench.runtime.answers(REFUSED)
        assert await bench.settle() == [f"SUBACK_{REFUSED}"]
        await asyncio.sleep(mqtt.RESUBSCRIBE - 0.1)
        assert len(bench.runtime.subscriptions) == 1
        await asyncio.sleep(0.2)
        bench.runtime.answers(1)
        assert await bench.settle() == ["up"]

    with_bench(test)


@pytest.mark.parametrize("later", [True, False])
def test_a_subscription_that_fails_is_tried_again_once(later: bool) -> None:
    """At once, or when its connection was lost before the answer."""

    async def test(bench: Bench) -> None:
        error = AwsCrtError(0, "AWS_ERROR_MQTT5_OPERATION_FAILED", "offline")
        bench.runtime.refuses = None if later else error
        bench.runtime.connects()
        told = await bench.settle()
        if later:
            assert told == []
            bench.runtime.subscriptions[-1].set_exception(error)
            told = await bench.settle()
        assert told == [error.name]
        bench.runtime.refuses = None
        await asyncio.sleep(mqtt.RESUBSCRIBE + 0.1)
        bench.runtime.answers(1)
        assert await bench.settle() == ["up"]
        assert len(bench.runtime.subscriptions) == 1 + later

    with_bench(test)


def test_an_answer_without_a_reason_is_a_refusal() -> None:
    async def test(bench: Bench) -> None:
        bench.runtime.connects()
        await bench.settle()
        bench.runtime.answers()
        assert await bench.settle() == ["SUBACK_255"]

    with_bench(test)


# --- messages -------------------------------------------------------------------------------------


def test_messages_come_in_their_order_repeated_ones_too_and_no_other_topic_s() -> None:
    """MQTT repeats; who may repeat is for the channel to know."""

    async def test(bench: Bench) -> None:
        for payload in (b"1", b"2", b"2", b""):
            bench.runtime.receives(payload)
        bench.runtime.receives(b"forged", topic=DATA)
        assert await bench.settle() == [b"1", b"2", b"2", b""]

    with_bench(test)


def test_as_many_wait_as_may_and_the_next_is_told_to_be_lost() -> None:
    async def test(bench: Bench) -> None:
        for _ in range(mqtt.MAX_WAITING + 2):
            bench.runtime.receives(b"x")
        told = await bench.settle()
        assert (told.count(b"x"), told.count("overflow")) == (mqtt.MAX_WAITING, 2)
        bench.runtime.receives(b"y")
        assert await bench.settle() == [b"y"]

    with_bench(test)


def test_their_bytes_are_bounded_too() -> None:
    async def test(bench: Bench) -> None:
        half = bytes(mqtt.MAX_WAITING_BYTES // 2)
        for payload in (half, half, b"one too many"):
            bench.runtime.receives(payload)
        assert await bench.settle() == [half, half, "overflow"]
        bench.runtime.receives(bytes(mqtt.MAX_WAITING_BYTES + 1))
        assert await bench.settle() == ["overflow"]

    with_bench(test)


# --- its end --------------------------------------------------------------------------------------


def test_a_closed_connection_tells_nothing_more() -> None:
    async def test(bench: Bench) -> None:
        bench.runtime.connects()
        await bench.settle()
        await bench.listening.close()
        bench.runtime.answers(1)
        bench.runtime.loses()
        bench.runtime.receives(b"late")
        bench.runtime.connects()
        assert await bench.settle() == []
        assert (bench.runtime.stopped, len(bench.runtime.subscriptions)) == (1, 1)
        await bench.listening.close()
        assert bench.runtime.stopped == 1

    with_bench(test)


def test_a_closed_connection_subscribes_no_more() -> None:
    async def test(bench: Bench) -> None:
        bench.runtime.connects()
        await bench.settle()
        bench.runtime.answers(REFUSED)
        await bench.settle()
        await bench.listening.close()
        await asyncio.sleep(2 * mqtt.RESUBSCRIBE)
        assert len(bench.runtime.subscriptions) == 1

    with_bench(test)


def test_a_goodbye_that_is_not_answered_is_not_waited_for() -> None:
    async def test(bench: Bench) -> None:
        bench.runtime.says_stopped = False
        begin = asyncio.get_running_loop().time()
        await bench.listening.close()
        assert asyncio.get_running_loop().time() - begin == pytest.approx(mqtt.GOODBYE)

    with_bench(test)


def test_whatever_comes_after_the_loop_s_end_is_nobody_s_business() -> None:
    kept: list[Bench] = []

    async def test(bench: Bench) -> None:
        kept.append(bench)

    with_bench(test)
    kept[0].runtime.loses()
    kept[0].runtime.receives(b"late")
    assert kept[0].heard.events == []


# --- the handshake --------------------------------------------------------------------------------


class Transform:
    """What the runtime hands over to have its request signed; `done` is the answer."""

    def __init__(self) -> None:
        headers = http.HttpHeaders([("Host", "127.0.0.1")])
        self.http_request = http.HttpRequest("GET", "/mqtt", headers)
        self.done: list[BaseException | None] = []

    def set_done(self, exception: BaseException | None = None) -> None:
        self.done.append(exception)


@pytest.mark.parametrize("failure", [None, OSError("no signature")])
def test_the_handshake_is_for_the_endpoint_with_the_newest_credentials(
    failure: Exception | None,
) -> None:
    async def go() -> None:
        runtime, crt, transform = Runtime(), Unsigned(), Transform()
        fetched = iter((Credentials("AKIDFIRST", "s"), Credentials("AKIDSECOND", "s")))
        listening = MqttListening(
            cast(Crt, crt),
            Address("127.0.0.1", 8883),
            "iot.example",
            "client-1",
            CONTROL,
            lambda: next(fetched),
            Heard(),
            runtime.make,
        )
        for _ in range(2):
            runtime.options.websocket_handshake_transform(transform)
        assert crt.signed == [
            ("iot.example", Credentials("AKIDFIRST", "s")),
            ("iot.example", Credentials("AKIDSECOND", "s")),
        ]
        assert transform.done == []
        if failure is None:
            crt.signing.set_result(transform.http_request)
        else:
            crt.signing.set_exception(failure)
        assert transform.done == [failure] * 2
        # There are no credentials now: the runtime gets its answer all the same.
        runtime.options.websocket_handshake_transform(transform)
        assert isinstance(transform.done[-1], StopIteration)
        await listening.close()

    run(go())
