"""SHA-256 by the AWS runtime, which is there anyway: as fast as OpenSSL's, and without OpenSSL."""

from __future__ import annotations

from awscrt.crypto import Hash


def sha256(data: bytes) -> bytes:
    running = Hash.sha256_new()
    running.update(data)
    return bytes(running.digest())
