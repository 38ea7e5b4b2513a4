"""An MQTT 5 client over WebSocket as any principal: what whoever has such credentials can do."""

from __future__ import annotations

from concurrent.futures import Future
from contextlib import suppress
from types import TracebackType
from typing import Any

from awscrt import auth, io, mqtt5
from awscrt.exceptions import AwsCrtError
from botocore.credentials import ReadOnlyCredentials

from local.emulator import REGION
from local.stack import Stack

#: Seconds for one step of the protocol.
PATIENCE = 15
#: The reason code of success, and of "not authorized".
GRANTED, NOT_AUTHORIZED = 1, 135


class Refused(Exception):
    """The broker did not let the client in; its text is the reason code, or the runtime's error."""


class MqttClient:
    """Connects when it is entered; Refused where it may not."""

    def __init__(self, stack: Stack, credentials: ReadOnlyCredentials, client_id: str) -> None:
        found = stack.emulator.client("iot").describe_endpoint(endpointType="iot:Data-ATS")
        self._endpoint = str(found["endpointAddress"])
        self._credentials = credentials
        self._connected: Future[None] = Future()
        self._stopped: Future[None] = Future()
        #: Topic and payload of all that arrived.
        self.received: list[tuple[str, bytes]] = []
        tls = io.TlsContextOptions()
        tls.override_default_trust_store_from_path(None, str(stack.places.ca_bundle))
        self._client = mqtt5.Client(
            mqtt5.ClientOptions(
                host_name="127.0.0.1",
                port=stack.emulator.port,
                tls_ctx=io.ClientTlsContext(tls),
                websocket_handshake_transform=self._sign,
                connect_options=mqtt5.ConnectPacket(
                    client_id=client_id, keep_alive_interval_sec=30
                ),
                session_behavior=mqtt5.ClientSessionBehaviorType.CLEAN,
                on_publish_callback_fn=self._on_publish,
                on_lifecycle_event_connection_success_fn=self._on_success,
                on_lifecycle_event_connection_failure_fn=self._on_failure,
                on_lifecycle_event_stopped_fn=self._on_stopped,
                disable_metrics=True,
            )
        )

    def __enter__(self) -> MqttClient:
        self._client.start()
        try:
            self._connected.result(PATIENCE)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def subscribe(self, topic_filter: str) -> int:
        """The broker's reason code: GRANTED, or why not."""
        subscription = mqtt5.Subscription(topic_filter, mqtt5.QoS.AT_LEAST_ONCE)
        asked = self._client.subscribe(mqtt5.SubscribePacket([subscription]))
        return int(asked.result(PATIENCE).reason_codes[0])

    def publish(self, topic: str, *payloads: bytes) -> list[int]:
        """Sends all of them, one right behind the other; the broker's reason code for each, -1
        where it cut the connection instead."""
        packets = [
            mqtt5.PublishPacket(topic=topic, qos=mqtt5.QoS.AT_LEAST_ONCE, payload=payload)
            for payload in payloads
        ]
        return [_reason(done) for done in [self._client.publish(packet) for packet in packets]]

    def _stop(self) -> None:
        self._client.stop(mqtt5.DisconnectPacket())
        self._stopped.result(PATIENCE)

    # --- on the runtime's thread ----------------------------------------------------------------

    def _sign(self, transform_args: Any, **_: object) -> None:
        try:
            request = transform_args.http_request
            request.headers.set("Host", self._endpoint)
            provider = auth.AwsCredentialsProvider.new_static(
                self._credentials.access_key,
                self._credentials.secret_key,
                self._credentials.token or None,
            )
            config = auth.AwsSigningConfig(
                signature_type=auth.AwsSignatureType.HTTP_REQUEST_QUERY_PARAMS,
                credentials_provider=provider,
                region=REGION,
                service="iotdevicegateway",
                omit_session_token=True,
            )
            signed = auth.aws_sign_request(request, config)
            signed.add_done_callback(lambda done: transform_args.set_done(done.exception()))
        except Exception as error:  # the runtime waits for an answer, whatever happens here
            transform_args.set_done(error)

    def _on_success(self, _: object) -> None:
        if not self._connected.done():
            self._connected.set_result(None)

    def _on_failure(self, failure: Any) -> None:
        packet = failure.connack_packet
        reason = str(int(packet.reason_code)) if packet else str(failure.exception)
        if not self._connected.done():
            self._connected.set_exception(Refused(reason))

    def _on_stopped(self, _: object) -> None:
        with suppress(Exception):
            self._stopped.set_result(None)

    def _on_publish(self, received: Any) -> None:
        packet = received.publish_packet
        self.received.append((str(packet.topic), bytes(packet.payload or b"")))


def _reason(done: Future[Any]) -> int:
    try:
        return int(done.result(PATIENCE).puback.reason_code)
    except (AwsCrtError, TimeoutError):
        return -1
