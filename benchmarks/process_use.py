"""What another process uses, read from /proc (Linux)."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Use:
    """Resident memory at the end; processor and wake-ups a second over `seconds`."""

    seconds: float
    megabytes: float
    percent: float
    wakeups: float


def of_process(pid: int, seconds: float) -> Use:
    """Looks at a process, waits, and looks again."""
    ticks, switches = processor_ticks(pid), _switches(pid)
    begun = time.monotonic()
    time.sleep(seconds)
    passed = time.monotonic() - begun
    return Use(
        passed,
        _field(Path(f"/proc/{pid}/status"), "VmRSS") / 1024,
        100 * (processor_ticks(pid) - ticks) / _TICKS / passed,
        (_switches(pid) - switches) / passed,
    )


def resident(pid: int | str = "self") -> int:
    """Bytes of memory now."""
    return _field(Path(f"/proc/{pid}/status"), "VmRSS") * 1024


def processor_ticks(pid: int) -> int:
    """User and system time, in the kernel's ticks."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _switches(pid: int) -> int:
    """How often its threads began to wait."""
    return sum(
        _field(task / "status", "voluntary_ctxt_switches")
        for task in Path(f"/proc/{pid}/task").iterdir()
    )


def _field(path: Path, name: str) -> int:
    for line in path.read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise ValueError(f"{path} has no {name}")
