"""Figures of a benchmark: samples, percentiles, tables, and the line about the machine."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

#: More waiting or running processes than this for each core, and the figures are called disturbed.
BUSY = 0.75


@dataclass(slots=True)
class Series:
    """Samples of one subject, in seconds or in units a second."""

    name: str
    samples: list[float] = field(default_factory=list)

    @property
    def p50(self) -> float:
        return percentile(self.samples, 50)

    @property
    def p99(self) -> float:
        return percentile(self.samples, 99)


def percentile(samples: Sequence[float], percent: float) -> float:
    """The smallest sample that so many percent of all do not exceed; NaN of nothing."""
    if not samples:
        return math.nan
    return sorted(samples)[max(0, math.ceil(len(samples) * percent / 100) - 1)]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns in line, the first to the left, the others to the right."""
    lines = [list(head), *(list(row) for row in rows)]
    widths = [max(len(line[n]) for line in lines) for n in range(len(head))]
    return "\n".join(
        "  ".join(
            text.rjust(width) if n else text.ljust(width)
            for n, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def keys_table(found: Sequence[Series]) -> str:
    """Seconds from key to echo, ours first; the ratios are ours over the other's."""
    ours = found[0]
    rows = [
        (
            one.name,
            str(len(one.samples)),
            milliseconds(one.p50),
            milliseconds(one.p99),
            f"{ours.p50 / one.p50:.2f}",
            f"{ours.p99 / one.p99:.2f}",
        )
        for one in found
    ]
    return table(("key to echo", "keys", "p50 ms", "p99 ms", "ours/p50", "ours/p99"), rows)


def verdict(met: bool) -> str:
    return "met" if met else "missed"


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1e3:.2f}"


def megabytes(rate: float) -> str:
    """Bytes a second as MB/s."""
    return f"{rate / 1e6:.2f}"


def machine() -> str:
    """Processor, load, Python and time: what a figure means nothing without."""
    load = os.getloadavg()
    cores = os.cpu_count() or 1
    state = "busy with other work" if load[0] > BUSY * cores else "quiet"
    return (
        f"{_processor()}, {cores} cores, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}; load {load[0]:.1f} {load[1]:.1f} {load[2]:.1f} "
        f"({state}); {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
