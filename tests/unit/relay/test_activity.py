"""What the relay passes on of a person's doing, it marks; the agent brings the mark back."""

from __future__ import annotations

from uuid import UUID

import pytest

from hatchway.core import marks
from hatchway.core.errors import MarkInvalid
from hatchway.core.marks import INPUT, Mark
from hatchway.core.wire import AgentMessage, MessageType, PayloadType, pack, to_text
from tests.unit.edge.world import NODE, SESSION
from tests.unit.relay.test_relay import Setting

CREATED = 1_800_000_000_000


def packed(
    payload_type: PayloadType,
    sequence: int = 5,
    kind: MessageType = MessageType.INPUT,
    created: int = CREATED,
) -> bytes:
    return pack(
        AgentMessage(
            message_type=kind,
            sequence=sequence,
            message_id=UUID(int=1),
            created=created,
            payload=b'{"cols":80,"rows":24}',
            payload_type=payload_type,
        )
    )


@pytest.fixture
def setting() -> Setting:
    return Setting()


def marked(setting: Setting) -> Mark:
    secret = setting.secrets.current()
    data = setting.opened().mark
    return marks.check(data, secret.value, node=NODE, session=SESSION, direction=INPUT)


@pytest.mark.parametrize("kind", [PayloadType.OUTPUT, PayloadType.SIZE])
def test_keys_and_sizes_are_marked_with_who_what_and_when(
    setting: Setting, kind: PayloadType
) -> None:
    setting.send(to_text([packed(kind)]), generation="7")
    assert marked(setting) == Mark(
        setting.secrets.current().key_id, 7, 5, int(setting.world.clock())
    )


@pytest.mark.parametrize(
    "frame",
    [
        packed(PayloadType.HANDSHAKE_RESPONSE),
        packed(PayloadType.FLAG),
        packed(PayloadType.NONE, kind=MessageType.ACKNOWLEDGE),
    ],
)
def test_what_a_client_does_by_itself_is_not_marked(setting: Setting, frame: bytes) -> None:
    setting.send(to_text([frame]))
    assert setting.opened().mark == b""


def test_a_key_that_is_sent_again_is_marked_with_its_own_time(setting: Setting) -> None:
    again = packed(PayloadType.OUTPUT)
    ack = packed(PayloadType.NONE, 0, MessageType.ACKNOWLEDGE, CREATED + 90_000)
    setting.send(to_text([again, ack]))
    assert marked(setting).time == int(setting.world.clock()) - 90


def test_the_marks_of_one_node_are_no_other_nodes(setting: Setting) -> None:
    setting.send(to_text([packed(PayloadType.OUTPUT)]))
    secret, data = setting.secrets.current(), setting.opened().mark
    with pytest.raises(MarkInvalid):
        marks.check(
            data, secret.value, node="i-0fffffffffffffff0", session=SESSION, direction=INPUT
        )
