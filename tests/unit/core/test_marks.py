"""Marks of activity: what counts, and that nobody without the service's secret makes one."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatchway.core import marks
from hatchway.core.errors import MarkInvalid
from hatchway.core.keys import seal_key
from hatchway.core.marks import INPUT, MARK_BYTES, MARK_TEXT, OUTPUT, Done, Mark
from hatchway.core.wire import AgentMessage, MessageType, PayloadType

SECRET = b"s" * 32
NODE, SESSION = "i-0123456789abcdef0", "john-0123456789abcdef0"
MARK = Mark(key_id="abcdefgh", generation=3, sequence=41, time=1_800_000_000)


def made(mark: Mark = MARK, direction: str = INPUT, secret: bytes = SECRET) -> bytes:
    return marks.make(mark, secret, node=NODE, session=SESSION, direction=direction)


def checked(
    data: bytes,
    direction: str = INPUT,
    secret: bytes = SECRET,
    node: str = NODE,
    session: str = SESSION,
) -> Mark:
    return marks.check(data, secret, node=node, session=session, direction=direction)


def message(
    sequence: int,
    payload_type: int = PayloadType.OUTPUT,
    message_type: MessageType = MessageType.INPUT,
    created: int = 1_000,
) -> AgentMessage:
    return AgentMessage(
        message_type=message_type,
        sequence=sequence,
        message_id=UUID(int=sequence),
        created=created,
        payload=b"x",
        payload_type=payload_type,
    )


@given(st.integers(0, (1 << 32) - 1), st.integers(0, (1 << 63) - 1), st.integers(0, (1 << 32) - 1))
def test_a_mark_comes_back_as_it_was_made(generation: int, sequence: int, time: int) -> None:
    mark = Mark("abcdefgh", generation, sequence, time)
    data = marks.from_text(marks.to_text(made(mark)))
    assert len(data) == MARK_BYTES
    assert checked(data) == marks.claimed(data) == mark


@given(st.integers(0, MARK_BYTES - 1), st.integers(1, 255))
def test_any_changed_byte_makes_a_mark_invalid(at: int, change: int) -> None:
    data = bytearray(made())
    data[at] ^= change
    with pytest.raises(MarkInvalid):
        checked(bytes(data))


@pytest.mark.parametrize(
    "where",
    [
        {"node": "i-0fffffffffffffff0"},
        {"session": "mary-0123456789abcdef0"},
        {"direction": OUTPUT},
        {"secret": b"t" * 32},
    ],
    ids=str,
)
def test_a_mark_is_good_for_one_session_node_and_direction(where: dict[str, str]) -> None:
    with pytest.raises(MarkInvalid):
        checked(made(), **where)  # type: ignore[arg-type]


def test_the_key_that_an_agent_has_makes_no_mark() -> None:
    agents = seal_key(SECRET, key_id=MARK.key_id, node=NODE, session=SESSION)
    with pytest.raises(MarkInvalid):
        checked(made(secret=agents))


@pytest.mark.parametrize(
    "text", ["", "x", "é" * 8, "=" * MARK_TEXT, "A" * (MARK_TEXT + 1), "A" * MARK_TEXT]
)
def test_what_is_no_mark_is_refused(text: str) -> None:
    with pytest.raises(MarkInvalid):
        checked(marks.from_text(text))


def test_a_key_id_that_is_no_text_is_refused() -> None:
    with pytest.raises(MarkInvalid):
        marks.claimed(b"\xff" * MARK_BYTES)


def test_typing_and_resizing_are_what_a_person_does() -> None:
    found = marks.typed([message(4), message(7, PayloadType.SIZE), message(5)])
    assert found == Done(sequence=7, age=0.0)


def test_a_key_that_is_sent_again_is_as_old_as_the_client_says() -> None:
    ack = message(0, PayloadType.NONE, MessageType.ACKNOWLEDGE, created=61_500)
    again = marks.typed([message(4, created=1_500), ack])
    assert again == Done(sequence=4, age=60.0)
    assert marks.typed([message(4, created=1_500), message(5, created=61_500), ack]) == Done(5, 0.0)
    assert marks.of(Done(4, 60.0), "abcdefgh", 3, 1_000.9) == Mark("abcdefgh", 3, 4, 940)
    assert marks.of(Done(4, 60.0), "abcdefgh", 3, 1.0).time == 0


@pytest.mark.parametrize(
    "other",
    [
        message(1, PayloadType.HANDSHAKE_RESPONSE),
        message(1, PayloadType.FLAG),
        message(1, PayloadType.NONE, MessageType.ACKNOWLEDGE),
        message(1, PayloadType.OUTPUT, MessageType.ACKNOWLEDGE),
    ],
    ids=lambda m: f"{m.message_type}-{m.payload_type}",
)
def test_what_a_client_does_by_itself_is_no_activity(other: AgentMessage) -> None:
    assert marks.typed([other]) is None
    assert marks.typed([]) is None


def test_output_and_errors_are_what_an_agent_prints() -> None:
    output = [message(n, kind, MessageType.OUTPUT) for n, kind in ((2, 1), (9, 11), (11, 12))]
    assert marks.printed(output) == Done(9, 0.0)
    assert marks.printed([message(1)]) is None
