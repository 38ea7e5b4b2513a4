"""Typed condition values: numbers, dates, addresses, booleans, binary.

Every function answers None for text that is no such value: it then matches nothing.
"""

from __future__ import annotations

import base64
import binascii
import re
from datetime import date
from decimal import Decimal
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import TypeAlias

MAX_VALUE_CHARS = 64  # longer text is no number, date or address
VALUES_KEPT = 512  # parsed values, most recent first

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)\Z")
# https://www.w3.org/TR/NOTE-datetime: from the year alone to fractions of a second. The zone is
# required there with a time; where it is missing, UTC is meant.
_DATE = re.compile(
    r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})"
    r"(?:T([0-9]{2}):([0-9]{2})(?::([0-9]{2})(\.[0-9]+)?)?(?:Z|([+-][0-9]{2}):([0-9]{2}))?)?)?)?\Z"
)
_UNIX_DAY = date(1970, 1, 1).toordinal()

Address: TypeAlias = tuple[int, int]  # version, number
Network: TypeAlias = tuple[int, int, int]  # version, number, mask


@lru_cache(maxsize=VALUES_KEPT)
def number(text: str) -> Decimal | None:
    """An integer or decimal."""
    text = text.strip()
    return Decimal(text) if len(text) <= MAX_VALUE_CHARS and _NUMBER.match(text) else None


@lru_cache(maxsize=VALUES_KEPT)
def moment(text: str) -> Decimal | None:
    """Unix seconds of an ISO 8601 date as the W3C profiles it, or of epoch seconds."""
    text = text.strip()
    if len(text) > MAX_VALUE_CHARS:
        return None
    match = _DATE.match(text)
    if match is None:
        return number(text)
    hour, minute, second = (int(part or 0) for part in match.group(4, 5, 6))
    try:
        days = date(int(match[1]), int(match[2] or 1), int(match[3] or 1)).toordinal() - _UNIX_DAY
    except ValueError:
        return None
    if hour > 23 or minute > 59 or second > 59:
        return None
    seconds = days * 86400 + hour * 3600 + minute * 60 + second - _offset(match[8], match[9])
    return Decimal(seconds) + Decimal(match[7] or 0)


def _offset(hours: str | None, minutes: str | None) -> int:
    if hours is None or minutes is None:
        return 0
    sign = -1 if hours[0] == "-" else 1
    return sign * (int(hours[1:]) * 3600 + int(minutes) * 60)


@lru_cache(maxsize=VALUES_KEPT)
def address(text: str) -> Address | None:
    """An IPv4 or IPv6 address."""
    try:
        found = ip_address(text) if len(text) <= MAX_VALUE_CHARS else None
    except ValueError:
        return None
    return (found.version, int(found)) if found else None


@lru_cache(maxsize=VALUES_KEPT)
def network(text: str) -> Network | None:
    """A range in CIDR notation, or a single address."""
    _, slash, prefix = text.partition("/")
    if len(text) > MAX_VALUE_CHARS or (slash and not (prefix.isascii() and prefix.isdigit())):
        return None
    try:
        found = ip_network(text, strict=False)
    except ValueError:
        return None
    return found.version, int(found.network_address), int(found.netmask)


def within(place: Address, area: Network) -> bool:
    """Addresses of the other family are outside."""
    return place[0] == area[0] and place[1] & area[2] == area[1]


def boolean(text: str) -> bool | None:
    """`true` or `false` in any case."""
    return {"true": True, "false": False}.get(text.lower())


def binary(text: str) -> bytes | None:
    """The bytes that base64 text stands for."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
