"""What is derived, authenticated and sealed: known vectors, and every way to be refused."""

import base64
import json
from dataclasses import asdict, replace

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from hatchway.core import keys
from hatchway.core.errors import MalformedMessage, SealBroken, TicketExpired, TicketInvalid
from hatchway.core.sealing import (
    MAX_FRAMES,
    MAX_MARK,
    MAX_SEALED,
    NONCE_BYTES,
    SealHeader,
    peek,
    seal,
    unseal,
)
from hatchway.core.tickets import MAX_TICKET, Ticket, key_id_of, open_ticket, seal_ticket

NODE, SESSION = "i-0123456789abcdef0", "john-0123456789abcdef0"
KEY = bytes(range(32))
TICKET = Ticket("abcdef01", SESSION, NODE, "conn=", 3, 1000, 2000)
HEADER = SealHeader("abcdef01", 3, 2000)


# --- keys -----------------------------------------------------------------------------------


def test_hkdf_agrees_with_rfc_5869_test_case_3() -> None:
    # Zero-length salt and info; the RFC's own numbers.
    expected = (
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
    )
    assert keys.hkdf(b"\x0b" * 22, b"", 42).hex() == expected


@pytest.mark.parametrize("length", [0, 255 * 32 + 1])
def test_hkdf_refuses_lengths_it_cannot_give(length: int) -> None:
    with pytest.raises(ValueError, match="HKDF"):
        keys.hkdf(KEY, b"", length)


def test_every_part_of_a_label_changes_the_key() -> None:
    base = {"key_id": "k1", "node": "n", "session": "s"}
    made = {keys.seal_key(KEY, **base), keys.ticket_key(KEY, key_id="k1")}
    for part in base:
        made.add(keys.seal_key(KEY, **(base | {part: "other"})))
    made.add(keys.seal_key(bytes(32), **base))
    made.add(keys.ticket_key(KEY, key_id="k2"))
    assert len(made) == 7


def test_labels_cannot_be_confused_by_moving_bytes_between_parts() -> None:
    assert keys.label("ab", "c") != keys.label("a", "bc")


# --- tickets --------------------------------------------------------------------------------


def opened(text: str, **changes: object) -> Ticket:
    given_: dict[str, object] = {"node": NODE, "session": SESSION, "now": 1999}
    return open_ticket(text, KEY, **(given_ | changes))  # type: ignore[arg-type]


def test_a_ticket_opens_for_its_own_session_and_node_before_it_expires() -> None:
    text = seal_ticket(TICKET, KEY)
    assert opened(text) == TICKET
    assert key_id_of(text) == "abcdef01"


@pytest.mark.parametrize(
    "changes", [{"node": "i-0fffffffffffffff0"}, {"session": "mary-0123456789abcdef0"}], ids=str
)
def test_a_ticket_is_refused_for_another_session_or_node(changes: dict[str, object]) -> None:
    with pytest.raises(TicketInvalid):
        opened(seal_ticket(TICKET, KEY), **changes)


def test_a_ticket_expires_at_its_second_and_not_before() -> None:
    text = seal_ticket(TICKET, KEY)
    with pytest.raises(TicketExpired):
        opened(text, now=2000)


def test_a_ticket_made_with_another_key_is_refused() -> None:
    with pytest.raises(TicketInvalid):
        opened(seal_ticket(TICKET, bytes(32)))


@given(st.integers(0, 400), st.sampled_from("AaZz09-_."))
def test_a_changed_ticket_is_refused(at: int, letter: str) -> None:
    text = seal_ticket(TICKET, KEY)
    changed = text[: at % len(text)] + letter + text[at % len(text) + 1 :]
    try:
        same = opened(changed)
    except TicketInvalid:
        return
    assert same == TICKET  # the letter was the one that stood there, or spare bits of base64


@pytest.mark.parametrize("text", ["", ".", "a.b.c", "é.é", "x" * (MAX_TICKET + 1), "{}.{}"])
def test_what_is_no_ticket_is_refused(text: str) -> None:
    with pytest.raises(TicketInvalid):
        opened(text)


@pytest.mark.parametrize(
    "fields", [{"generation": True}, {"expires": 1.5}, {"node": None}, {"x": 1}]
)
def test_an_authentic_ticket_with_fields_of_another_type_is_refused(
    fields: dict[str, object],
) -> None:
    payload = json.dumps(asdict(TICKET) | fields, separators=(",", ":"), sort_keys=True).encode()
    import hmac

    text = ".".join(
        base64.urlsafe_b64encode(part).rstrip(b"=").decode()
        for part in (payload, hmac.digest(KEY, payload, "sha256"))
    )
    with pytest.raises(TicketInvalid):
        opened(text)


def test_a_ticket_key_of_another_size_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        seal_ticket(TICKET, b"short")


# --- sealing --------------------------------------------------------------------------------


def sealed(frames: list[bytes], header: SealHeader = HEADER, session: str = SESSION) -> bytes:
    return seal(AESGCM(KEY), header, frames, node=NODE, session=session, nonce=bytes(NONCE_BYTES))


def unsealed(data: bytes, **changes: object) -> list[bytes]:
    given_: dict[str, object] = {"node": NODE, "session": SESSION, "now": 1999.0}
    return list(unseal(AESGCM(KEY), data, **(given_ | changes)).frames)  # type: ignore[arg-type]


@given(st.lists(st.binary(max_size=200), max_size=8))
def test_frames_come_out_as_they_were_sealed(frames: list[bytes]) -> None:
    data = sealed(frames)
    assert unsealed(data) == frames
    assert peek(data) == HEADER


@pytest.mark.parametrize("mark", [b"", b"m", b"m" * MAX_MARK])
def test_a_mark_travels_beside_the_frames(mark: bytes) -> None:
    data = seal(
        AESGCM(KEY),
        HEADER,
        [b"ls"],
        node=NODE,
        session=SESSION,
        nonce=bytes(NONCE_BYTES),
        mark=mark,
    )
    found = unseal(AESGCM(KEY), data, node=NODE, session=SESSION, now=1999.0)
    assert (found.mark, found.frames) == (mark, (b"ls",))


def test_a_mark_beyond_its_limit_is_not_sealed() -> None:
    with pytest.raises(MalformedMessage):
        seal(
            AESGCM(KEY),
            HEADER,
            [],
            node=NODE,
            session=SESSION,
            nonce=bytes(NONCE_BYTES),
            mark=b"m" * (MAX_MARK + 1),
        )


def test_nothing_of_a_sealed_frame_stands_in_clear() -> None:
    assert b"my secret command" not in sealed([b"my secret command"])


@pytest.mark.parametrize(
    "changes",
    [{"node": "i-0fffffffffffffff0"}, {"session": "mary-0123456789abcdef0"}, {"now": 2000.0}],
    ids=str,
)
def test_a_sealed_message_is_refused_elsewhere_and_later(changes: dict[str, object]) -> None:
    with pytest.raises(SealBroken):
        unsealed(sealed([b"x"]), **changes)


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_any_changed_byte_breaks_the_seal(at: int, change: int) -> None:
    data = bytearray(sealed([b"ls -l\r"]))
    data[at % len(data)] ^= change
    with pytest.raises(SealBroken):
        unsealed(bytes(data))


def test_another_generation_cannot_be_claimed() -> None:
    data = bytearray(sealed([b"x"]))
    data[9:13] = (4).to_bytes(4, "big")
    assert peek(bytes(data)).generation == 4
    with pytest.raises(SealBroken):
        unsealed(bytes(data))


@pytest.mark.parametrize("data", [b"", b"\1" * 44, b"\1" * (MAX_SEALED + 1), b"\1" + b"\xff" * 80])
def test_what_is_no_sealed_message_is_refused(data: bytes) -> None:
    with pytest.raises(SealBroken):
        peek(data)


@pytest.mark.parametrize(
    "plain",
    [
        b"",
        b"\5mark",
        b"\0\0",
        b"\0\0\0\0\5abc",
        b"\0\xff\xff\xff\xff",
        b"\0" + b"\0\0\0\0" * (MAX_FRAMES + 1),
    ],
)
def test_an_authentic_message_with_broken_lengths_is_refused(plain: bytes) -> None:
    class Recorded:
        def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
            return data + bytes(16)

        def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
            return plain

    data = seal(Recorded(), HEADER, [b""], node=NODE, session=SESSION, nonce=bytes(NONCE_BYTES))
    with pytest.raises(SealBroken):
        unseal(Recorded(), data, node=NODE, session=SESSION, now=0)


def test_a_message_whose_key_has_no_readable_name_is_refused() -> None:
    data = sealed([b"x"]).replace(b"abcdef01", b"abcdef0\xff", 1)
    with pytest.raises(SealBroken, match="names no key"):
        peek(data)


def test_more_frames_or_bytes_than_the_limit_are_not_sealed() -> None:
    assert len(unsealed(sealed([b""] * MAX_FRAMES))) == MAX_FRAMES
    with pytest.raises(MalformedMessage):
        sealed([b""] * (MAX_FRAMES + 1))
    with pytest.raises(MalformedMessage):
        sealed([b"x" * 24_000] * 6)


def test_nonce_and_key_id_of_another_size_are_programming_errors() -> None:
    with pytest.raises(ValueError, match="nonce"):
        seal(AESGCM(KEY), HEADER, [], node=NODE, session=SESSION, nonce=b"short")
    with pytest.raises(ValueError, match="key id"):
        sealed([], header=replace(HEADER, key_id="k"))
