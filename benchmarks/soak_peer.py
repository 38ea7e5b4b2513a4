"""The node's end of `soak`, in the session's terminal: takes so many bytes and prints as many.

`python3 soak_peer.py SEED BYTES SECONDS` says that it is ready, then does both at once, at a steady
pace; at last it prints the SHA-256 of what it was sent. It needs nothing but Python.
"""

from __future__ import annotations

import hashlib
import os
import random
import sys
import threading
import time
import tty
from collections.abc import Iterator

READY = b"SOAK-READY\n"
BLOCK = 16 * 1024
DIGEST = 64


def blocks(seed: str, size: int) -> Iterator[bytes]:
    """`size` bytes, the same for the same seed: in turn what cannot and what can be compressed."""
    for number in range(-(-size // BLOCK)):
        chance = random.Random(f"{seed}/{number}")  # the same bytes at both ends
        block = chance.randbytes(BLOCK) if number % 2 else chance.randbytes(BLOCK // 2).hex()
        data = block if isinstance(block, bytes) else block.encode()
        yield data[: size - number * BLOCK]


def paced(seed: str, size: int, seconds: float) -> Iterator[tuple[float, bytes]]:
    """The blocks, and how many seconds from the beginning each is due."""
    done = 0
    for block in blocks(seed, size):
        yield seconds * done / size, block
        done += len(block)


def _print(seed: str, size: int, seconds: float) -> None:
    begun = time.monotonic()
    for due, block in paced(seed, size, seconds):
        time.sleep(max(0.0, begun + due - time.monotonic()))
        view = memoryview(block)
        while view:
            view = view[os.write(1, view) :]


def _take(size: int) -> str:
    digest = hashlib.sha256()
    while size > 0:
        data = os.read(0, min(size, BLOCK))
        if not data:
            break
        digest.update(data)
        size -= len(data)
    return digest.hexdigest()


def main() -> None:
    seed, size, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    tty.setraw(0)
    os.write(1, READY)
    printing = threading.Thread(target=_print, args=(f"{seed}/node", size, seconds))
    printing.start()
    digest = _take(size)
    printing.join()
    os.write(1, digest.encode())


if __name__ == "__main__":
    main()
