"""Two Linux network namespaces joined by a cable: a node's, and one that holds two endpoints.

The node's has addresses of its own on that cable and routes to the two endpoints, nothing else.
The endpoints' has nothing but what a test lets listen in it. Neither is joined to the machine.
"""

from __future__ import annotations

import ctypes
import os
import secrets
import socket
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

#: Documentation addresses (RFC 5737): nobody's.
API, MQTT, NODE = "192.0.2.1", "192.0.2.2", "192.0.2.10"
_NEWNET = 0x40000000
_LIMIT = 20.0


@dataclass(frozen=True, slots=True)
class Namespace:
    """A network namespace by its name."""

    name: str

    def command(self, *command: str) -> list[str]:
        return ["ip", "netns", "exec", self.name, *command]

    def run(self, *command: str) -> str:
        """What a command run in it prints; CalledProcessError when it fails."""
        return _run(self.command(*command))

    def listen(self, address: str, port: int) -> socket.socket:
        """A listening socket in it, for this process: only this thread's namespace changes."""
        made: list[socket.socket] = []
        thread = threading.Thread(target=lambda: made.append(self._listen(address, port)))
        thread.start()
        thread.join()
        return made[0]

    def _listen(self, address: str, port: int) -> socket.socket:
        self.enter()
        return socket.create_server((address, port))

    def enter(self) -> None:
        """From now on this thread's sockets are in it, and those of threads that it starts."""
        descriptor = os.open(self.file, os.O_RDONLY)
        try:
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.setns(descriptor, _NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
        finally:
            os.close(descriptor)

    @property
    def file(self) -> Path:
        return Path("/run/netns") / self.name


@contextmanager
def cable() -> Iterator[tuple[Namespace, Namespace]]:
    """The node's and the endpoints' namespaces; gone afterwards, whatever happens."""
    chosen = secrets.token_hex(4)
    near, far = f"hatchway-node-{chosen}", f"hatchway-ends-{chosen}"
    with ExitStack() as undo:
        for name in (near, far):
            _run(["ip", "netns", "add", name])
            undo.callback(_run, ["ip", "netns", "delete", name])
        # Both ends live in the namespaces, and go with them.
        _run(
            ["ip", "-n", near, "link", "add", "eth0", "type", "veth", "peer", "eth0", "netns", far]
        )
        for command in (
            # Without link-local addresses of IPv6.
            ["-n", far, "link", "set", "eth0", "addrgenmode", "none"],
            ["-n", near, "link", "set", "eth0", "addrgenmode", "none"],
            ["-n", far, "address", "add", f"{API}/32", "dev", "eth0"],
            ["-n", far, "address", "add", f"{MQTT}/32", "dev", "eth0"],
            ["-n", far, "link", "set", "eth0", "up"],
            ["-n", far, "route", "add", f"{NODE}/32", "dev", "eth0"],
            ["-n", near, "address", "add", f"{NODE}/32", "dev", "eth0"],
            ["-n", near, "link", "set", "eth0", "up"],
            ["-n", near, "route", "add", f"{API}/32", "dev", "eth0"],
            ["-n", near, "route", "add", f"{MQTT}/32", "dev", "eth0"],
        ):
            _run(["ip", *command])
        yield Namespace(near), Namespace(far)


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=_LIMIT, check=True)
    return done.stdout
