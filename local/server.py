"""The embedded AWS's process: `python -m local.server`, configured by its environment.

Runs ministack's application behind the gate on one loopback port. Its own entry point would open
port 443 too, and forgets role sessions when it restarts; AWS does not.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
from pathlib import Path

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack import app as ministack
from ministack.core.persistence import save_all
from ministack.services import sts

from local import corrections
from local.gate import gate
from local.records import write_private

#: Longer than the clients' own, so that they do not write into a connection that just ended.
_KEEP_ALIVE = 75.0


def main() -> None:
    os.umask(0o077)
    _raise_file_limit()
    corrections.apply()
    sessions = Path(os.environ["STATE_DIR"]) / "role-sessions.json"
    _load(sessions)
    asyncio.run(_serve(sessions))


def _raise_file_limit() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def _serve(sessions: Path) -> None:
    config = Config()
    config.bind = [f"127.0.0.1:{os.environ['GATEWAY_PORT']}"]
    config.certfile = os.environ["MINISTACK_SSL_CERT"]
    config.keyfile = os.environ["MINISTACK_SSL_KEY"]
    config.keep_alive_timeout = _KEEP_ALIVE
    config.loglevel = os.environ["LOG_LEVEL"]

    async def terminated() -> None:
        told = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
        await told.wait()
        _save(sessions)
        # An orderly end would wait for every open connection and every function's answer.
        os._exit(0)

    await serve(gate(ministack.app), config, shutdown_trigger=terminated)  # type: ignore[arg-type]


def _load(path: Path) -> None:
    if path.exists():
        sts._sessions.update(json.loads(path.read_text()))


def _save(path: Path) -> None:
    save_all(ministack._build_persistence_save_dict())
    write_private(path, json.dumps(sts._sessions, default=str))


if __name__ == "__main__":
    main()
