"""The synchronous session: a command, its output, its status; through real bash on a real pty."""

from __future__ import annotations

import os
import pty
import select
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from hatchway.client import Hatchway, Session
from hatchway.core.errors import SessionEnded
from tests.unit.client.node import LittleShell
from tests.unit.client.world import NODE, World

pytestmark = pytest.mark.timeout(60)


class PtyShell(LittleShell):
    """A real shell; what it prints is read whenever something was typed, until it is quiet."""

    def __init__(self) -> None:
        super().__init__(greeting=b"")
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve("/bin/sh", ["sh"], {"PATH": os.environ["PATH"], "PS1": "# "})

    def type(self, data: bytes) -> tuple[bytes, int | None]:
        os.write(self.fd, data)
        out = b""
        # The mark that a command has ended, or the shell's own end.
        while not out.rstrip().endswith((b":", b"# ")) and b"exit" not in data:
            if not select.select([self.fd], [], [], 1)[0]:
                break
            out += os.read(self.fd, 65536)
        return out, 0 if b"exit" in data else None

    def stop(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
    shell = PtyShell()
    with World(tmp_path, shell) as world:
        with Hatchway(world.settings).start_session(NODE) as session:
            yield session
        assert world.asked[-1].method == "DELETE"
    shell.stop()


def test_output_and_status_of_commands(session: Session) -> None:
    assert session.run("echo one; echo two").output.split() == [b"one", b"two"]
    assert session.run("false").exit_code == 1
    assert session.run("printf '%s' \"it's; quoted\"").output == b"it's; quoted"
    assert session.run("cd /tmp").exit_code == 0
    assert session.run("pwd").output.strip() == b"/tmp"


def test_a_session_that_ends_is_an_error_for_who_waits(session: Session) -> None:
    with pytest.raises(SessionEnded):
        session.run("exit 3")
