"""Every operation that AWS bills, counted at the real ports, with prices, and what it all costs.

The real client and agent talk in virtual time over the real handlers; their counts are the same on
any machine. `--write` puts the tables into docs/cost.md.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Mapping
from pathlib import Path

from benchmarks import contents
from benchmarks.figures import table, verdict
from benchmarks.idle_node import node_month
from benchmarks.original import Original
from benchmarks.prices import DATABASE, Bill, Item
from benchmarks.recording_hours import hours, hours_table
from benchmarks.simulated import conversation
from benchmarks.virtual_loop import VirtualLoop
from local.places import ROOT

KEYS = 100
TYPING_RATE = 5.0
MEGABYTE, MEGABYTES, LONG_MEGABYTES = 1_000_000, 4, 20
HOUR = 3600.0
#: Seconds that Lambda bills for an invocation on the data path, the wait for AWS included.
INVOCATION = 0.015
TARGET = 25.0
DOCUMENT = ROOT / "docs" / "cost.md"
BEGIN, END = "<!-- begin: python -m benchmarks.billable --write -->", "<!-- end -->"

Bills = Mapping[str, Bill]


async def _ours(size: int, seconds: float) -> dict[str, Bill]:
    found = {}
    async with conversation(seconds) as (talk, service):
        for _ in range(KEYS):
            await talk.press(1, 0.0)
            await talk.rest(0.3)  # the acknowledgement of the echo finds nothing to ride on
        found["key, alone"] = service.meter.take().over(KEYS)
        await talk.press(int(60 * TYPING_RATE), 1 / TYPING_RATE)
        found["minute of typing"] = service.meter.take()
        for name, data in _contents(size).items():
            await talk.print(data)
            await talk.rest(1.0)
            found[f"MB of {name}"] = service.meter.take().over(size / MEGABYTE)
        await talk.rest(HOUR)
        found["idle session-hour"] = _connected(service.meter.take(), 60.0)
    return found


def _connected(bill: Bill, minutes: float) -> Bill:
    """With the client's connection and the agent's for this session."""
    more = {Item.WEBSOCKET_MINUTE: minutes, Item.IOT_MINUTE: minutes}
    return Bill({**bill.counts, **more})


def _contents(size: int) -> dict[str, bytes]:
    return {"log text": contents.log_text(size), "random bytes": contents.random_bytes(size)}


def ours(size: int, seconds: float) -> dict[str, Bill]:
    """What Hatchway takes, by what is done."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        found = runner.run(_ours(size, seconds))
    return {**found, "idle node-month": node_month(seconds)}


def originals(size: int, seconds: float) -> dict[str, Bill]:
    """What 1,024-byte messages with acknowledgements of their own take."""
    found = {"key, alone": Original(seconds).press(KEYS).over(KEYS)}
    for name, data in _contents(size).items():
        found[f"MB of {name}"] = Original(seconds).print(data).over(size / MEGABYTE)
    return found


def counts_table(bills: Bills) -> str:
    """Items down, what is done across, and the price."""
    head = ("billed", *bills, "$ a million")
    rows = [
        (item.title, *(_number(bill.of(item)) for bill in bills.values()), f"{item.price * 1e6:g}")
        for item in Item
    ]
    operations = ("operations", *(_number(bill.operations) for bill in bills.values()), "")
    dollars = ("dollars", *(f"{bill.dollars:.2g}" for bill in bills.values()), "")
    return table(head, [*rows, operations, dollars])


def compared_table(mine: Bills, theirs: Bills) -> str:
    rows = [
        (
            name,
            _number(mine[name].operations),
            _number(bill.operations),
            f"{bill.operations / mine[name].operations:.1f}",
            f"{bill.dollars / mine[name].dollars:.1f}",
        )
        for name, bill in theirs.items()
    ]
    head = ("operations for a", "ours", "1,024-byte messages", "times fewer", "times cheaper")
    return table(head, rows)


def _number(count: float) -> str:
    return "-" if not count else f"{count:,.0f}" if count >= 100 else f"{count:.3g}"


def verdicts(mine: Bills, theirs: Bills) -> str:
    text = "MB of log text"
    ratio = theirs[text].operations / mine[text].operations
    # A ticket is renewed once in 30 s; that is the only access, and none is a message's.
    database = sum(mine["key, alone"].of(item) for item in DATABASE)
    return (
        f"{TARGET:.0f} times fewer operations for an {text}: "
        f"{verdict(ratio >= TARGET)} ({ratio:.0f})\n"
        f"no DynamoDB operation for a message: {verdict(database < 0.1)} "
        f"({database:.3f} a key at one key in 0.4 s, all of them ticket renewals)"
    )


def report(size: int, seconds: float) -> str:
    mine, theirs = ours(size, seconds), originals(min(size, MEGABYTE), seconds)
    recorded = hours_table(hours(seconds))
    compared = compared_table(mine, theirs)
    return "\n\n".join((counts_table(mine), compared, verdicts(mine, theirs), recorded))


def written(document: str, text: str) -> str:
    """The document with `text` between the marks."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the marks {BEGIN} and {END} are not there")
    return f"{before}{BEGIN}\n```\n{text}\n```\n{END}{after}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.billable", description=__doc__)
    parser.add_argument("--long", action="store_true", help=f"{LONG_MEGABYTES} MB of each content")
    parser.add_argument("--write", action="store_true", help=f"into {DOCUMENT.relative_to(ROOT)}")
    parser.add_argument(
        "--invocation",
        type=float,
        default=INVOCATION,
        help=f"seconds billed for an invocation ({INVOCATION})",
    )
    given = parser.parse_args()
    text = report((LONG_MEGABYTES if given.long else MEGABYTES) * MEGABYTE, given.invocation)
    print(text)
    if given.write:
        _write(DOCUMENT, text)


def _write(path: Path, text: str) -> None:
    path.write_text(written(path.read_text(), text))


if __name__ == "__main__":
    main()
