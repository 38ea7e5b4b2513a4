"""Reading a call against the description of its operation: types, limits, unknown members.

What `hatchway/core/api.py` does not describe is refused here, so no route checks it again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hatchway.core.errors import ValidationException
from hatchway.core.shapes import Flag, Many, Member, Number, Operation, Place, Table, Text, Type
from lambdas.edge import Call, json_object, unescape

Value = str | int | bool | tuple[str, ...] | Mapping[str, tuple[str, ...]]

# NUL, halves of surrogate pairs, and what a decoder leaves in place of bytes that are not UTF-8.
_ODD = re.compile("[\x00\ud800-\udfff\ufffd]")
_INTEGER = re.compile(r"[0-9]{1,9}\Z", re.ASCII)
_CHARSET = re.compile(r"charset\s*=\s*\"?([^\s\";]+)", re.IGNORECASE)
_MAX_QUOTED = 64


@dataclass(frozen=True, slots=True)
class Request:
    """The checked members of a call, by their names."""

    values: Mapping[str, Value]
    api: str = ""  # of the API that it came by

    def text(self, name: str) -> str:
        """A string, "" where it is absent."""
        value = self.values.get(name, "")
        return value if isinstance(value, str) else ""

    def number(self, name: str, default: int) -> int:
        value = self.values.get(name, default)
        return value if isinstance(value, int) else default

    def flag(self, name: str) -> bool:
        """False where it is absent."""
        return self.values.get(name) is True

    def texts(self, name: str) -> tuple[str, ...]:
        value = self.values.get(name, ())
        return value if isinstance(value, tuple) else ()

    def table(self, name: str) -> Mapping[str, tuple[str, ...]]:
        value = self.values.get(name, {})
        return value if isinstance(value, Mapping) else {}


def read(operation: Operation, call: Call, *, decoded: bool = False) -> Request:
    """The members of `call`; ValidationException for anything that `operation` does not take.
    `decoded` says that the gateway resolves a path's escapes."""
    _check_encoding(call)
    members = {place: _at(operation, place) for place in Place}
    path = {m.name: _path_value(m, call, decoded) for m in members[Place.PATH].values()}
    query = _query_values(members[Place.QUERY], call.query)
    body = _body_values(members[Place.BODY], path, json_object(call.body))
    values: dict[str, Value] = {**path, **query, **body}
    for member in operation.takes:
        if member.required and member.name not in values:
            raise ValidationException(f"{member.name} is missing.")
    return Request(values, call.api)


def of_members(operation: Operation, members: Mapping[str, object], api: str) -> Request:
    """The same where all members come by their names in one JSON object, as in a frame."""
    known = {member.name: member for member in operation.takes}
    values: dict[str, Value] = {}
    for name, given in members.items():
        if name not in known:
            raise ValidationException(f"There is no member {name[:_MAX_QUOTED]!a}.")
        values[name] = _value(known[name], known[name].type, given)
    for member in operation.takes:
        if member.required and member.name not in values:
            raise ValidationException(f"{member.name} is missing.")
    return Request(values, api)


def _at(operation: Operation, place: Place) -> dict[str, Member]:
    return {m.wire_name: m for m in operation.takes if m.place is place}


def _check_encoding(call: Call) -> None:
    if call.header("content-encoding").lower() not in ("", "identity"):
        raise ValidationException("The body is compressed.")
    charset = _CHARSET.search(call.header("content-type"))
    if charset and charset[1].lower() not in ("utf-8", "utf8", "us-ascii"):
        raise ValidationException("The body is not UTF-8.")


def _path_value(member: Member, call: Call, decoded: bool) -> str:
    given = unescape(call.path.get(member.wire_name, ""), decoded=decoded)
    return _text(member, member.type, given)


def _query_values(
    members: Mapping[str, Member], query: Mapping[str, Sequence[str]]
) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for name, given in query.items():
        if name not in members:
            raise ValidationException(f"There is no query parameter {name[:_MAX_QUOTED]!a}.")
        values[members[name].name] = _query_value(members[name], given)
    return values


def _query_value(member: Member, given: Sequence[str]) -> Value:
    if isinstance(member.type, Many):
        return _list(member, member.type, list(given))
    if len(given) != 1:
        raise ValidationException(f"{member.name} is there more than once.")
    if isinstance(member.type, Number):
        return _number(member, member.type, given[0])
    return _text(member, member.type, given[0])


def _body_values(
    members: Mapping[str, Member], path: Mapping[str, str], body: Mapping[str, object]
) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for name, given in body.items():
        if name in path:
            if given != path[name]:
                raise ValidationException(f"{name} in the body contradicts the path.")
        elif name in members:
            values[name] = _value(members[name], members[name].type, given)
        else:
            raise ValidationException(f"There is no member {name[:_MAX_QUOTED]!a}.")
    return values


def _value(member: Member, kind: Type, given: object) -> Value:
    if isinstance(kind, Flag):
        return _flag(member, given)
    if isinstance(kind, Table):
        return _table(member, kind, given)
    if isinstance(kind, Many):
        return _list(member, kind, given)
    if isinstance(kind, Number):
        whole = isinstance(given, int) and not isinstance(given, bool)
        return _number(member, kind, str(given) if whole else "")
    return _text(member, kind, given)


def _text(member: Member, kind: Type, given: object) -> str:
    if not isinstance(kind, Text):
        raise TypeError(f"{member.name} is described as something that no request carries")
    if not isinstance(given, str) or not kind.least <= len(given) <= kind.most:
        raise ValidationException(
            f"{member.name} is a text of {kind.least} to {kind.most} characters."
        )
    if _ODD.search(given):
        raise ValidationException(f"{member.name} holds what is not text.")
    if kind.choices and given not in kind.choices:
        raise ValidationException(f"{member.name} is one of {', '.join(kind.choices)}.")
    if kind.pattern and not re.fullmatch(kind.pattern, given, re.ASCII):
        raise ValidationException(f"{member.name} does not match {kind.pattern}.")
    return given


def _flag(member: Member, given: object) -> bool:
    if not isinstance(given, bool):
        raise ValidationException(f"{member.name} is true or false.")
    return given


def _number(member: Member, kind: Number, given: str) -> int:
    if not _INTEGER.match(given) or not kind.least <= int(given) <= kind.most:
        raise ValidationException(f"{member.name} is a number from {kind.least} to {kind.most}.")
    return int(given)


def _list(member: Member, kind: Many, given: object) -> tuple[str, ...]:
    if not isinstance(given, list) or not kind.least <= len(given) <= kind.most:
        raise ValidationException(f"{member.name} is a list of at most {kind.most} texts.")
    return tuple(_text(member, kind.element, one) for one in given)


def _table(member: Member, kind: Table, given: object) -> Mapping[str, tuple[str, ...]]:
    if not isinstance(given, dict) or len(given) > kind.most:
        raise ValidationException(f"{member.name} is a map of at most {kind.most} entries.")
    if not isinstance(kind.value, Many):
        raise TypeError(f"{member.name} is described as something that no request carries")
    return {
        _text(member, kind.key, key): _list(member, kind.value, value)
        for key, value in given.items()
    }
