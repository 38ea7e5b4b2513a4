"""What recording adds to a session-hour, in dollars: bytes counted in virtual time, calls computed.

An hour is sixty of the same minutes; a busy one prints as well. The archive's calls are those that
one look and one checkpoint make.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks import contents
from benchmarks.figures import table
from benchmarks.prices import Bill, Item
from benchmarks.simulated import conversation
from benchmarks.virtual_loop import VirtualLoop

MINUTES, TYPING_RATE, MEGABYTE = 60, 5.0, 1_000_000
#: What a busy hour prints on top of being typed in.
PRINTED = 20
#: Dollars: a request of SQS, a read and a write of S3, a read and a write of the table.
_SQS, _S3_READ, _S3_WRITE, _READ, _WRITE = 0.4e-6, 0.4e-6, 5e-6, 0.125e-6, 0.625e-6
#: A GB-second and an invocation of Lambda, `kms:Decrypt` with RSA-2048, a signature.
_GB_SECOND, _INVOCATION, _DECRYPT, _SIGN = 13.3334e-6, 0.2e-6, 3e-6, 15e-6
#: A look: its message sent, received, deleted; 0.1 s of 1 GB; the session, and the lease twice; the
#: manifest and the state.
LOOK = 3 * _SQS + _INVOCATION + 0.1 * _GB_SECOND + _READ + 2 * _WRITE + 2 * _S3_READ
#: A checkpoint: segment, state, manifest and the destinations' place; signed.
CHECKPOINT = 4 * _S3_WRITE + _SIGN
LOOKS, CHECKPOINTS = 120, 30
#: Data keys that are opened in an hour: eight instances that record, seen by four that read.
KEYS = 32


@dataclass(frozen=True, slots=True)
class Hour:
    """The bill of the session's hour, and whether there was something new to keep."""

    bill: Bill
    worked: bool

    @property
    def recorded(self) -> float:
        return self.bill.of(Item.RECORDED_BYTE)

    @property
    def parts(self) -> tuple[float, float, float, float]:
        """Dollars: bytes, looks, checkpoints, keys opened."""
        checkpoints, keys = (CHECKPOINTS, KEYS) if self.worked else (0, 0)
        taken = self.recorded * Item.RECORDED_BYTE.price
        return taken, LOOKS * LOOK, checkpoints * CHECKPOINT, keys * _DECRYPT

    @property
    def without(self) -> float:
        """Dollars of the session itself."""
        return self.bill.dollars - self.recorded * Item.RECORDED_BYTE.price


async def _hour(seconds: float, *, typing: bool, typed: bool, printed: int) -> Hour:
    async with conversation(seconds, typed=typed) as (talk, service):
        if typing:
            await talk.press(int(60 * TYPING_RATE), 1 / TYPING_RATE)
            hour = service.meter.take().over(1 / MINUTES).counts
        else:
            await talk.rest(60.0 * MINUTES)
            hour = service.meter.take().counts
        if printed:
            await talk.print(contents.log_text(MEGABYTE))
            await talk.rest(1.0)
        more = service.meter.take().over(1 / printed).counts if printed else {}
    connected = {Item.WEBSOCKET_MINUTE: float(MINUTES), Item.IOT_MINUTE: float(MINUTES)}
    counts = {i: sum(part.get(i, 0.0) for part in (hour, more, connected)) for i in [*Item]}
    return Hour(Bill(counts), typing)


def hours(seconds: float) -> Mapping[str, Hour]:
    """By what is done in the hour; `seconds` is what an invocation is billed for."""
    wanted = {
        "idle": (False, False, 0),
        "typing": (True, False, 0),
        "typing, what is typed too": (True, True, 0),
        f"the same, and {PRINTED} MB of log text": (True, True, PRINTED),
    }
    found = {}
    for name, (typing, typed, printed) in wanted.items():
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            found[name] = runner.run(_hour(seconds, typing=typing, typed=typed, printed=printed))
    return found


def hours_table(found: Mapping[str, Hour]) -> str:
    head = (
        "recording a session-hour",
        "bytes recorded",
        "$ bytes",
        "$ looks",
        "$ checkpoints",
        "$ keys",
        "$ in all",
        "$ session",
        "adds %",
    )
    return table(head, [_row(name, hour) for name, hour in found.items()])


def _row(name: str, hour: Hour) -> tuple[str, ...]:
    whole = sum(hour.parts)
    dollars = [f"{part:.2g}" if part else "-" for part in hour.parts]
    share = f"{100 * whole / hour.without:.2g}"
    return (name, f"{hour.recorded:,.0f}", *dollars, f"{whole:.2g}", f"{hour.without:.2g}", share)
