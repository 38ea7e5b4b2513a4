"""What AWS bills for, what it costs (us-east-1, 2026-11), and a meter that counts it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

WEBSOCKET_UNIT = 32 * 1024
IOT_UNIT = 5 * 1024
#: Bytes of a consistent read and of a write that count as one.
READ_UNIT, WRITE_UNIT = 4096, 1024


class Item(Enum):
    """A line of the bill: its name and its price in dollars for one."""

    WEBSOCKET_MESSAGE = ("WebSocket messages (32 KB)", 1.00e-6)
    WEBSOCKET_MINUTE = ("WebSocket connection minutes", 0.25e-6)
    REST_CALL = ("REST calls", 3.50e-6)
    LAMBDA_REQUEST = ("Lambda requests", 0.20e-6)
    LAMBDA_GB_SECOND = ("Lambda GB-seconds", 13.3334e-6)
    IOT_MESSAGE = ("IoT messages (5 KB)", 1.00e-6)
    IOT_MINUTE = ("IoT connection minutes", 0.08e-6)
    DYNAMODB_READ = ("DynamoDB reads", 0.125e-6)
    DYNAMODB_WRITE = ("DynamoDB writes", 0.625e-6)
    RECORDED_BYTE = ("bytes recorded in CloudWatch Logs", 0.50e-9)
    LOG_BYTE = ("CloudWatch Logs bytes", 0.50e-9)

    @property
    def title(self) -> str:
        return str(self.value[0])

    @property
    def price(self) -> float:
        return float(self.value[1])


#: What is called an operation: the rest is time and bytes.
OPERATIONS = (
    Item.WEBSOCKET_MESSAGE,
    Item.REST_CALL,
    Item.LAMBDA_REQUEST,
    Item.IOT_MESSAGE,
    Item.DYNAMODB_READ,
    Item.DYNAMODB_WRITE,
)
DATABASE = (Item.DYNAMODB_READ, Item.DYNAMODB_WRITE)


@dataclass(frozen=True, slots=True)
class Bill:
    """Counts by item."""

    counts: dict[Item, float]

    def of(self, item: Item) -> float:
        return self.counts.get(item, 0.0)

    @property
    def operations(self) -> float:
        return sum(self.of(item) for item in OPERATIONS)

    @property
    def dollars(self) -> float:
        return sum(count * item.price for item, count in self.counts.items())

    def over(self, number: float) -> Bill:
        """The share of one among `number`."""
        return Bill({item: count / number for item, count in self.counts.items()})


@dataclass(slots=True)
class Meter:
    """Counts while things happen."""

    amounts: dict[Item, float] = field(default_factory=dict)

    def add(self, item: Item, amount: float = 1) -> None:
        self.amounts[item] = self.amounts.get(item, 0.0) + amount

    def units(self, item: Item, size: int, unit: int) -> None:
        """A message or item of `size` bytes, each begun `unit` of which counts."""
        self.add(item, max(1, -(-size // unit)))

    def take(self) -> Bill:
        """What was counted since the last time."""
        taken, self.amounts = self.amounts, {}
        return Bill(taken)
