"""A replay keeps its time, obeys its keys, and shows no more than the screen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType

import pytest

from hatchway.client.playback import FASTEST, SLOWEST, Pace, Player, shown
from hatchway.core.transcript.chunks import Chunk, Kind
from tests.unit.transcript.frames import AT, chunk
from tests.vectors.hostile import CORPUS, MARK


class Keyboard:
    """A terminal whose keys the test presses; everything written is kept."""

    def __init__(self, *, keyboard: bool = True, screen: bool = True) -> None:
        self.keyboard, self.screen = keyboard, screen
        self.out, self.errors = b"", b""
        self._typed: asyncio.Queue[bytes] = asyncio.Queue()
        self._changed = asyncio.Event()

    def __enter__(self) -> Keyboard:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return

    def size(self) -> tuple[int, int]:
        return 200, 24

    def watch_size(self, changed: Callable[[], None]) -> None:
        return

    def press(self, *keys: bytes) -> None:
        for key in keys:
            self._typed.put_nowait(key)

    async def read(self, limit: int) -> bytes:
        return await self._typed.get()

    async def write(self, data: bytes) -> None:
        self.out += data
        self._changed.set()

    async def write_error(self, data: bytes) -> None:
        self.errors += data

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not holds():
                self._changed.clear()
                await self._changed.wait()


def every(seconds: float, *texts: bytes) -> list[Chunk]:
    return [chunk(text, at=AT + int(n * seconds * 1000)) for n, text in enumerate(texts)]


def player(keys: Keyboard, chunks: list[Chunk], **pace: float) -> Player:
    return Player(keys, chunks, Pace(**pace))  # type: ignore[arg-type]


async def test_without_a_keyboard_everything_is_written_in_its_order() -> None:
    keys = Keyboard(keyboard=False)
    await player(keys, every(100.0, b"a", b"b", b"c"), speed=0).run()
    assert keys.out == b"abc"


def test_the_pace_waits_as_long_as_the_session_did_and_no_longer_than_it_may() -> None:
    pace = Pace(speed=2.0, max_idle=3.0)
    assert pace.wait(1.0) == 0.5
    assert pace.wait(60.0) == 1.5
    assert pace.wait(-1.0) == 0.0
    assert Pace(speed=0).wait(5.0) == 0.0
    pace.paused = True
    assert pace.wait(1.0) is None


def test_the_speed_has_its_bounds() -> None:
    pace = Pace()
    for _ in range(50):
        pace.faster(2.0)
    assert pace.speed == FASTEST
    for _ in range(50):
        pace.faster(0.5)
    assert pace.speed == SLOWEST


async def test_a_pause_holds_it_and_another_press_lets_it_go_on() -> None:
    keys = Keyboard()
    keys.press(b" ")
    playing = asyncio.ensure_future(player(keys, every(1e-3, b"a", b"b"), speed=1.0).run())
    await keys.until(lambda: b"paused" in keys.out)
    keys.press(b"+", b" ")
    await asyncio.wait_for(playing, 20)
    assert keys.out.rindex(b"b") > keys.out.index(b"paused")


async def test_a_key_quits() -> None:
    keys = Keyboard()
    keys.press(b"q")
    await asyncio.wait_for(player(keys, every(1000.0, b"a", b"b"), max_idle=1000.0).run(), 20)
    assert b"b" not in keys.out


async def test_it_begins_at_a_second_with_the_screen_as_it_was() -> None:
    keys = Keyboard(keyboard=False)
    await player(keys, every(10.0, b"a", b"b", b"c"), speed=0).run(15.0)
    assert keys.out.endswith(b"abc")
    assert keys.out.index(b"\x1b[2J") < keys.out.index(b"a")


async def test_arrows_jump_both_ways() -> None:
    keys = Keyboard()
    keys.press(b" ", b"\x1b[C", b"\x1b[C", b"\x1b[D", b"q")
    texts = [b"<%d>" % n for n in range(5)]
    await asyncio.wait_for(player(keys, every(10.0, *texts), max_idle=99.0).run(), 20)
    screens = keys.out.split(b"\x1b[2J")[1:]
    assert [max(n for n in range(5) if b"<%d>" % n in s) for s in screens] == [1, 2, 1]


async def test_a_search_jumps_to_the_line_and_says_where_it_is() -> None:
    keys = Keyboard()
    keys.press(b" ", b"/", b"n", b"e", b"x", b"\x7f", b"edle", b"\r", b"q")
    chunks = every(10.0, b"$ ls\r\n", b"needle\r\n", b"rest\r\n")
    await asyncio.wait_for(player(keys, chunks).run(), 20)
    assert b"needle at 10.0 s" in keys.out


async def test_what_is_sought_and_not_there_is_said() -> None:
    keys = Keyboard()
    keys.press(b" ", b"/", b"zz", b"\r", b"/", b"\x1b", b"n", b"q")
    await asyncio.wait_for(player(keys, every(1.0, b"a", b"b")).run(), 20)
    assert b"zz is not there" in keys.out


async def test_without_a_screen_notes_go_beside_the_output() -> None:
    keys = Keyboard(keyboard=False, screen=False)
    note = chunk(b"5 bytes", Kind.GAP, note="5 bytes of output were lost\x1b]0;x\x07")
    await player(keys, [chunk(b"a"), note], speed=0).run()
    assert keys.out == b"a"
    assert keys.errors == b"5 bytes of output were lost\\x1b]0;x\\x07\n"


async def test_an_empty_recording_ends_at_once() -> None:
    keys = Keyboard()
    await asyncio.wait_for(player(keys, []).run(1.0), 20)
    assert keys.errors == b""


def test_time_never_goes_back() -> None:
    events = shown([chunk(b"a", at=AT + 5000), chunk(b"b", at=AT), chunk(b"c", at=AT + 6000)])
    assert [event.second for event in events] == [0.0, 0.0, 1.0]


@pytest.mark.parametrize("name", [n for n in CORPUS if "line feed" not in n])
async def test_a_replay_reaches_no_further_than_the_screen(name: str) -> None:
    keys = Keyboard(keyboard=False)
    await player(keys, [chunk(CORPUS[name]), chunk(b"\x1b\\\r\nend")], speed=0).run()
    assert MARK not in keys.out
    assert b"\x1b]" not in keys.out
    assert b"\x1bP" not in keys.out
    assert b"\x05" not in keys.out
