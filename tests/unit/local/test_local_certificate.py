"""The certificate made on the spot: its names, its life, its keys' files."""

from __future__ import annotations

import socket
import ssl
import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local import certificate
from local.places import Places

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def here(tmp_path: Path) -> Places:
    found = Places(tmp_path / "local")
    found.make()
    return found


def test_it_is_made_once_and_again_when_it_has_a_day_left(here: Places) -> None:
    certificate.make(here, NOW)
    assert certificate.valid(here, NOW)
    last = NOW + certificate.LIFE - certificate.MARGIN
    assert certificate.valid(here, last - timedelta(seconds=1))
    assert not certificate.valid(here, last)
    assert not certificate.valid(here, NOW - timedelta(days=1))


def test_there_is_none_before_it_is_made(here: Places) -> None:
    assert not certificate.valid(here, NOW)
    assert certificate.ensure(here)
    assert not certificate.ensure(here)


def test_a_spoilt_or_incomplete_one_is_not_valid(here: Places) -> None:
    certificate.make(here, NOW)
    here.key.unlink()
    assert not certificate.valid(here, NOW)
    certificate.make(here, NOW)
    here.certificate.write_text("junk")
    assert not certificate.valid(here, NOW)


def test_the_key_is_for_its_owner_only_and_the_authority_has_none(here: Places) -> None:
    certificate.make(here, NOW)
    assert stat.S_IMODE(here.key.stat().st_mode) == 0o600
    kept = [path for path in here.directory.rglob("*") if path.is_file()]
    assert [path for path in kept if b"PRIVATE KEY" in path.read_bytes()] == [here.key]


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "x-ats.iot.us-east-1.localhost"])
def test_clients_that_trust_the_authority_accept_it(here: Places, name: str) -> None:
    certificate.make(here, datetime.now(UTC))
    assert _handshake(here, name) == "TLSv1.3"


def test_it_is_for_no_other_name(here: Places) -> None:
    certificate.make(here, datetime.now(UTC))
    with pytest.raises(ssl.SSLCertVerificationError):
        _handshake(here, "example.com")


def _handshake(here: Places, name: str) -> str | None:
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(here.certificate, here.key)
    client = ssl.create_default_context(cafile=str(here.ca_bundle))
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    near, far = socket.socketpair()

    def serve() -> None:
        try:
            server.wrap_socket(far, server_side=True).close()
        except (ssl.SSLError, OSError):
            far.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client.wrap_socket(near, server_hostname=name) as connected:
            return connected.version()
    finally:
        near.close()
        thread.join()
