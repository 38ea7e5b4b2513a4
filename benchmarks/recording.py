"""What recording adds to a relayed key, to a full message and to a megabyte of log text.

The real handlers over a fake AWS on loopback that answers at once, by the ways to record, in turn.
What recording costs is in docs/cost.md, which `benchmarks.billable --write` writes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence

from benchmarks import fake_aws
from benchmarks.figures import machine, milliseconds, percentile, table
from benchmarks.recorded import USUAL, Samples, samples
from local.places import ROOT

MESSAGES, LONG_MESSAGES = 300, 3000
#: Seconds for the process that measures.
PATIENCE = 900


def measure(count: int) -> list[Samples]:
    """`count` messages of each kind and way, in a process of its own."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    with fake_aws.serving() as url:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.recorded", str(count)],
            env=kept | {"PYTHONPATH": str(ROOT)} | fake_aws.environ(url),
            capture_output=True,
            text=True,
            check=True,
            timeout=PATIENCE,
        )
    return samples(json.loads(done.stdout))


def report(found: Sequence[Samples]) -> str:
    """A row for each kind and way; what a way adds is against recording nothing, of one message."""
    head = (
        "recording",
        "way",
        "messages",
        "p50 ms",
        "p99 ms",
        "processor ms",
        "adds ms",
        "adds processor ms",
        "bytes recorded",
    )
    off = {each.kind: each for each in found if each.way == "off"}
    return table(head, [_row(each, off[each.kind]) for each in found])


def _row(one: Samples, off: Samples) -> tuple[str, ...]:
    median, processor = percentile(one.seconds, 50), _each(one.processor, one)
    return (
        one.kind,
        one.way,
        str(len(one.seconds)),
        milliseconds(median),
        milliseconds(percentile(one.seconds, 99)),
        milliseconds(processor),
        milliseconds(median - percentile(off.seconds, 50)),
        milliseconds(processor - _each(off.processor, off)),
        f"{_each(one.recorded, one):,.0f}",
    )


def sealing(found: Sequence[Samples]) -> str:
    """What sealing adds to storing in clear, of the processor and in bytes."""
    by = {(each.kind, each.way): each for each in found}
    rows = []
    for kind in dict.fromkeys(each.kind for each in found):
        sealed, clear = by[kind, USUAL], by[kind, f"{USUAL}, in clear"]
        more = _each(sealed.processor, sealed) - _each(clear.processor, clear)
        bytes_more = _each(sealed.recorded, sealed) - _each(clear.recorded, clear)
        rows.append((kind, milliseconds(more), f"{bytes_more:+,.0f}"))
    return table(("sealing adds to", "processor ms", "bytes"), rows)


def _each(amount: float, one: Samples) -> float:
    return amount / len(one.seconds)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recording", description=__doc__)
    parser.add_argument("--long", action="store_true", help=f"{LONG_MESSAGES} messages of each")
    given = parser.parse_args()
    print(machine())
    found = measure(LONG_MESSAGES if given.long else MESSAGES)
    print(report(found), "", sealing(found), "", sep="\n")
    print(machine())


if __name__ == "__main__":
    main()
