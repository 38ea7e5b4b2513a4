"""Looks at what is sealed: opened as it was; where the key cannot be used, no gap but a wait."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hatchway.core.errors import HatchwayError, InternalServerError, ThrottlingException
from hatchway.core.recording import Passed
from hatchway.core.transcript.chunks import Kind, Side
from hatchway.core.wire import MessageType
from lambdas.adapters.crypto import cipher
from lambdas.memory.clock import CountedRandom
from lambdas.memory.wrapping import MemoryWrapping
from lambdas.opening import OpenedLog
from lambdas.ports import Why
from lambdas.sealing import Sealing
from tests.unit.archive.world import World
from tests.unit.edge.frames import frame
from tests.unit.edge.world import SESSION


class SealedWorld(World):
    """The archive's world, where the relay seals what it stores."""

    def __init__(self) -> None:
        super().__init__()
        self.wrapping = MemoryWrapping()
        self.seal = Sealing(MemoryWrapping(), cipher, self.clock, CountedRandom())
        log = OpenedLog(self.looking.log, self.wrapping, cipher)
        self.looking = replace(self.looking, log=log)

    def print(self, data: bytes, sequence: int | None = None) -> None:
        number = self.sequence if sequence is None else sequence
        self.sequence = max(self.sequence, number + 1)
        packed = frame(MessageType.OUTPUT, data, number)
        event = self.seal(SESSION, Passed(side=Side.NODE, generation=1, frames=(packed,)))
        assert data.decode() not in event
        self.recordings.append(SESSION, event, int(self.clock() * 1000))
        self.clock.advance(0.01)


@pytest.fixture
def world() -> SealedWorld:
    return SealedWorld()


def test_what_was_sealed_is_archived_as_it_was(world: SealedWorld) -> None:
    world.begin()
    for part in (b"one ", b"two ", b"three"):
        world.print(part)
    world.end()
    assert world.look(Why.ENDED)
    assert world.shown == b"one two three"
    assert world.kept.final
    assert world.wrapping.unwrapped == 1


@pytest.mark.parametrize("failure", [InternalServerError(), ThrottlingException()])
def test_while_the_key_cannot_be_used_nothing_is_archived_and_nothing_is_lost(
    world: SealedWorld, failure: HatchwayError
) -> None:
    """Disabled, or waiting for its deletion: what is then enabled again finds all of it."""
    world.begin()
    world.print(b"before ")
    world.print(b"after")
    world.end()
    world.wrapping.failure = failure
    with pytest.raises(type(failure)):
        world.look(Why.ENDED)
    assert world.bucket.objects == {}
    assert world.told == []
    world.wrapping.failure = None
    assert world.look(Why.ENDED)
    assert world.shown == b"before after"
    assert not [chunk for chunk in world.chunks if chunk.kind is Kind.GAP]
