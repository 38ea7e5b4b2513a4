"""Wildcards and policy variables: text from a policy becomes tokens, tokens become a matcher.

Matching is greedy, segment by segment: the time grows with text times pattern, never beyond.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import TypeAlias

from hatchway.core.policy.model import ContextValue

HOLED_SEGMENTS_KEPT = 256  # compiled segments with `?`, most recent first

_VARIABLE = re.compile(r"\$\{([^{}]*)\}")


class Wild(Enum):
    ONE = "?"
    MANY = "*"


@dataclass(frozen=True, slots=True)
class Variable:
    """`${name}` or `${name, 'default'}`; `key` is the name as context keys are compared."""

    name: str
    key: str
    default: str | None = None


Token: TypeAlias = str | Wild | Variable
Tokens: TypeAlias = tuple[Token, ...]
Matcher: TypeAlias = Callable[[str], bool]
# The value of a context key by its lower-case name, None where it is absent.
Lookup: TypeAlias = Callable[[str], ContextValue | None]


def tokenize(text: str, *, variables: bool, wildcards: bool) -> Tokens:
    """The tokens of a policy string; what is no variable and no wildcard is literal text."""
    found: list[Token] = []
    end = 0
    for match in _VARIABLE.finditer(text) if variables else ():
        token = _variable(match[1])
        if token is not None:
            found += _plain(text[end : match.start()], wildcards)
            found.append(token)
            end = match.end()
    found += _plain(text[end:], wildcards)
    return _merged(found)


def resource_tokens(text: str, *, variables: bool) -> Tokens:
    """The tokens of a Resource: "You can't use a variable to replace parts of the ARN before the
    fifth colon" (IAM User Guide, policy variables), so it is literal text there."""
    parts = text.split(":", 5)
    if len(parts) < 6:
        return tokenize(text, variables=False, wildcards=True)
    head = tokenize(text[: -len(parts[5])] if parts[5] else text, variables=False, wildcards=True)
    return _merged((*head, *tokenize(parts[5], variables=variables, wildcards=True)))


def _variable(inner: str) -> str | Variable | None:
    if inner in ("*", "?", "$"):
        return inner
    name, comma, rest = inner.partition(",")
    name, rest = name.strip(), rest.strip()
    if not name or "'" in name:
        return None
    if not comma:
        return Variable(name, name.lower())
    if len(rest) < 2 or rest[0] != "'" or rest[-1] != "'" or "'" in rest[1:-1]:
        return None
    return Variable(name, name.lower(), rest[1:-1])


def _plain(text: str, wildcards: bool) -> list[Token]:
    if not wildcards:
        return [text]
    wild: dict[str, Token] = {"?": Wild.ONE, "*": Wild.MANY}
    return [wild.get(part, part) for part in re.split(r"([*?])", text)]


def _merged(tokens: Iterable[Token]) -> Tokens:
    """The same without empty literals, neighbouring literals and repeated `*`."""
    out: list[Token] = []
    for token in tokens:
        last = out[-1] if out else None
        if isinstance(token, str) and isinstance(last, str):
            out[-1] = last + token
        elif token != "" and not (token is Wild.MANY and last is Wild.MANY):
            out.append(token)
    return tuple(out)


def has_variables(tokens: Tokens) -> bool:
    return any(isinstance(token, Variable) for token in tokens)


def variables_of(tokens: Tokens) -> tuple[Variable, ...]:
    return tuple(token for token in tokens if isinstance(token, Variable))


def substituted(tokens: Tokens, lookup: Lookup) -> tuple[Tokens, bool] | None:
    """The tokens with values in place of variables, and whether one of them is unknown.

    A substituted value is literal text: wildcards in it mean themselves. An unknown value may be
    anything. None where a variable has neither value nor default: then nothing matches.
    """
    out: list[Token] = []
    unknown = False
    for token in tokens:
        if isinstance(token, Variable):
            value = lookup(token.key)
            if isinstance(value, str):
                out.append(value)
            elif value is not None:
                # Unknown, or several values, of which AWS says that they cannot be used.
                unknown = True
                out.append(Wild.MANY)
            elif token.default is not None:
                out.append(token.default)
            else:
                return None
        else:
            out.append(token)
    return _merged(out), unknown


def matches(tokens: Tokens, text: str, lookup: Lookup, *, fold: bool = False) -> bool | None:
    """Whether `text` fits tokens with variables; None when that hangs on an unknown value."""
    resolved = substituted(tokens, lookup)
    if resolved is None:
        return False
    concrete, unknown = resolved
    if fold:
        concrete = tuple(each.lower() if isinstance(each, str) else each for each in concrete)
        text = text.lower()
    fits = matcher(concrete)(text)
    return None if fits and unknown else fits


def matcher(tokens: Tokens) -> Matcher:
    """The test for tokens without variables."""
    if not tokens:
        return "".__eq__
    if len(tokens) == 1:
        first = tokens[0]
        if isinstance(first, str):
            return first.__eq__
        return _anything if first is Wild.MANY else _one
    if len(tokens) == 2 and isinstance(tokens[0], str) and tokens[1] is Wild.MANY:
        prefix = tokens[0]
        return lambda text: text.startswith(prefix)
    return _segmented(tokens)


def _anything(_text: str) -> bool:
    return True


def _one(text: str) -> bool:
    return len(text) == 1


class _Literal:
    """A segment between two `*` without `?` in it."""

    __slots__ = ("text", "width")

    def __init__(self, text: str) -> None:
        self.text = text
        self.width = len(text)

    def at(self, text: str, position: int) -> bool:
        return text.startswith(self.text, position)

    def find(self, text: str, position: int, end: int) -> int:
        return text.find(self.text, position, end)


class _Holed:
    """A segment with `?`: a regular expression without repetition, so it cannot backtrack."""

    __slots__ = ("_regex", "text", "width")

    def __init__(self, source: str, width: int) -> None:
        self._regex = _regex(source)
        self.text = source
        self.width = width

    def at(self, text: str, position: int) -> bool:
        return self._regex.match(text, position) is not None

    def find(self, text: str, position: int, end: int) -> int:
        found = self._regex.search(text, position, end)
        return found.start() if found else -1


@lru_cache(maxsize=HOLED_SEGMENTS_KEPT)
def _regex(source: str) -> re.Pattern[str]:
    return re.compile(source, re.DOTALL)


def _segment(tokens: list[Token]) -> _Literal | _Holed:
    parts = [token for token in tokens if isinstance(token, str)]
    if len(parts) == len(tokens):
        return _Literal("".join(parts))
    source = "".join(re.escape(token) if isinstance(token, str) else "." for token in tokens)
    width = sum(len(part) for part in parts) + len(tokens) - len(parts)
    return _Holed(source, width)


def _segmented(tokens: Tokens) -> Matcher:
    groups: list[list[Token]] = [[]]
    for token in tokens:
        if token is Wild.MANY:
            groups.append([])
        else:
            groups[-1].append(token)
    head, *middle = [_segment(group) for group in groups]
    if not middle:
        return lambda text: len(text) == head.width and head.at(text, 0)
    tail = middle.pop()
    if all(isinstance(segment, _Literal) for segment in (head, *middle, tail)):
        return _literally_between(head.text, tuple(each.text for each in middle), tail.text)
    return _between(head, tuple(middle), tail)


def _literally_between(head: str, middle: tuple[str, ...], tail: str) -> Matcher:
    """`_between` without `?`, at once: by far the most usual patterns."""
    after_head, tail_width, shortest = len(head), len(tail), len(head) + len(tail)

    def test(text: str) -> bool:
        if len(text) < shortest or not text.startswith(head) or not text.endswith(tail):
            return False
        position, end = after_head, len(text) - tail_width
        for segment in middle:
            position = text.find(segment, position, end)
            if position < 0:
                return False
            position += len(segment)
        return True

    return test


def _between(
    head: _Literal | _Holed, middle: tuple[_Literal | _Holed, ...], tail: _Literal | _Holed
) -> Matcher:
    """`head*middle*…*tail`. Taking the first place of each middle segment loses nothing: what
    fits after a later place fits after the first one too."""
    after_head, tail_width = head.width, tail.width
    shortest = after_head + tail_width

    def test(text: str) -> bool:
        end = len(text) - tail_width
        if end < shortest - tail_width or not head.at(text, 0) or not tail.at(text, end):
            return False
        position = after_head
        for segment in middle:
            found = segment.find(text, position, end)
            if found < 0:
                return False
            position = found + segment.width
        return True

    return test
