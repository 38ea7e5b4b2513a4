"""The types that describe an API: what a member may be, where it travels, what an operation is.

Descriptions only; `api.py` fills them in, and reading a request against them is the handlers' work.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hatchway.core import errors
from hatchway.core.errors import HatchwayError

COMMON_ERRORS: tuple[type[HatchwayError], ...] = (
    errors.ValidationException,
    errors.PayloadTooLarge,
    errors.AccessDeniedException,
    errors.ThrottlingException,
    errors.InternalServerError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A string; lengths are characters, the pattern is anchored. `secret` never meets a log."""

    name: str
    most: int
    least: int = 1
    pattern: str = ""
    choices: tuple[str, ...] = ()
    secret: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """An integer."""

    name: str
    least: int
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """True or false."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Unix seconds, a JSON number."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Many:
    """A list."""

    name: str
    element: Type
    most: int
    least: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A map from strings."""

    name: str
    key: Text
    value: Type
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A structure."""

    name: str
    members: tuple[Member, ...]


Type = Text | Number | Flag | Moment | Many | Table | Record


class Place(StrEnum):
    """Where a member travels."""

    PATH = "path"
    QUERY = "query"
    BODY = "body"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member; `wire` is its name in the path or query where that is another."""

    name: str
    type: Type
    doc: str
    place: Place = Place.BODY
    wire: str = ""
    required: bool = False
    idempotency: bool = False

    @property
    def wire_name(self) -> str:
        return self.wire or self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method on one path. `action` and `resource` are the second layer's permission."""

    name: str
    method: str
    path: str
    doc: str
    action: str
    resource: str
    takes: tuple[Member, ...] = ()
    gives: tuple[Member, ...] = ()
    raises: tuple[type[HatchwayError], ...] = ()
    paginated: str = ""  # the member that holds a page's elements

    @property
    def errors(self) -> tuple[type[HatchwayError], ...]:
        """Its own errors, then those of every operation."""
        return self.raises + COMMON_ERRORS


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One JSON route of the stream API. `permission` is asked again with the owner's policies."""

    name: str
    doc: str
    gives: tuple[Member, ...] = ()
    permission: Operation | None = None
