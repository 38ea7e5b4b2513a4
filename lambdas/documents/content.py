"""From the text of a document, JSON or YAML, to plain members: bounded, and nothing but data.

YAML's anchors, aliases and tags are refused: a few lines of them stand for gigabytes, or for types
that no document has.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import yaml

from hatchway.core.errors import InvalidDocumentContent, MaxDocumentSizeExceeded

#: Bytes of a document as it is written.
MAX_BYTES = 48 * 1024
MAX_DEPTH = 20
#: What YAML's reader makes of the text: keys, values, beginnings and ends.
MAX_TOKENS = 20_000

_OPENING = (
    yaml.BlockMappingStartToken,
    yaml.BlockSequenceStartToken,
    yaml.FlowMappingStartToken,
    yaml.FlowSequenceStartToken,
)
_CLOSING = (yaml.BlockEndToken, yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)
_REFUSED = (yaml.AliasToken, yaml.AnchorToken, yaml.TagToken, yaml.DirectiveToken)
_MERGE, _TIME = "tag:yaml.org,2002:merge", "tag:yaml.org,2002:timestamp"


def members(text: str, form: str) -> object:
    """The document's members, all of JSON's types; InvalidDocumentContent, which says where it
    stopped reading, or MaxDocumentSizeExceeded."""
    if len(text.encode()) > MAX_BYTES:
        raise MaxDocumentSizeExceeded(f"A document has at most {MAX_BYTES} bytes.")
    found = _yaml(text) if form == "YAML" else _json(text)
    if _depth(found) > MAX_DEPTH:
        raise InvalidDocumentContent(f"The document is nested deeper than {MAX_DEPTH}.")
    return found


def _json(text: str) -> object:
    try:
        found: object = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise InvalidDocumentContent(
            f"The document is not JSON: line {error.lineno}, column {error.colno}."
        ) from None
    except (ValueError, RecursionError):
        raise InvalidDocumentContent("The document is not JSON.") from None
    return found


def _once(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidDocumentContent(f"{twice[:64]} is there twice.")
    return found


def _no_constant(name: str) -> object:
    raise InvalidDocumentContent(f"{name} is not JSON.")


def _yaml(text: str) -> object:
    try:
        _scan(text)
        found: object = yaml.load(text, Loader=_Loader)  # noqa: S506  a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f": line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise InvalidDocumentContent(f"The document is not YAML{where}.") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise InvalidDocumentContent("The document is not YAML.") from None
    return found


def _scan(text: str) -> None:
    """Looks at the tokens before anything is made of them."""
    depth = 0
    for count, token in enumerate(yaml.scan(text, Loader=yaml.SafeLoader)):
        depth += isinstance(token, _OPENING)
        depth -= isinstance(token, _CLOSING)
        if isinstance(token, _REFUSED):
            line = token.start_mark.line + 1
            raise InvalidDocumentContent(
                f"Line {line}: anchors, aliases, tags and directives of YAML are not taken."
            )
        if depth > MAX_DEPTH or count > MAX_TOKENS:
            raise InvalidDocumentContent("The document is nested too deep, or has too many parts.")


class _Loader(yaml.SafeLoader):
    """Safe, without dates and merges, and with every name once."""

    yaml_implicit_resolvers = {  # noqa: RUF012  PyYAML's own class attribute
        first: [(tag, form) for tag, form in resolvers if tag not in (_MERGE, _TIME)]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        pairs = [(self.construct_object(k, deep=True), v) for k, v in node.value]
        for name, _ in pairs:
            if not isinstance(name, str):
                raise InvalidDocumentContent(
                    f"Line {node.start_mark.line + 1}: the name of a member is not a string."
                )
        return _once([(name, self.construct_object(value, deep=True)) for name, value in pairs])


def _construct(loader: _Loader, node: Any) -> Any:
    return loader.construct_mapping(node)


_Loader.add_constructor("tag:yaml.org,2002:map", _construct)


def _depth(value: object) -> int:
    """How deep it is nested, looked at a level at a time."""
    level: list[object] = [value]
    for depth in range(MAX_DEPTH + 1):
        inner = [each for each in level if isinstance(each, dict | list)]
        if not inner:
            return depth
        level = [one for each in inner for one in _elements(each)]
    return MAX_DEPTH + 1


def _elements(value: dict[str, object] | list[object]) -> Iterable[object]:
    return value.values() if isinstance(value, dict) else value
