"""TLS 1.2 or newer and a checked certificate: against real servers, for both kinds of client."""

from __future__ import annotations

import socket
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hatchway.client import Hatchway
from hatchway.core.errors import CertificateRefused, ConfigurationInvalid, ServiceUnreachable
from hatchway.net.settings import Settings
from hatchway.net.tls import client_context
from tests.unit.net.authority import Authority

Serve = Callable[[ssl.SSLContext], int]
ANSWER = b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\nConnection: close\r\n\r\n{"Nodes":[]}'


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a TLS server that answers every connection with an empty list; its port."""
    listeners: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def start(context: ssl.SSLContext) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        thread = threading.Thread(target=_answer, args=(listener, context))
        thread.start()
        threads.append(thread)
        return int(listener.getsockname()[1])

    yield start
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
    for thread in threads:
        thread.join()


def _answer(listener: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            plain, _ = listener.accept()
        except OSError:
            return
        with plain:
            try:
                with context.wrap_socket(plain, server_side=True) as secure:
                    secure.recv(65536)
                    secure.sendall(ANSWER)
            except OSError:
                continue


def old_server(authority: Authority) -> ssl.SSLContext:
    """A server that speaks TLS 1.1 and nothing newer."""
    context = authority.server()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


def connect(port: int, context: ssl.SSLContext) -> str | None:
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as secure,
    ):
        return secure.version()


def nodes(port: int, bundle: Path | None, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
    settings = Settings(api_url=f"https://127.0.0.1:{port}", region="us-east-1", ca_bundle=bundle)
    return list(Hatchway(settings).nodes())


def test_a_trusted_server_is_reached_with_tls_1_2_or_newer(
    authority: Authority, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = serve(authority.server())
    assert connect(port, client_context(authority.bundle)) in ("TLSv1.2", "TLSv1.3")
    assert nodes(port, authority.bundle, monkeypatch) == []


def test_an_old_protocol_is_refused_by_us_though_another_client_would_take_it(
    authority: Authority, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = serve(old_server(authority))
    lenient = client_context(authority.bundle)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        lenient.minimum_version = ssl.TLSVersion.TLSv1
    lenient.set_ciphers("ALL:@SECLEVEL=0")
    assert connect(port, lenient) == "TLSv1.1"
    with pytest.raises(ssl.SSLError):
        connect(port, client_context(authority.bundle))
    with pytest.raises((CertificateRefused, ServiceUnreachable)):
        nodes(port, authority.bundle, monkeypatch)


@pytest.mark.parametrize("fault", ["another authority", "another address", "expired", "no bundle"])
def test_a_wrong_certificate_is_refused(
    fault: str,
    authority: Authority,
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    server = {
        "another authority": lambda: Authority(tmp_path, "stranger").server(),
        "another address": lambda: authority.server("127.0.0.2"),
        "expired": lambda: authority.server(expired=True),
        "no bundle": lambda: authority.server(),
    }[fault]()
    bundle = None if fault == "no bundle" else authority.bundle
    port = serve(server)
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(port, client_context(bundle))
    with pytest.raises(CertificateRefused):
        nodes(port, bundle, monkeypatch)


def test_a_bundle_replaces_the_systems_authorities(authority: Authority) -> None:
    assert len(client_context(authority.bundle).get_ca_certs()) == 1


def test_a_bundle_without_certificates_is_an_error_of_configuration(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing here")
    with pytest.raises(ConfigurationInvalid, match="ca_bundle"):
        client_context(empty)
