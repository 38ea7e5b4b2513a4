"""Regular expressions of documents, matched in time linear in the text.

Administrators write them and callers choose the text, so a backtracking matcher would let a caller
stop the service. This one keeps the set of states it may be in (Thompson's construction). It knows
literals, `.`, classes, `\\d \\w \\s` and their opposites (ASCII), groups, `|`, `* + ?`, `{m,n}`,
and `^` and `$` at the ends; anything else is refused when the document is written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

MAX_PATTERN = 512
MAX_STATES = 500
#: Parts visited while a machine is built: what is repeated may be empty, and make no state.
MAX_BUILT = 10_000
MAX_REPEAT = 255
MAX_DEPTH = 16

Test = Callable[[str], bool]
_SPECIAL = frozenset("\\^$.|?*+()[]{}")
_SPACES = frozenset(" \t\n\r\f\v")
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}


class BadPattern(ValueError):
    """The expression is not one of those served; the text says why."""


@dataclass(frozen=True, slots=True)
class _One:
    test: Test


@dataclass(frozen=True, slots=True)
class _All:
    parts: tuple[_Node, ...]


@dataclass(frozen=True, slots=True)
class _Any:
    choices: tuple[_Node, ...]


@dataclass(frozen=True, slots=True)
class _Repeat:
    part: _Node
    least: int
    most: int | None


_Node = _One | _All | _Any | _Repeat


@dataclass(frozen=True, slots=True)
class Pattern:
    """A checked expression; equal to another of the same text."""

    text: str

    def __post_init__(self) -> None:
        _machine(self.text)

    def matches(self, value: str) -> bool:
        """Whether the whole of `value` matches."""
        return _machine(self.text).matches(value)


@dataclass(frozen=True, slots=True)
class _Machine:
    """States by number: a test and its next state, or where it goes without a character."""

    tests: tuple[Test | None, ...]
    ways: tuple[tuple[int, ...], ...]
    start: int
    end: int

    def matches(self, value: str) -> bool:
        states = self._reached({self.start})
        for char in value:
            moved = {self.ways[s][0] for s in states if _passes(self.tests[s], char)}
            if not moved:
                return False
            states = self._reached(moved)
        return self.end in states

    def _reached(self, states: set[int]) -> set[int]:
        found, waiting = set(states), list(states)
        while waiting:
            state = waiting.pop()
            if self.tests[state] is None:
                new = set(self.ways[state]) - found
                found |= new
                waiting.extend(new)
        return found


def _passes(test: Test | None, char: str) -> bool:
    return test is not None and test(char)


def _machine(text: str) -> _Machine:
    if len(text) > MAX_PATTERN:
        raise BadPattern(f"it is longer than {MAX_PATTERN} characters")
    builder = _Builder()
    end = builder.state()
    start = builder.build(_Parser(text).parsed(), end)
    return _Machine(tuple(builder.tests), tuple(builder.ways), start, end)


class _Builder:
    """Makes states back to front: each node is built before the state that it leads to."""

    def __init__(self) -> None:
        self.tests: list[Test | None] = []
        self.ways: list[tuple[int, ...]] = []
        self._built = 0

    def state(self, test: Test | None = None, *ways: int) -> int:
        if len(self.tests) >= MAX_STATES:
            raise BadPattern("it stands for too many states; use smaller repeats")
        self.tests.append(test)
        self.ways.append(ways)
        return len(self.tests) - 1

    def build(self, node: _Node, then: int) -> int:
        self._built += 1
        if self._built > MAX_BUILT:
            raise BadPattern("it stands for too many states; use smaller repeats")
        if isinstance(node, _One):
            return self.state(node.test, then)
        if isinstance(node, _All):
            for part in reversed(node.parts):
                then = self.build(part, then)
            return then
        if isinstance(node, _Any):
            return self.state(None, *[self.build(choice, then) for choice in node.choices])
        return self._repeat(node, then)

    def _repeat(self, node: _Repeat, then: int) -> int:
        if node.most is None:
            loop = self.state(None, then)
            self.ways[loop] = (self.build(node.part, loop), then)
            then = loop
        else:
            end = then
            for _ in range(node.most - node.least):
                then = self.state(None, self.build(node.part, then), end)
        for _ in range(node.least):
            then = self.build(node.part, then)
        return then


class _Parser:
    def __init__(self, text: str) -> None:
        inner = text.removeprefix("^")
        if inner.endswith("$") and not _escaped_end(inner):
            inner = inner[:-1]
        self._text = inner
        self._at = 0
        self._depth = 0

    def parsed(self) -> _Node:
        node = self._choices()
        if self._at < len(self._text):
            raise BadPattern("there is a ) without (")
        return node

    def _peek(self) -> str:
        return self._text[self._at] if self._at < len(self._text) else ""

    def _take(self) -> str:
        char = self._peek()
        if not char:
            raise BadPattern("it ends too early")
        self._at += 1
        return char

    def _choices(self) -> _Node:
        choices = [self._sequence()]
        while self._peek() == "|":
            self._at += 1
            choices.append(self._sequence())
        return choices[0] if len(choices) == 1 else _Any(tuple(choices))

    def _sequence(self) -> _Node:
        parts: list[_Node] = []
        while self._peek() not in ("", "|", ")"):
            parts.append(self._repeated(self._atom()))
        return _All(tuple(parts))

    def _repeated(self, node: _Node) -> _Node:
        char = self._peek()
        if char not in ("*", "+", "?", "{"):
            return node
        self._at += 1
        least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(char) or self._counts()
        if self._peek() in ("*", "+", "?", "{"):
            raise BadPattern("a repeat cannot be repeated, nor be lazy")
        return _Repeat(node, least, most)

    def _counts(self) -> tuple[int, int | None]:
        inner, brace, _ = self._text[self._at :].partition("}")
        first, comma, second = inner.partition(",")
        self._at += len(inner) + 1
        if not brace or not _is_count(first) or (second and not _is_count(second)):
            raise BadPattern("a { stands for {m}, {m,} or {m,n}")
        least = int(first)
        most = least if not comma else int(second) if second else None
        if least > MAX_REPEAT or (most is not None and not least <= most <= MAX_REPEAT):
            raise BadPattern(f"a repeat is up to {MAX_REPEAT}, the smaller number first")
        return least, most

    def _atom(self) -> _Node:
        char = self._take()
        if char == "(":
            return self._group()
        if char == "[":
            return _One(self._class())
        if char == ".":
            return _One(lambda c: c != "\n")
        if char == "\\":
            return _One(self._escape())
        if char in _SPECIAL:
            raise BadPattern(f"{char} is not served at this place")
        return _One(char.__eq__)

    def _group(self) -> _Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise BadPattern("groups are nested too deep")
        if self._peek() == "?":
            if self._text[self._at : self._at + 2] != "?:":
                raise BadPattern("of the (? forms only (?: is served")
            self._at += 2
        node = self._choices()
        if self._peek() != ")":
            raise BadPattern("there is a ( without )")
        self._at += 1
        self._depth -= 1
        return node

    def _escape(self) -> Test:
        char = self._take()
        if char.lower() in _KINDS:
            kind = _KINDS[char.lower()]
            return kind if char.islower() else lambda c: not kind(c)
        if char.isalnum() and char not in _CONTROLS:
            raise BadPattern(f"\\{char} is not served")
        return _CONTROLS.get(char, char).__eq__

    def _class(self) -> Test:
        negated = self._peek() == "^"
        self._at += negated
        tests: list[Test] = []
        while not tests or self._peek() != "]":
            tests.append(self._range())
        self._at += 1
        if negated:
            return lambda c: not any(test(c) for test in tests)
        return lambda c: any(test(c) for test in tests)

    def _range(self) -> Test:
        char = self._take()
        if char == "[":
            raise BadPattern("a [ in a class is written \\[")
        if char == "\\":
            if self._peek().lower() in _KINDS:
                return self._escape()
            char = _literal(self._take())
        if self._peek() != "-" or self._text[self._at + 1 : self._at + 2] in ("]", ""):
            return char.__eq__
        self._at += 1
        last = self._take()
        last = _literal(self._take()) if last == "\\" else last
        if last < char:
            raise BadPattern("a range in a class goes upwards")
        return lambda c: char <= c <= last


def _literal(char: str) -> str:
    if char.isalnum() and char not in _CONTROLS:
        raise BadPattern(f"\\{char} is not served")
    return _CONTROLS.get(char, char)


def _escaped_end(text: str) -> bool:
    """Whether the last character has an odd number of backslashes before it."""
    before = text[:-1]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 3


def _word(char: str) -> bool:
    return char == "_" or (char.isascii() and char.isalnum())


_KINDS: dict[str, Test] = {
    "d": lambda c: "0" <= c <= "9",
    "w": _word,
    "s": _SPACES.__contains__,
}
