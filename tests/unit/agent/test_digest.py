"""The AWS runtime's SHA-256 is SHA-256, and an agent loads no OpenSSL for either."""

from __future__ import annotations

import subprocess
import sys

import pytest

from agent.digest import sha256
from hatchway.core import wire


@pytest.mark.parametrize("data", [b"", b"x", bytes(24_456)])
def test_it_is_what_the_standard_library_says(data: bytes) -> None:
    assert sha256(data) == wire.sha256(data)


def test_an_agent_does_without_openssl_of_its_own() -> None:
    """As `python -m agent` does it; what it imports then finds another SHA-256."""
    script = (
        "import sys; sys.modules['ssl'] = sys.modules['_hashlib'] = None;"
        "import agent.main, hashlib, hmac; from hatchway.core import wire;"
        "assert wire.sha256(b'x').hex()[:4] == '2d71';"
        "assert len(hmac.digest(b'k', b'm', 'sha256')) == 32"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
