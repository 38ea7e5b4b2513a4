"""One MQTT 5 connection over WebSocket that reads one topic and keeps itself connected."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future

from awscrt import http, io, mqtt5

from agent.config import Address
from agent.ports import Credentials, Listener
from agent.transport.crt import FAILURES, Crt, code_of
from hatchway.core.sealing import MAX_SEALED

KEEP_ALIVE = 30
PING_TIMEOUT_MS = 8000
CONNACK_TIMEOUT_MS = 10_000
ACK_TIMEOUT = 10
#: IoT Core takes one connect a second from a client id; jitter is full, hence the low minimum. A
#: session's connection is one that somebody waits for.
MIN_RECONNECT_MS, MAX_RECONNECT_MS, MAX_SESSION_RECONNECT_MS = 1000, 10_000, 1000
#: A connection that held so long was a good one: the next attempt does not wait longer than the
#: first. The runtime's own 30 s would make whoever is cut twice in them wait ten seconds.
GOOD_MS = 1000
#: Bytes of an MQTT packet: a sealed message, its topic and properties.
MAX_PACKET = MAX_SEALED + 4096
#: Messages, and their bytes, between the runtime's thread and the event loop.
MAX_WAITING = 256
MAX_WAITING_BYTES = 2 * 1024 * 1024
#: QoS 1 messages on their way to us.
RECEIVE_MAXIMUM = 64
#: Seconds until a refused subscription is tried again, and for a clean goodbye.
RESUBSCRIBE = 5.0
GOODBYE = 2.0


class MqttListening:
    """Callbacks come on the runtime's thread and are handed to the event loop at once."""

    def __init__(
        self,
        crt: Crt,
        dial: Address,
        endpoint: str,
        client_id: str,
        topic: str,
        credentials: Callable[[], Credentials],
        listener: Listener,
        make: Callable[[mqtt5.ClientOptions], mqtt5.Client] = mqtt5.Client,
    ) -> None:
        self._crt, self._endpoint, self._topic = crt, endpoint, topic
        self._credentials, self._listener = credentials, listener
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._closed = False
        self._stopped = asyncio.Event()
        self._again: asyncio.TimerHandle | None = None
        self._client: mqtt5.Client | None = make(self._options(dial, client_id))
        self._client.start()

    async def close(self) -> None:
        """Says goodbye, so that the service knows at once."""
        client, self._client, self._closed = self._client, None, True
        if self._again is not None:
            self._again.cancel()
        if client is None:
            return
        client.stop(mqtt5.DisconnectPacket())
        try:
            async with asyncio.timeout(GOODBYE):
                await self._stopped.wait()
        except TimeoutError:
            return

    def _options(self, dial: Address, client_id: str) -> mqtt5.ClientOptions:
        session = "/data/" in self._topic
        return mqtt5.ClientOptions(
            host_name=dial.host,
            port=dial.port,
            bootstrap=self._crt.bootstrap,
            socket_options=self._crt.socket,
            tls_ctx=self._crt.tls,
            websocket_handshake_transform=self._handshake,
            connect_options=mqtt5.ConnectPacket(
                client_id=client_id,
                keep_alive_interval_sec=KEEP_ALIVE,
                maximum_packet_size=MAX_PACKET,
                receive_maximum=RECEIVE_MAXIMUM,
            ),
            session_behavior=mqtt5.ClientSessionBehaviorType.CLEAN,
            retry_jitter_mode=io.ExponentialBackoffJitterMode.FULL,
            min_reconnect_delay_ms=MIN_RECONNECT_MS,
            max_reconnect_delay_ms=MAX_SESSION_RECONNECT_MS if session else MAX_RECONNECT_MS,
            min_connected_time_to_reset_reconnect_delay_ms=GOOD_MS,
            ping_timeout_ms=PING_TIMEOUT_MS,
            connack_timeout_ms=CONNACK_TIMEOUT_MS,
            ack_timeout_sec=ACK_TIMEOUT,
            on_publish_callback_fn=self._on_publish,
            on_lifecycle_event_stopped_fn=self._on_stopped,
            on_lifecycle_event_connection_success_fn=self._on_connected,
            on_lifecycle_event_connection_failure_fn=self._on_failed,
            on_lifecycle_event_disconnection_fn=self._on_disconnected,
            disable_metrics=True,
        )

    # --- on the runtime's thread ----------------------------------------------------------------

    def _handshake(self, transform_args: mqtt5.WebsocketHandshakeTransformArgs) -> None:
        """Whatever is dialled, the request is for the endpoint, with the newest credentials."""
        try:
            request: http.HttpRequest = transform_args.http_request
            request.headers.set("Host", self._endpoint)
            signed = self._crt.sign_handshake(request, self._credentials())
            signed.add_done_callback(lambda done: transform_args.set_done(done.exception()))
        except Exception as error:  # the runtime waits for an answer, whatever happens here
            transform_args.set_done(error)

    def _on_publish(self, received: mqtt5.PublishReceivedData) -> None:
        packet = received.publish_packet
        payload = bytes(packet.payload or b"")
        if packet.topic != self._topic:
            return
        with self._lock:
            full = len(self._waiting) >= MAX_WAITING
            if full or self._waiting_bytes + len(payload) > MAX_WAITING_BYTES:
                self._hand_over(self._listener.overflow)
                return
            self._waiting.append(payload)
            self._waiting_bytes += len(payload)
        self._hand_over(self._deliver)

    def _on_connected(self, _data: mqtt5.LifecycleConnectSuccessData) -> None:
        self._hand_over(self._subscribe)

    def _on_failed(self, data: mqtt5.LifecycleConnectFailureData) -> None:
        refused = data.connack_packet
        reason = f"CONNACK_{int(refused.reason_code)}" if refused else code_of(data.exception)
        self._hand_over(lambda: self._down(reason))

    def _on_disconnected(self, data: mqtt5.LifecycleDisconnectData) -> None:
        code = code_of(data.exception)
        self._hand_over(lambda: self._down(code))

    def _on_stopped(self, _data: mqtt5.LifecycleStoppedData) -> None:
        self._hand_over(self._stopped.set)

    def _on_subscribed(self, done: Future[mqtt5.SubackPacket]) -> None:
        error = done.exception()
        reason = 0 if error else max((int(c) for c in done.result().reason_codes), default=255)
        if error or reason >= 128:
            code = code_of(error) if error else f"SUBACK_{reason}"
            self._hand_over(lambda: self._refused(code))
        else:
            self._hand_over(self._up)

    def _hand_over(self, work: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(work)
        except RuntimeError:  # the loop is closed: nobody listens any more
            return

    # --- on the event loop ----------------------------------------------------------------------

    def _subscribe(self) -> None:
        self._again = None
        if self._client is None:
            return
        subscription = mqtt5.Subscription(self._topic, mqtt5.QoS.AT_LEAST_ONCE)
        try:
            asked = self._client.subscribe(mqtt5.SubscribePacket([subscription]))
        except FAILURES as error:
            self._refused(code_of(error))
        else:
            asked.add_done_callback(self._on_subscribed)

    def _refused(self, code: str) -> None:
        self._down(code)
        if not self._closed and self._again is None:
            self._again = self._loop.call_later(RESUBSCRIBE, self._subscribe)

    def _up(self) -> None:
        if not self._closed:
            self._listener.up()

    def _down(self, code: str) -> None:
        if not self._closed:
            self._listener.down(code)

    def _deliver(self) -> None:
        with self._lock:
            payload = self._waiting.popleft()
            self._waiting_bytes -= len(payload)
        if not self._closed:
            self._listener.message(payload)
