"""An OpenSSH server of our own on loopback, with keys made on the spot, and its client."""

from __future__ import annotations

import asyncio
import getpass
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.terminals import PATIENCE

SHELL = ("bash", "--norc", "--noprofile")
#: Where Debian has it; it must be started by its whole path.
SERVER = Path("/usr/sbin/sshd")
_READ = 256 * 1024


@dataclass(frozen=True, slots=True)
class SshTerminal:
    """`ssh -tt` with pipes at our end."""

    process: asyncio.subprocess.Process

    async def send(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        await self.process.stdin.drain()

    async def receive(self) -> bytes:
        assert self.process.stdout is not None
        data = await self.process.stdout.read(_READ)
        if not data:
            raise EOFError("ssh ended")
        return data


def missing() -> str:
    """Why there can be no ssh here, or ""."""
    if not SERVER.exists():
        return f"{SERVER} is not there (package openssh-server)"
    return "" if shutil.which("ssh") else "ssh is not there (package openssh-client)"


@asynccontextmanager
async def server(folder: Path) -> AsyncIterator[int]:
    """The port of a server that lets in this user with the key in `folder`."""
    port = _free_port()
    _prepare(folder, port)
    process = await asyncio.create_subprocess_exec(
        str(SERVER),
        "-D",
        "-e",
        "-f",
        str(folder / "sshd_config"),
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await _answers(port)
        yield port
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def terminal(folder: Path, port: int) -> AsyncIterator[SshTerminal]:
    """A shell through that server."""
    options = {
        "UserKnownHostsFile": str(folder / "known"),
        "StrictHostKeyChecking": "accept-new",
        "IdentitiesOnly": "yes",
        "LogLevel": "ERROR",
    }
    process = await asyncio.create_subprocess_exec(
        *("ssh", "-tt", "-F", "none", "-e", "none", "-p", str(port), "-i", str(folder / "user")),
        *(part for name, value in options.items() for part in ("-o", f"{name}={value}")),
        *(f"{getpass.getuser()}@127.0.0.1", *SHELL),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1024 * 1024,
    )
    try:
        yield SshTerminal(process)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def _prepare(folder: Path, port: int) -> None:
    for name in ("host", "user"):
        make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(make, check=True)
    if os.geteuid() == 0:  # where it drops its privileges; the package's service would make it
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    (folder / "sshd_config").write_text(_settings(folder, port))


def _settings(folder: Path, port: int) -> str:
    return "\n".join(
        (
            f"Port {port}",
            "ListenAddress 127.0.0.1",
            f"HostKey {folder / 'host'}",
            f"AuthorizedKeysFile {folder / 'user.pub'}",
            "PidFile none",
            "StrictModes no",
            "PasswordAuthentication no",
            "PermitRootLogin prohibit-password",
            "UsePAM no",
            "",
        )
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _answers(port: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            await writer.wait_closed()
            return
