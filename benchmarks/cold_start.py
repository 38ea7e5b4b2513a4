"""Cold import of each function beside boto3 with the same clients, and the cost of one message.

AWS is a fake on loopback. Processor time, in turn: a busy machine changes it less than the clock.
Targets: at most 1.3 times boto3's import; at most 3 ms for a relayed message.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

from benchmarks import fake_aws
from benchmarks.figures import Series, machine, milliseconds, table, verdict
from benchmarks.imports import FAMILIES, Loaded, cold
from local.places import ROOT

ROUNDS, LONG_ROUNDS = 2, 15
MESSAGES, LONG_MESSAGES = 200, 2000
MESSAGE_ROUNDS = 3
TARGET_IMPORT = 1.3
TARGET_MESSAGE = 0.003


def _base() -> dict[str, str]:
    """Nothing of the caller's account; the checkout as the import root, as in the zip."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return kept | {"PYTHONPATH": str(ROOT)}


def imports(url: str, rounds: int) -> list[tuple[str, Loaded, Series, Series]]:
    """For each family what it loaded, its processor time, and that of boto3."""
    environ = _base() | fake_aws.environ(url)
    found = []
    for family in FAMILIES:
        ours, boto3 = Series(family), Series("boto3")
        loaded = cold(("entry", family), environ)  # warms the caches of files up
        clients = [*dict.fromkeys(loaded.clients)]
        for _ in range(rounds):
            ours.samples.append(cold(("entry", family), environ).processor)
            boto3.samples.append(cold(("boto3", *clients), environ).processor)
        found.append((family, loaded, ours, boto3))
    return found


def messages(url: str, count: int) -> dict[str, tuple[Series, Series]]:
    """Processor seconds of a message by kind: as it is, and with the SDK."""
    environ = _base() | fake_aws.environ(url)
    found: dict[str, tuple[Series, Series]] = {}
    for _ in range(MESSAGE_ROUNDS):
        for place, way in enumerate(("signed", "sdk")):
            for kind, seconds in _relayed(way, count, environ).items():
                pair = found.setdefault(kind, (Series("signed"), Series("sdk")))
                pair[place].samples.append(seconds)
    return found


def _relayed(way: str, count: int, environ: Mapping[str, str]) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.relayed", way, str(count)]
    done = subprocess.run(command, env=dict(environ), capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def imports_table(found: Sequence[tuple[str, Loaded, Series, Series]]) -> str:
    rows = [
        (
            family,
            str(len(loaded.modules)),
            milliseconds(ours.p50),
            milliseconds(boto3.p50),
            f"{ours.p50 / boto3.p50:.2f} {verdict(ours.p50 <= TARGET_IMPORT * boto3.p50)}",
            " ".join(dict.fromkeys(loaded.clients)),
        )
        for family, loaded, ours, boto3 in found
    ]
    head = ("cold import", "modules", "ours ms", "boto3 ms", "ours/boto3", "clients made at init")
    return table(head, rows)


def messages_table(found: Mapping[str, tuple[Series, Series]]) -> str:
    rows = [
        (
            kind,
            milliseconds(ours.p50),
            milliseconds(sdk.p50),
            f"{ours.p50 / sdk.p50:.2f} {verdict(ours.p50 <= sdk.p50 / 2)}",
            verdict(ours.p50 <= TARGET_MESSAGE),
        )
        for kind, (ours, sdk) in found.items()
    ]
    head = ("processor for one message", "ours ms", "SDK ms", "ours/SDK, half", "at most 3 ms")
    return table(head, rows)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cold_start", description=__doc__)
    parser.add_argument("--long", action="store_true", help=f"{LONG_ROUNDS} rounds")
    given = parser.parse_args()
    print(machine())
    with fake_aws.serving() as url:
        count = LONG_MESSAGES if given.long else MESSAGES
        print(messages_table(messages(url, count)), "", sep="\n")
        sys.stdout.flush()
        print(imports_table(imports(url, LONG_ROUNDS if given.long else ROUNDS)), "", sep="\n")
    print(machine())


if __name__ == "__main__":
    main()
