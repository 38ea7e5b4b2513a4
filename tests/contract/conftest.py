"""Where a port's contract is checked: the memory twin, moto, and the embedded AWS."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto import mock_aws

from lambdas.memory.clock import ManualClock
from tests.contract.cloud import Cloud

#: Seconds for the embedded AWS to answer after it was started.
START = 60.0
REGION = "us-east-1"


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an embedded AWS of these tests alone; stopped at the end."""
    port = _free_port()
    log = tmp_path_factory.mktemp("embedded") / "log"
    url = f"http://127.0.0.1:{port}"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "ministack"],
            env=_environment(port, log.parent),
            cwd=log.parent,
            stdout=output,
            stderr=output,
        )
    try:
        _wait(url, process, log)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _environment(port: int, folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
        "TMPDIR": str(folder),
        "HOME": str(folder),
    }


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Waits until it answers: it tells nobody when it is ready, so it has to be asked."""
    deadline = time.monotonic() + START
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"the embedded AWS ended: {log.read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(f"{url}/_ministack/health", timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail("the embedded AWS does not answer")


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)


@pytest.fixture(params=["memory", "moto", pytest.param("embedded", marks=pytest.mark.stack)])
def cloud(request: pytest.FixtureRequest, _credentials: None) -> Iterator[Cloud | None]:
    """None stands for the memory twin."""
    if request.param == "memory":
        yield None
    elif request.param == "moto":
        with mock_aws():
            yield Cloud("")
    else:
        yield Cloud(request.getfixturevalue("embedded"))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()
