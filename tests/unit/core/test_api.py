"""The description of the people API agrees with the names, errors and limits it describes."""

from __future__ import annotations

import re

import pytest

from hatchway.core import api, names
from hatchway.core.errors import HatchwayError, by_code
from hatchway.core.lifecycle import Status
from hatchway.core.shapes import Many, Member, Place, Record, Table, Text, Type


def texts(kind: Type) -> list[Text]:
    match kind:
        case Text():
            return [kind]
        case Many():
            return texts(kind.element)
        case Table():
            return texts(kind.key) + texts(kind.value)
        case Record():
            return [t for m in kind.members for t in texts(m.type)]
    return []


def all_members() -> list[Member]:
    return [m for o in api.OPERATIONS for m in (*o.takes, *o.gives)]


def test_operations_and_paths_are_each_there_once() -> None:
    assert len({o.name for o in api.OPERATIONS}) == len(api.OPERATIONS)
    assert len({(o.method, o.path) for o in api.OPERATIONS}) == len(api.OPERATIONS)


def test_every_part_of_a_path_is_a_required_member() -> None:
    for operation in api.OPERATIONS:
        in_path = {m.wire_name for m in operation.takes if m.place is Place.PATH and m.required}
        assert in_path == set(re.findall(r"\{(\w+)\}", operation.path))


def test_a_type_of_one_name_is_one_type() -> None:
    found: dict[str, Text] = {}
    for text in (t for m in all_members() for t in texts(m.type)):
        assert found.setdefault(text.name, text) == text


def test_requests_without_a_body_take_none() -> None:
    for operation in api.OPERATIONS:
        if operation.method in ("GET", "DELETE"):
            assert all(m.place is not Place.BODY for m in operation.takes)


def test_every_error_is_one_that_a_client_knows_by_its_code() -> None:
    for operation in api.OPERATIONS:
        for kind in operation.errors:
            assert issubclass(kind, HatchwayError)
            assert by_code(kind.code).code == kind.code


@pytest.mark.parametrize("session", ["a+b=c,d.e@f-0123456789abcdef0", "n" * 64 + "-" + "0" * 17])
def test_what_is_a_session_id_by_name_is_one_by_description(session: str) -> None:
    assert names.session_id(session) == session
    assert re.fullmatch(api.SESSION_ID.pattern, session)
    assert len(session) <= api.SESSION_ID.most


@pytest.mark.parametrize("node", ["i-01234567", "i-0123456789abcdef0", "mi-0123456789abcdef0"])
def test_what_is_a_node_by_name_is_one_by_description(node: str) -> None:
    assert re.fullmatch(api.NODE_ID.pattern, node)
    assert api.NODE_ID.least <= len(node) <= api.NODE_ID.most


def test_the_states_are_those_of_the_lifecycle() -> None:
    assert set(api.STATUS.choices) == {status.value for status in Status}
