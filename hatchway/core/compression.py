"""Compression of one message's payload: raw deflate, with its length in clear before it.

Each message stands alone, so that the relay can record and the receiver take them in any order.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

from hatchway.core.errors import MalformedMessage
from hatchway.core.wire import MAX_PAYLOAD

#: What a message may inflate to; read from its first four bytes before anything is inflated.
MAX_INFLATED = 128 * 1024
#: Shorter payloads are sent as they are: keystrokes gain nothing.
MIN_DEFLATED = 256
#: A payload whose first bytes do not shrink to this share is not worth the time.
SAMPLE_BYTES = 1024
WORTH_IT = 0.9
#: Different values among those bytes. With no more than the first number, as in text, 6.8 bits
#: tell each of them, and they shrink; with more than the second they are as good as random (251 of
#: 256). Only between the two are they compressed to see.
TEXT_VALUES, RANDOM_VALUES = 112, 236

#: zlib.compress, or what does the same faster: data, level, window bits.
Compress = Callable[[bytes, int, int], bytes]

_LEVEL = 1
_RAW = -zlib.MAX_WBITS


def deflate(
    data: bytes, limit: int = MAX_PAYLOAD, compress: Compress = zlib.compress
) -> bytes | None:
    """`data` compressed; None where that does not pay or the result exceeds `limit` bytes."""
    if not MIN_DEFLATED <= len(data) <= MAX_INFLATED:
        return None
    if not _shrinks(data[:SAMPLE_BYTES], compress):
        return None
    packed = len(data).to_bytes(4, "big") + compress(data, _LEVEL, _RAW)
    return packed if len(packed) <= limit and len(packed) < WORTH_IT * len(data) else None


def _shrinks(sample: bytes, compress: Compress) -> bool:
    values = len(set(sample))
    if values <= TEXT_VALUES or values > RANDOM_VALUES:
        return values <= TEXT_VALUES
    return len(compress(sample, _LEVEL, _RAW)) <= WORTH_IT * len(sample)


def inflate(packed: bytes) -> bytes:
    """What `deflate` was given; MalformedMessage for anything it cannot have made."""
    size = int.from_bytes(packed[:4], "big")
    if len(packed) < 5 or not 0 < size <= MAX_INFLATED:
        raise MalformedMessage(f"A message inflates to at most {MAX_INFLATED} bytes.")
    inflater = zlib.decompressobj(_RAW)
    try:
        data = inflater.decompress(packed[4:], size)
    except zlib.error:
        raise MalformedMessage("A compressed payload is damaged.") from None
    if len(data) != size or inflater.unconsumed_tail or inflater.unused_data:
        raise MalformedMessage("A compressed payload does not have the length it names.")
    if not inflater.eof and inflater.decompress(b"", 1):
        raise MalformedMessage("A compressed payload does not have the length it names.")
    return data
