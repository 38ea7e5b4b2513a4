"""How long a text takes to be found in a hundred recordings of a megabyte each.

It measures what the function does, from the archive's bytes to the lines: the archive is in memory,
and one process stands for what are several functions on AWS.
"""

from __future__ import annotations

import random
import time

from hatchway.core.transcript.chunks import Chunk, Kind, Side, load
from hatchway.core.transcript.evidence import pack_segment, read_segment, segments
from hatchway.core.transcript.search import Search

RECORDINGS, SIZE, PIECE = 100, 1_000_000, 4096


def recording(seed: int) -> list[bytes]:
    """The packed segments of a shell session with prompts, colours and listings."""
    chance, data = random.Random(seed), bytearray()
    while len(data) < SIZE:
        data += b"\x1b[01;32mann@web-1\x1b[00m:\x1b[01;34m~\x1b[00m$ grep -r %x /var/log\r\n" % (
            chance.getrandbits(32)
        )
        for _ in range(chance.randrange(40)):
            data += b"Nov 22 06:%02d:11 web-1 sshd[%d]: connection closed by 10.0.0.%d\r\n" % (
                chance.randrange(60),
                chance.randrange(30_000),
                chance.randrange(255),
            )
    chunks = [
        Chunk(
            index=n,
            at=n * 100,
            side=Side.NODE,
            generation=1,
            sequence=n,
            kind=Kind.OUTPUT,
            data=bytes(data[at : at + PIECE]),
        )
        for n, at in enumerate(range(0, len(data), PIECE))
    ]
    return [pack_segment(portion) for portion in segments(chunks)]


def search(packed: list[bytes], text: str) -> int:
    looking, found = Search(text), 0
    for segment in packed:
        for line in read_segment(segment):
            found += len(looking.take(load(line)))
    return found + len(looking.finish())


def main() -> None:
    stored = [recording(seed) for seed in range(RECORDINGS)]
    for text in ("nowhere to be found", "sshd[29999]"):
        began = time.process_time()
        found = sum(search(packed, text) for packed in stored)
        seconds = time.process_time() - began
        each = 1000 * seconds / RECORDINGS
        print(f"{text!r}: {found} lines in {RECORDINGS} recordings of 1 MB, {seconds:.1f} s of one")
        print(f"  processor, {each:.0f} ms for each; {RECORDINGS / 16:.0f} rounds of 16 at once")


if __name__ == "__main__":
    main()
