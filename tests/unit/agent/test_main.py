"""The agent as a process: settings that are wrong, an orderly stop, nothing that listens."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from agent.main import _where, platform_name

ROOT = Path(__file__).parents[3]


async def start(config: Path) -> asyncio.subprocess.Process:
    environment = {
        "PATH": os.environ["PATH"],
        "HATCHWAY_AGENT_CONFIG": str(config),
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "a-secret-key",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "agent"),
        cwd=ROOT,
        env=environment,
        stderr=asyncio.subprocess.PIPE,
    )


def settings(tmp_path: Path, *lines: str) -> Path:
    file = tmp_path / "agent.toml"
    user = "nobody" if os.geteuid() == 0 else ""
    file.write_text(
        'region = "us-east-1"\n'
        'agent_api_url = "https://127.0.0.1:1/stage"\n'
        'node_id = "i-0123456789abcdef0"\n'
        f'session_user = "{user}"\n'
        f'state_dir = "{tmp_path / "state"}"\n' + "\n".join(lines)
    )
    return file


def events(lines: Sequence[bytes]) -> list[str]:
    return [json.loads(line)["event"] for line in lines]


async def test_wrong_settings_end_it_with_one_line_that_says_so(tmp_path: Path) -> None:
    process = await start(settings(tmp_path, 'unknown_key = "x"'))
    _, said = await process.communicate()
    assert process.returncode == 2
    (line,) = said.splitlines()
    assert json.loads(line)["code"] == "ConfigError"


async def test_it_goes_on_trying_listens_on_nothing_and_stops_in_order(tmp_path: Path) -> None:
    process = await start(settings(tmp_path))
    assert process.stderr is not None
    async with asyncio.timeout(30):
        lines = [await process.stderr.readline(), await process.stderr.readline()]
        assert listening(process.pid) == []
        process.send_signal(signal.SIGTERM)
        lines += (await process.stderr.read()).splitlines()
        assert await process.wait() == 0
    found = events(lines)
    assert (found[0], found[1], found[-1]) == ("starting", "channel", "stopped")
    assert b"a-secret-key" not in b"".join(lines)
    assert (tmp_path / "state" / "enrolment").exists()


def listening(pid: int) -> list[str]:
    """Sockets of the process on which anybody could connect to it."""
    targets = [str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()]
    inodes = {target[8:-1] for target in targets if target.startswith("socket:[")}
    found = []
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[9] in inodes and (fields[3] == "0A" or table.startswith("udp")):
                found.append(fields[1])
    return found


def test_an_unexpected_error_is_placed_without_its_text() -> None:
    with pytest.raises(ValueError, match="typed") as raised:
        raise ValueError("what was typed")
    assert _where(raised.value).startswith("test_main.py:")


def test_the_platform_is_a_short_text() -> None:
    assert 0 < len(platform_name()) < 128
