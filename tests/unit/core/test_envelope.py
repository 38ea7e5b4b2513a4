"""Envelopes of recorded events: what is in them, who opens them, and everything else refused."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatchway.core.envelope import MAX_FRAMES, MAX_WRAPPED, VERSION, Envelope, close, peek
from hatchway.core.errors import MalformedRecording
from hatchway.core.keys import record_key
from hatchway.core.recording import MAX_EVENT, Passed, dump
from hatchway.core.sealing import NONCE_BYTES
from hatchway.core.transcript.chunks import Side
from hatchway.core.wire import MAX_TEXT_MESSAGE, MessageType
from lambdas.adapters.crypto import cipher
from tests.unit.edge.frames import frame

SESSION = "john-0123456789abcdef0"
WRAPPED, NONCE = b"wrapped", bytes(NONCE_BYTES)
KEY = cipher(record_key(bytes(32), session=SESSION))
FRAME = frame(MessageType.INPUT, b"hunter2")
PASSED = Passed(side=Side.CLIENT, generation=3, frames=(FRAME, FRAME), note="a note", mark="m/1")


def closed(passed: Passed = PASSED, wrapped: bytes = WRAPPED) -> str:
    return close(passed, KEY, session=SESSION, wrapped=wrapped, nonce=NONCE)


def opened(text: str, session: str = SESSION) -> Passed:
    envelope = peek(text)
    assert envelope is not None
    return envelope.open(KEY, session)


def changed(**members: object) -> str:
    return json.dumps(json.loads(closed()) | members)


@given(
    frames=st.lists(st.binary(max_size=300), max_size=5),
    note=st.text(max_size=40),
    mark=st.text(max_size=20),
)
def test_what_was_sealed_is_opened(frames: list[bytes], note: str, mark: str) -> None:
    passed = Passed(side=Side.NODE, generation=7, frames=tuple(frames), note=note, mark=mark)
    assert opened(closed(passed)) == passed


def test_nothing_of_it_stands_in_the_event() -> None:
    text = closed()
    for secret in (b"hunter2", b"a note", base64.b64encode(FRAME)[8:40]):
        assert secret.decode() not in text
    assert FRAME not in base64.b64decode(json.loads(text)["sealed"])


def test_but_for_its_key_an_event_is_hardly_larger_than_in_clear() -> None:
    passed = Passed(side=Side.NODE, generation=1, frames=(FRAME,) * 20)
    assert len(closed(passed)) < 1.05 * len(dump(passed))


def test_as_much_as_a_call_carries_fits() -> None:
    whole = MAX_TEXT_MESSAGE * 3 // 4
    frames = tuple(bytes(whole // 4) for _ in range(4))
    assert len(closed(Passed(side=Side.NODE, generation=1, frames=frames))) < MAX_EVENT - 1024


def test_an_event_in_clear_has_no_envelope() -> None:
    assert peek(dump(PASSED)) is None
    assert peek("[]") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "{}",
        json.dumps({"v": VERSION}),
        changed(key=7),
        changed(key=""),
        changed(key="?"),
        changed(key=base64.b64encode(bytes(MAX_WRAPPED + 1)).decode()),
        changed(sealed=base64.b64encode(bytes(NONCE_BYTES + 15)).decode()),
        changed(side="nobody"),
        changed(gen=None),
        "[" * 100_000,
        "x" * (MAX_EVENT + 1),
    ],
)
def test_what_is_neither_is_refused(text: str) -> None:
    with pytest.raises(MalformedRecording):
        peek(text)


@pytest.mark.parametrize(
    "text",
    [
        changed(side="node"),
        changed(gen=4),
        changed(key=base64.b64encode(b"another").decode()),
        changed(sealed=base64.b64encode(bytes(60)).decode()),
    ],
)
def test_what_was_changed_does_not_open(text: str) -> None:
    with pytest.raises(MalformedRecording):
        opened(text)


def test_another_session_s_does_not_open() -> None:
    with pytest.raises(MalformedRecording):
        opened(closed(), "mary-0123456789abcdef0")
    assert record_key(bytes(32), session=SESSION) != record_key(bytes(32), session=SESSION + "x")


@pytest.mark.parametrize(
    "plain",
    [
        b"",
        b"\x00",
        b"\x00\x05abc",
        b"\x00\x00\x00\x09m",
        bytes(4) + b"\x00\x00",
        bytes(4) + b"\x00\x00\x00\x05abc",
        bytes(4) + b"\xff\xff\xff\xff",
        bytes(4) + bytes(4) * (MAX_FRAMES + 1),
    ],
)
def test_what_is_cut_short_is_refused_though_it_was_sealed(plain: bytes) -> None:
    envelope = peek(closed())
    assert envelope is not None
    bound = b""

    class Same:
        def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
            raise AssertionError

        def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
            return plain

    with pytest.raises(MalformedRecording):
        Envelope(Side.NODE, 1, WRAPPED, bound).open(Same(), SESSION)


def test_a_nonce_has_twelve_bytes() -> None:
    with pytest.raises(ValueError, match="12 bytes"):
        close(PASSED, KEY, session=SESSION, wrapped=WRAPPED, nonce=b"short")
