"""What is billed: the counts stand for themselves, and the document says what they are."""

from __future__ import annotations

import pytest

from benchmarks import billable
from benchmarks.billable import INVOCATION, MEGABYTE, MEGABYTES, TARGET
from benchmarks.idle_node import renewal
from benchmarks.prices import DATABASE, OPERATIONS, Bill, Item, Meter


@pytest.fixture(scope="module")
def ours() -> dict[str, Bill]:
    return billable.ours(MEGABYTE, INVOCATION)


@pytest.fixture(scope="module")
def originals() -> dict[str, Bill]:
    return billable.originals(MEGABYTE // 4, INVOCATION)


def test_a_message_counts_once_for_each_unit_begun() -> None:
    meter = Meter()
    for size in (0, 1, 5120, 5121):
        meter.units(Item.IOT_MESSAGE, size, 5120)
    assert meter.take().of(Item.IOT_MESSAGE) == 5
    assert meter.take().operations == 0


def test_a_bill_is_its_counts_times_their_prices() -> None:
    bill = Bill({Item.REST_CALL: 2.0, Item.LOG_BYTE: 1e9})
    assert bill.dollars == pytest.approx(2 * 3.5e-6 + 0.5)
    assert bill.operations == 2
    assert bill.over(2).of(Item.REST_CALL) == 1


def test_every_item_but_time_and_bytes_is_an_operation() -> None:
    assert set(Item) - set(OPERATIONS) == {
        Item.WEBSOCKET_MINUTE,
        Item.IOT_MINUTE,
        Item.LAMBDA_GB_SECOND,
        Item.RECORDED_BYTE,
        Item.LOG_BYTE,
    }


def test_text_takes_a_twenty_fifth_of_what_small_messages_take(
    ours: dict[str, Bill], originals: dict[str, Bill]
) -> None:
    mine, theirs = ours["MB of log text"], originals["MB of log text"]
    assert theirs.operations >= TARGET * mine.operations


def test_a_spare_token_is_asked_for_a_few_times_an_hour(ours: dict[str, Bill]) -> None:
    # 80 renewals of the ticket read the table; what reads beyond is a question for a spare.
    spares = ours["idle session-hour"].of(Item.DYNAMODB_READ) - 80
    assert 3 <= spares <= 4


def test_no_message_touches_the_table(ours: dict[str, Bill], originals: dict[str, Bill]) -> None:
    # 300 keys in a minute: two renewals of the ticket, and nothing else.
    typing = ours["minute of typing"]
    assert typing.of(Item.DYNAMODB_READ) <= 2
    assert typing.of(Item.REST_CALL) >= 300
    assert all(originals["key, alone"].of(item) == 0 for item in DATABASE)


def test_a_key_is_one_message_there_one_back_and_an_acknowledgement(
    originals: dict[str, Bill], ours: dict[str, Bill]
) -> None:
    assert ours["key, alone"].of(Item.WEBSOCKET_MESSAGE) == pytest.approx(3, abs=0.1)
    assert originals["key, alone"].of(Item.WEBSOCKET_MESSAGE) == pytest.approx(4, abs=0.1)


def test_a_renewal_of_an_enrolled_node_writes_nothing() -> None:
    bill = renewal(INVOCATION)
    assert bill.of(Item.DYNAMODB_WRITE) == 0
    assert bill.of(Item.REST_CALL) == bill.of(Item.LAMBDA_REQUEST) == 1


def test_the_document_holds_what_is_counted() -> None:
    text = billable.DOCUMENT.read_text()
    report = billable.report(MEGABYTES * MEGABYTE, INVOCATION)
    assert billable.written(text, report) == text, "run python -m benchmarks.billable --write"


def test_a_document_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="marks"):
        billable.written("nothing", "text")
