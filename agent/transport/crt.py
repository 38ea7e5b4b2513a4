"""The AWS Common Runtime as the agent uses it: one thread, one TLS context, SigV4."""

from __future__ import annotations

import asyncio
import datetime
import os
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from awscrt import auth, http, io
from awscrt.exceptions import AwsCrtError

from agent.config import ConfigError
from agent.ports import Credentials, Unreachable

T = TypeVar("T")

#: The kernel asks again after 1 s, then 3: a network that is back is noticed by the next attempt.
CONNECT_TIMEOUT_MS = 2000

#: How the runtime fails: its own error later, a RuntimeError when it refuses at once.
FAILURES = (AwsCrtError, RuntimeError)


class NoCredentials(Unreachable):
    """The instance has no credentials: no role, or the metadata service does not answer."""

    code = "NoCredentials"


def code_of(error: BaseException | None) -> str:
    """A short code for the log: the runtime's own name of its error."""
    return error.name if isinstance(error, AwsCrtError) else type(error).__name__


async def settled(future: Future[T]) -> T:
    """The result of a runtime's future, which is never cancelled: the runtime sets it anyway."""
    inner = asyncio.wrap_future(future)
    inner.add_done_callback(_seen)
    return await asyncio.shield(inner)


def _seen(future: asyncio.Future[T]) -> None:
    """A failure after we stopped waiting is nobody's business any more."""
    if not future.cancelled():
        future.exception()


class Crt:
    """What all connections share."""

    def __init__(self, region: str, ca_bundle: str, unix: Callable[[], float]) -> None:
        self._region, self._unix = region, unix
        self._group = io.EventLoopGroup(1)
        resolver = io.DefaultHostResolver(self._group)
        self.bootstrap = io.ClientBootstrap(self._group, resolver)
        self.tls = _tls(ca_bundle)
        self.socket = io.SocketOptions()
        self.socket.connect_timeout_ms = CONNECT_TIMEOUT_MS
        self.socket.keep_alive = True

    def tls_for(self, host: str) -> io.TlsConnectionOptions:
        """TLS towards a host whose certificate must bear that name."""
        options = self.tls.new_connection_options()
        options.set_server_name(host)
        return options

    async def instance_credentials(self) -> Credentials:
        """Environment, then the profile's process or keys, then the instance metadata (v2).

        Asked for once or twice an hour: nothing of it stays in memory.
        """
        for make in (self._process, self._chain):
            try:
                found = await settled(make().get_credentials())
            except FAILURES:
                continue
            return Credentials(
                found.access_key_id, found.secret_access_key, found.session_token or ""
            )
        raise NoCredentials()

    def _process(self) -> auth.AwsCredentialsProvider:
        if "AWS_ACCESS_KEY_ID" in os.environ:
            return auth.AwsCredentialsProvider.new_environment()
        return auth.AwsCredentialsProvider.new_process()

    def _chain(self) -> auth.AwsCredentialsProvider:
        return auth.AwsCredentialsProvider.new_default_chain(self.bootstrap)

    def sign_call(
        self, request: http.HttpRequest, credentials: Credentials, body_hash: str
    ) -> Future[http.HttpRequest]:
        """SigV4 in headers, for API Gateway. Paths are percent-encoded once; the canonical
        request encodes them again, as every service but S3 wants it."""
        config = auth.AwsSigningConfig(
            signature_type=auth.AwsSignatureType.HTTP_REQUEST_HEADERS,
            credentials_provider=_static(credentials),
            region=self._region,
            service="execute-api",
            date=self._date(),
            signed_body_value=body_hash,
        )
        signed: Future[http.HttpRequest] = auth.aws_sign_request(request, config)
        return signed

    def sign_handshake(
        self, request: http.HttpRequest, credentials: Credentials
    ) -> Future[http.HttpRequest]:
        """SigV4 in the query, for IoT Core's WebSocket; the token is appended unsigned."""
        config = auth.AwsSigningConfig(
            signature_type=auth.AwsSignatureType.HTTP_REQUEST_QUERY_PARAMS,
            credentials_provider=_static(credentials),
            region=self._region,
            service="iotdevicegateway",
            date=self._date(),
            omit_session_token=True,
        )
        signed: Future[http.HttpRequest] = auth.aws_sign_request(request, config)
        return signed

    def _date(self) -> datetime.datetime:
        """By the service's clock: a signature of a wrong one is refused after five minutes."""
        return datetime.datetime.fromtimestamp(self._unix(), datetime.UTC)


def _tls(ca_bundle: str) -> io.ClientTlsContext:
    options = io.TlsContextOptions()
    options.min_tls_ver = io.TlsVersion.TLSv1_2
    options.verify_peer = True
    options.alpn_list = ["http/1.1"]
    try:
        if ca_bundle:
            options.override_default_trust_store_from_path(None, ca_bundle)
        return io.ClientTlsContext(options)
    except (OSError, *FAILURES):
        raise ConfigError("ca_bundle cannot be used.") from None


def _static(credentials: Credentials) -> auth.AwsCredentialsProvider:
    return auth.AwsCredentialsProvider.new_static(
        credentials.access_key_id,
        credentials.secret_access_key,
        credentials.session_token or None,
    )
