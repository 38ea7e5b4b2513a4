"""What the uplink passed on to a client, it answers with a mark: output may count as activity."""

from __future__ import annotations

import json

import pytest

from hatchway.core import marks
from hatchway.core.marks import OUTPUT, Mark
from hatchway.core.wire import MAX_TEXT_MESSAGE, MessageType, to_text
from lambdas.edge import serve
from tests.unit.edge.frames import frame
from tests.unit.edge.world import CONNECTION, NODE, SESSION, recorded
from tests.unit.uplink.test_uplink import Setting


@pytest.fixture
def setting() -> Setting:
    return Setting()


def answer(setting: Setting, *frames: bytes) -> dict[str, str]:
    event = recorded("rest_frames.json") | {"body": to_text(frames)}
    event["multiValueHeaders"]["X-Hatchway-Ticket"] = [setting.ticket(generation=3)]
    given = serve(
        "uplink", event, setting.uplink.handle, setting.world.lines, max_body=MAX_TEXT_MESSAGE
    )
    found: dict[str, str] = json.loads(str(given["body"]))
    return found


def test_output_that_was_posted_is_marked(setting: Setting) -> None:
    found = answer(setting, *(frame(MessageType.OUTPUT, sequence=n) for n in (8, 9)))
    secret = setting.secrets.current()
    mark = marks.check(
        marks.from_text(found["Mark"]), secret.value, node=NODE, session=SESSION, direction=OUTPUT
    )
    assert mark == Mark(secret.key_id, 3, 9, int(setting.world.clock()))


def test_acknowledgements_are_not_marked(setting: Setting) -> None:
    assert answer(setting, frame(MessageType.ACKNOWLEDGE)) == {}


def test_output_that_reached_nobody_is_not_marked(setting: Setting) -> None:
    setting.world.clients.close(CONNECTION)
    found = answer(setting, frame(MessageType.OUTPUT))
    assert (found["__type"], "Mark" in found) == ("ClientGone", False)
