"""What is compressed, and when that is tried."""

from __future__ import annotations

import random
import zlib

import pytest

from hatchway.core.channel import ChannelSettings
from hatchway.core.compression import MIN_DEFLATED, deflate, inflate
from hatchway.core.wire import MAX_PAYLOAD
from tests.unit.core.wirepair import Wire, pump

#: With so many different bytes, evenly, nothing shrinks to nine tenths; a look does not show it.
VALUES = 200


class Counting:
    """zlib, and how often it was asked."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, data: bytes, level: int, window: int) -> bytes:
        self.calls += 1
        return zlib.compress(data, level, window)


def dense(size: int) -> bytes:
    chance = random.Random(7)
    return bytes(chance.choices(range(VALUES), k=size))


@pytest.mark.parametrize("data", [b"a line of text\n" * 100, bytes(range(100)) * 50])
def test_text_is_compressed_without_a_sample(data: bytes) -> None:
    counting = Counting()
    packed = deflate(data, compress=counting)
    assert packed is not None
    assert inflate(packed) == data
    assert counting.calls == 1


def test_random_bytes_are_not_even_tried() -> None:
    counting = Counting()
    assert deflate(random.Random(1).randbytes(20_000), compress=counting) is None
    assert counting.calls == 0


def test_what_a_look_does_not_show_a_sample_does() -> None:
    counting = Counting()
    assert deflate(dense(20_000), compress=counting) is None
    assert counting.calls == 1
    assert deflate(bytes(range(VALUES)) * 100, compress=counting) is not None


def test_what_would_not_shrink_is_not_tried_again_at_once() -> None:
    counting = Counting()
    wire = Wire(agent=ChannelSettings(epoch=1.7e9, compress=counting))
    wire.connect()
    wire.run(1)
    data = dense(MAX_PAYLOAD * 32)
    pump(wire, wire.agent, data)
    wire.run(5)
    assert wire.output() == data
    assert 0 < counting.calls <= 10  # of 32 messages or more, two sizes each time
    text = b"a line of text\n" * 20_000
    before = counting.calls
    pump(wire, wire.agent, text)
    wire.run(5)
    assert wire.output() == data + text
    assert counting.calls > before


def test_short_messages_do_not_keep_longer_ones_from_being_compressed() -> None:
    counting = Counting()
    wire = Wire(agent=ChannelSettings(epoch=1.7e9, compress=counting))
    wire.connect()
    wire.run(1)
    wire.agent.write(b"k" * (MIN_DEFLATED - 1))
    wire.run(1)
    wire.agent.write(b"k" * MIN_DEFLATED)
    wire.run(1)
    assert counting.calls == 1
