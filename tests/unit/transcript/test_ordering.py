"""What passed in any order is told once and in its own; what never came, or differs, is said."""

from __future__ import annotations

import hashlib
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hatchway.core.errors import MalformedRecording
from hatchway.core.transcript import ordering
from hatchway.core.transcript.chunks import Chunk, Kind, Side
from hatchway.core.transcript.ordering import (
    GAP_AFTER,
    MAX_REMEMBERED,
    MAX_WAITING,
    MAX_WAITING_BYTES,
    Orderer,
    OrderState,
)
from hatchway.core.wire import FLAG_DEFLATED, MAX_PAYLOAD, FlagValue, PayloadType
from tests.unit.transcript.frames import ANN, AT, BOB, deflated, offer, output, size, typed


def feed(orderer: Orderer, *frames: bytes, generation: int = 1, at: int = AT) -> list[Chunk]:
    return [chunk for frame in frames for chunk in orderer.take(frame, generation, at)]


def shown(chunks: list[Chunk]) -> bytes:
    return b"".join(c.data for c in chunks if c.kind in (Kind.OUTPUT, Kind.INPUT))


@given(
    st.lists(st.binary(min_size=1, max_size=8), min_size=1, max_size=30),
    st.randoms(use_true_random=False),
)
def test_any_order_and_any_repeats_give_every_message_once_in_its_order(
    payloads: list[bytes], random: Random
) -> None:
    frames = [output(n, payload) for n, payload in enumerate(payloads)]
    arriving = frames + random.choices(frames, k=len(frames))
    random.shuffle(arriving)
    orderer = Orderer(Side.NODE)
    chunks = feed(orderer, *arriving)
    assert [c.sequence for c in chunks] == list(range(len(payloads)))
    assert [c.data for c in chunks] == payloads
    assert orderer.clean
    assert orderer.counts == {"repeated": len(frames)}


@given(
    st.lists(st.binary(min_size=1, max_size=8), min_size=2, max_size=20),
    st.sets(st.integers(0, 19)),
)
def test_what_is_lost_is_a_gap_and_numbers_stay_contiguous(
    payloads: list[bytes], lost: set[int]
) -> None:
    orderer = Orderer(Side.NODE)
    kept = [n for n in range(len(payloads)) if n not in lost]
    chunks = feed(orderer, *(output(n, payloads[n]) for n in kept)) + list(orderer.finish())
    expected = 0
    for chunk in chunks:
        assert chunk.sequence == expected
        expected += chunk.messages
    assert expected == (kept[-1] + 1 if kept else 0)
    assert shown(chunks) == b"".join(payloads[n] for n in kept)


def test_a_chunk_bears_the_digest_of_the_payload_as_carried() -> None:
    data = b"line\n" * 200
    orderer = Orderer(Side.NODE)
    plain, packed = output(1, b"x"), deflated(2, data)
    chunks = feed(orderer, offer(), plain, packed)
    assert chunks[1].digest == hashlib.sha256(b"x").hexdigest()
    assert chunks[2].data == data
    assert chunks[2].digest == hashlib.sha256(packed[120:]).hexdigest()


def test_the_same_number_with_another_content_is_a_mismatch() -> None:
    orderer = Orderer(Side.NODE)
    first, other = feed(orderer, output(0, b"true"), output(0, b"false"))
    assert (first.data, first.sequence) == (b"true", 0)
    assert other.kind is Kind.MARKER
    assert other.note.startswith("mismatch: message 0")
    assert other.data == b"false"
    assert orderer.counts["mismatch"] == 1


def test_the_same_payload_as_another_type_is_a_mismatch_as_well() -> None:
    orderer = Orderer(Side.NODE)
    feed(orderer, output(0, b"same"), output(0, b"same", PayloadType.STDERR))
    assert orderer.counts["mismatch"] == 1


def test_a_mismatch_is_found_while_the_first_one_still_waits() -> None:
    orderer = Orderer(Side.NODE)
    feed(orderer, output(3, b"a"), output(3, b"b"))
    assert orderer.counts["mismatch"] == 1


def test_what_somebody_typed_is_not_kept_in_a_mismatch() -> None:
    orderer = Orderer(Side.CLIENT)
    other = feed(orderer, typed(0, b"a"), typed(1, b"b"), typed(1, b"secret"))[-1]
    assert (other.kind, other.data, other.digest) == (Kind.MARKER, b"", "")


def test_a_later_client_begins_anew_and_what_waited_for_the_first_one_comes_before() -> None:
    orderer = Orderer(Side.CLIENT)
    first = feed(orderer, typed(0, b"a"), typed(2, b"c"))
    second = feed(orderer, typed(0, b"x", BOB), generation=2)
    assert shown(first + second) == b"acx"
    assert [c.kind for c in second] == [Kind.GAP, Kind.INPUT, Kind.MARKER, Kind.INPUT]
    assert second[2].note.startswith("client 2 took over")


def test_what_a_replaced_client_still_sends_is_dropped_as_the_node_drops_it() -> None:
    orderer = Orderer(Side.CLIENT)
    feed(orderer, typed(0, b"x", BOB), generation=2)
    assert feed(orderer, typed(0, b"a", ANN), typed(1, b"b"), generation=1) == []
    assert orderer.counts == {"replaced": 2}
    assert orderer.state.epoch == str(BOB)


def test_a_client_that_only_lost_its_connection_goes_on() -> None:
    orderer = Orderer(Side.CLIENT)
    chunks = feed(orderer, typed(0, b"a")) + feed(
        orderer, typed(0, b"a"), typed(1, b"b"), generation=2
    )
    assert shown(chunks) == b"ab"
    assert all(c.kind is Kind.INPUT for c in chunks)


def test_numbers_of_a_node_go_on_for_another_client() -> None:
    orderer = Orderer(Side.NODE)
    chunks = feed(orderer, offer(), output(1, b"a"), offer(2, again=True), output(3, b"b"))
    assert [c.sequence for c in chunks] == [0, 1, 2, 3]
    assert "took over" in chunks[2].note


def test_a_gap_is_declared_after_its_time_by_what_comes_later() -> None:
    orderer = Orderer(Side.NODE)
    assert feed(orderer, output(1, b"b"), at=AT) == []
    assert feed(orderer, output(2, b"c"), at=AT + GAP_AFTER - 1) == []
    gap, *rest = feed(orderer, output(3, b"d"), at=AT + GAP_AFTER)
    assert (gap.kind, gap.data, gap.sequence, gap.messages) == (Kind.GAP, b"1 messages", 0, 1)
    assert shown(rest) == b"bcd"


def test_one_more_than_may_wait_ends_the_wait() -> None:
    orderer = Orderer(Side.NODE)
    assert feed(orderer, *(output(n + 1, b"x") for n in range(MAX_WAITING))) == []
    found = feed(orderer, output(MAX_WAITING + 1, b"x"))
    assert found[0].kind is Kind.GAP
    assert orderer.clean


def test_one_byte_more_than_may_wait_ends_the_wait() -> None:
    orderer = Orderer(Side.NODE)
    big = bytes(MAX_PAYLOAD)
    fits = MAX_WAITING_BYTES // MAX_PAYLOAD
    assert feed(orderer, *(output(n + 1, big) for n in range(fits))) == []
    assert feed(orderer, output(fits + 1, big))[0].kind is Kind.GAP


def test_what_comes_after_its_place_was_given_up_is_shown_and_said_to_be_late() -> None:
    orderer = Orderer(Side.NODE)
    feed(orderer, output(2, b"c"))
    list(orderer.finish())
    late = feed(orderer, output(0, b"a"), output(1, b"b"))
    assert shown(late) == b"ab"
    assert all(c.note.startswith("late") for c in late)
    assert orderer.counts["late"] == 2


def test_a_node_that_jumps_ahead_cannot_hide_what_follows() -> None:
    orderer = Orderer(Side.NODE)
    feed(orderer, output(0, b"a"), output(1 << 62, b"!"))
    feed(orderer, output(1 << 61, b"?"), at=AT + GAP_AFTER)
    assert shown(feed(orderer, output(1, b"b"), at=AT + GAP_AFTER + 1)) == b"b"


def test_a_number_whose_content_is_forgotten_is_told_and_kept_when_it_comes_again() -> None:
    orderer = Orderer(Side.NODE)
    feed(orderer, *(output(n, b"x") for n in range(MAX_REMEMBERED + 1)))
    assert len(orderer.state.seen) == MAX_REMEMBERED
    (again,) = feed(orderer, output(0, b"another"))
    assert (again.kind, again.data, again.sequence) == (Kind.MARKER, b"another", -1)
    assert again.note.startswith("again: message 0")
    assert orderer.counts == {"again": 1}


def test_what_is_forgotten_and_typed_again_is_told_without_its_content() -> None:
    orderer = Orderer(Side.CLIENT)
    feed(orderer, *(typed(n, b"x") for n in range(MAX_REMEMBERED + 2)))
    (again,) = feed(orderer, typed(1, b"secret"))
    assert (again.kind, again.data, again.digest) == (Kind.MARKER, b"", "")


def test_more_than_is_remembered_may_wait_and_is_still_compared() -> None:
    orderer = Orderer(Side.NODE)
    assert feed(orderer, *(output(n + 1, b"x") for n in range(MAX_REMEMBERED + 1))) == []
    (other,) = feed(orderer, output(1, b"y"))
    assert other.note.startswith("mismatch: message 1 ")
    assert feed(orderer, output(2, b"x")) == []


@given(st.permutations(range(6)), st.lists(st.integers(0, 5), max_size=4))
def test_what_was_given_up_is_late_once_whatever_is_forgotten_since(
    order: list[int], repeats: list[int]
) -> None:
    orderer = Orderer(Side.NODE)
    feed(orderer, output(6, b"g"))
    list(orderer.finish())
    late = []
    for number in (*order, *repeats):
        late += feed(orderer, output(number, b"%d" % number))
        orderer.state.seen.clear()
    assert [c.sequence for c in late if c.note.startswith("late")] == order
    assert len(late) == len(order) + len(repeats)
    assert orderer.state.given_up == []


def test_more_stretches_than_are_remembered_are_kept_all_the_same() -> None:
    orderer = Orderer(Side.NODE)
    feed(orderer, *(output(2 * n + 1, b"x") for n in range(ordering.MAX_GIVEN_UP + 1)))
    list(orderer.finish())
    assert len(orderer.state.given_up) == ordering.MAX_GIVEN_UP
    first, second = feed(orderer, output(0, b"forgotten"), output(2, b"late"))
    assert (first.data, first.note[:6]) == (b"forgotten", "again:")
    assert second.note.startswith("late")


def test_a_first_client_whose_first_message_comes_last_is_remembered_whole() -> None:
    orderer = Orderer(Side.CLIENT)
    chunks = feed(orderer, typed(1, b"b"), typed(0, b"a"), typed(1, b"b"))
    assert shown(chunks) == b"ab"
    assert orderer.counts == {"repeated": 1}


def test_what_is_no_numbered_message_of_that_side_makes_no_chunk() -> None:
    orderer = Orderer(Side.NODE)
    assert feed(orderer, typed(0, b"a"), b"rubbish") == []
    assert orderer.counts == {"malformed": 1}


@pytest.mark.parametrize(
    ("frame", "kind", "data"),
    [
        (output(0, (5).to_bytes(8, "big"), PayloadType.GAP), Kind.GAP, b"5 bytes"),
        (output(0, b"EXIT_CODE: 3", PayloadType.EXIT_CODE), Kind.EXIT, b"3"),
        (output(0, b"oops", PayloadType.STDERR), Kind.STDERR, b"oops"),
        (output(0, b"EXIT_CODE: x", PayloadType.EXIT_CODE), Kind.MARKER, b"EXIT_CODE: x"),
        (output(0, b"new", 4711), Kind.MARKER, b"new"),
        (output(0, b"q", PayloadType.ENC_CHALLENGE_REQUEST), Kind.MARKER, b""),
    ],
)
def test_each_payload_type_of_a_node_is_a_chunk(frame: bytes, kind: Kind, data: bytes) -> None:
    (chunk,) = feed(Orderer(Side.NODE), frame)
    assert (chunk.kind, chunk.data) == (kind, data)


def test_a_client_sizes_and_flags() -> None:
    flag = typed(1, FlagValue.TERMINATE_SESSION.to_bytes(4, "big"), payload_type=PayloadType.FLAG)
    resized, flagged = feed(Orderer(Side.CLIENT), size(0, 80, 24), flag)
    assert (resized.kind, resized.data) == (Kind.RESIZE, b"80x24")
    assert flagged.note == "flag 2"


def test_compressed_data_is_read_only_where_the_node_offered_it() -> None:
    data = b"line\n" * 200
    (chunk,) = feed(Orderer(Side.NODE), deflated(0, data))
    assert chunk.kind is Kind.OUTPUT
    assert chunk.data != data


def test_compressed_data_that_cannot_be_read_is_kept_and_not_shown() -> None:
    chunk = feed(Orderer(Side.NODE), offer(), output(1, b"rubbish", flags=FLAG_DEFLATED))[1]
    assert (chunk.kind, chunk.data) == (Kind.MARKER, b"rubbish")


@given(st.integers(0, 20), st.lists(st.binary(min_size=1, max_size=4), max_size=20))
def test_a_state_that_was_stored_goes_on_where_it_was(cut: int, payloads: list[bytes]) -> None:
    frames = [output(n, payload) for n, payload in enumerate(payloads)]
    whole, first = Orderer(Side.NODE), Orderer(Side.NODE)
    expected = feed(whole, *frames, *frames)
    found = feed(first, *frames[:cut])
    second = Orderer(Side.NODE, OrderState.of_json(first.state.to_json()))
    assert found + feed(second, *frames[cut:], *frames) == expected


@pytest.mark.parametrize(
    "damage",
    [
        {"expected": -1},
        {"seen": [[1]]},
        {"seen": "no"},
        {"seen": [[n, ""] for n in range(MAX_REMEMBERED + 1)]},
        {"givenUp": [[0, 0]] * (ordering.MAX_GIVEN_UP + 1)},
    ],
)
def test_a_damaged_state_is_refused(damage: dict[str, object]) -> None:
    with pytest.raises(MalformedRecording):
        OrderState.of_json(OrderState().to_json() | damage)


def test_a_state_without_a_member_is_refused() -> None:
    with pytest.raises(MalformedRecording):
        OrderState.of_json({})


def test_what_comes_late_out_of_its_order_is_told_each_once() -> None:
    orderer = Orderer(Side.NODE)
    feed(orderer, output(3, b"d"))
    list(orderer.finish())
    late = feed(orderer, output(1, b"b"), output(0, b"a"), output(1, b"b"))
    assert [c.data for c in late] == [b"b", b"a"]
    assert orderer.counts["repeated"] == 1


def test_an_offer_that_cannot_be_read_offers_no_compression() -> None:
    orderer = Orderer(Side.NODE)
    packed = deflated(2, b"line\n" * 200)
    feed(orderer, offer(), output(1, b"rubbish", PayloadType.HANDSHAKE_REQUEST))
    (told,) = feed(orderer, packed)
    assert told.data == packed[120:]


# --- a client who took over, read out of order ---------------------------------------------------


def ann() -> Orderer:
    orderer = Orderer(Side.CLIENT)
    feed(orderer, typed(0, b"{}"), size(1, 80, 24), typed(2, b"l"))
    return orderer


def test_a_take_over_whose_first_message_is_read_second_is_no_contradiction() -> None:
    orderer = ann()
    assert feed(orderer, size(1, 80, 24), typed(2, b"w"), generation=2) == []
    assert not orderer.clean
    chunks = feed(orderer, typed(0, b"{}", BOB), typed(3, b"x"), generation=2)
    assert [c.sequence for c in chunks] == [-1, 0, 1, 2, 3]
    assert [c.data for c in chunks][3:] == [b"w", b"x"]
    assert orderer.clean
    assert orderer.counts == {}


def test_a_take_over_whose_first_message_never_comes_accuses_nobody() -> None:
    orderer = ann()
    frames = (size(1, 80, 24), typed(2, b"w"))
    assert feed(orderer, *frames, generation=2, at=AT) == []
    later = AT + ordering.HELD_FOR
    assert list(orderer.expire(later - 1)) == []
    (told,) = orderer.expire(later)
    assert told.note == "late: message 2 of a client whose first one was not stored"
    assert (told.sequence, told.data, told.digest) == (-1, b"", "")
    assert orderer.clean
    assert orderer.counts == {"repeated": 1, "late": 1}


def test_a_client_that_proves_to_be_the_same_has_contradicted_itself() -> None:
    orderer = ann()
    assert feed(orderer, typed(2, b"w"), generation=2) == []
    found = feed(orderer, typed(0, b"{}"), generation=2)
    assert [c.note[:8] for c in found] == ["mismatch"]
    assert orderer.clean


def test_the_same_number_with_another_content_in_one_generation_is_a_mismatch_of_anybody() -> None:
    orderer = ann()
    assert feed(orderer, typed(2, b"w"), typed(2, b"w"), generation=2) == []
    (held,) = feed(orderer, typed(2, b"other"), generation=2)
    assert feed(orderer, typed(3, b"a"), generation=2)[0].data == b"a"
    (taken,) = feed(orderer, typed(3, b"b"), generation=2)
    (first,) = feed(orderer, typed(1, b"c"), generation=1)
    assert all(c.note.startswith("mismatch") for c in (held, taken, first))
    assert orderer.counts == {"repeated": 1, "mismatch": 3}


def test_a_generation_raised_by_what_is_nobodys_does_not_hide_a_take_over() -> None:
    orderer = ann()
    feed(orderer, typed(3, b"m"), generation=2)
    chunks = feed(orderer, typed(0, b"{}", BOB), generation=2)
    assert chunks[0].note.startswith("client 2 took over")


def test_one_who_takes_over_from_a_client_that_was_never_named_is_another() -> None:
    orderer = Orderer(Side.CLIENT)
    feed(orderer, typed(1, b"a"), typed(2, b"b"))
    list(orderer.finish())
    chunks = feed(orderer, typed(0, b"{}", BOB), typed(1, b"x"), generation=2)
    assert [c.sequence for c in chunks] == [-1, 0, 1]
    assert "mismatch" not in orderer.counts


def test_no_more_is_held_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ordering, "MAX_HELD", 1)
    orderer = ann()
    assert feed(orderer, typed(1, b"x"), generation=2) == []
    (told,) = feed(orderer, typed(2, b"y"), generation=2)
    assert told.note.startswith("late: message 1 ")


def test_a_node_contradicts_itself_in_any_generation() -> None:
    orderer = Orderer(Side.NODE)
    feed(orderer, output(0, b"a"))
    assert feed(orderer, output(0, b"b"), generation=2)[0].note.startswith("mismatch")


def test_a_state_from_before_generations_were_kept_is_read() -> None:
    document = ann().state.to_json()
    document["seen"] = [[0, "m"], [1, "n"]]
    del document["confirmed"]
    state = OrderState.of_json(document)
    assert (state.confirmed, state.seen) == (1, {0: ("m", 0), 1: ("n", 0)})
    assert OrderState.of_json(state.to_json()) == state


def test_a_second_identity_of_one_generation_is_no_other_client() -> None:
    orderer = ann()
    (found,) = feed(orderer, typed(0, b"other", BOB))
    assert found.note.startswith("mismatch: message 0")
    assert orderer.state.epoch == str(ANN)
