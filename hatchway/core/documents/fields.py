"""Reading untyped members one by one; every refusal names the path of the offending field."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from hatchway.core.documents.patterns import BadPattern, Pattern
from hatchway.core.errors import InvalidDocumentContent

# What no text of a document may hold: controls other than tab and newline, and halves of
# surrogate pairs.
_ODD = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_WHOLE = re.compile(r"(?:0|[1-9][0-9]{0,18})\Z")


class Fields:
    """The members of one object. `strict` refuses those that nobody asked for; a resolved document
    is read without, so that an older agent reads a newer service's."""

    def __init__(self, value: object, path: str = "", *, strict: bool = True) -> None:
        self.path = path
        self._strict = strict
        if not isinstance(value, Mapping):
            raise self._bad("", "is not an object")
        if not all(isinstance(name, str) for name in value):
            raise self._bad("", "has a member whose name is not a string")
        self._value: Mapping[str, object] = value
        self._seen: set[str] = set()

    def __iter__(self) -> Iterator[str]:
        return iter(self._value)

    def has(self, name: str) -> bool:
        return self._value.get(name) is not None

    def fail(self, name: str, why: str) -> InvalidDocumentContent:
        """The error to raise for a member whose value contradicts another's."""
        return self._bad(name, why)

    def raw(self, name: str) -> object:
        self._seen.add(name)
        return self._value.get(name)

    def within(self, name: str) -> Fields:
        """The members of an object; one without any where it is missing."""
        value = self.raw(name)
        return Fields({} if value is None else value, self._at(name), strict=self._strict)

    def text(
        self, name: str, default: str = "", *, most: int = 2048, form: re.Pattern[str] | None = None
    ) -> str:
        """A string; `form` must match it unless it is empty."""
        value = self.raw(name)
        if value is None:
            return default
        return self._checked(name, value, most, form)

    def choice(self, name: str, choices: tuple[str, ...], default: str = "") -> str:
        value = self.text(name, default)
        if value not in choices:
            raise self._bad(name, f"is not one of {', '.join(choices)}")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """true or false; their names as strings are taken too, as the original's documents say."""
        value = self.raw(name)
        if value is None:
            return default
        found = {True: True, False: False, "true": True, "false": False}
        if not isinstance(value, bool | str) or value not in found:
            raise self._bad(name, "is not true or false")
        return found[value]

    def number(self, name: str, least: int, most: int, default: int) -> int:
        """A whole number, as such or as a string of digits; "" stands for the default."""
        value = self.raw(name)
        if value is None or value == "":
            return default
        number = int(value) if isinstance(value, str) and _WHOLE.match(value) else value
        if isinstance(number, bool) or not isinstance(number, int) or not least <= number <= most:
            raise self._bad(name, f"is not a number from {least} to {most}")
        return number

    def texts(self, name: str, *, most: int, length: int) -> tuple[str, ...]:
        """A list of at most `most` strings."""
        value = self.raw(name)
        if value is None:
            return ()
        if not isinstance(value, list | tuple) or len(value) > most:
            raise self._bad(name, f"is not a list of at most {most}")
        return tuple(self._checked(f"{name}[{at}]", each, length) for at, each in enumerate(value))

    def objects(self, name: str, *, most: int) -> list[Fields]:
        """A list of at most `most` objects."""
        value = self.raw(name)
        if not isinstance(value, list | tuple) or len(value) > most:
            raise self._bad(name, f"is not a list of at most {most}")
        path = self._at(name)
        return [Fields(each, f"{path}[{at}]", strict=self._strict) for at, each in enumerate(value)]

    def table(
        self, name: str, key: re.Pattern[str], *, most: int, length: int
    ) -> Mapping[str, str]:
        """A map of at most `most` strings, whose names match `key`."""
        found = self.within(name)
        names = list(found)
        if len(names) > most:
            raise self._bad(name, f"has more than {most} members")
        for each in names:
            if not key.fullmatch(each):
                raise found.fail(each[:64], "is not a name that can stand here")
        return MappingProxyType({each: found.text(each, most=length) for each in names})

    def pattern(self, name: str) -> Pattern | None:
        """A regular expression that is matched in bounded time; None for none or an empty one."""
        text = self.text(name)
        return self.compiled(name, text) if text else None

    def compiled(self, name: str, text: str) -> Pattern:
        try:
            return Pattern(text)
        except BadPattern as why:
            raise self._bad(name, f"is not an expression that is served: {why}") from None

    def close(self) -> None:
        """Refuses what nobody asked for."""
        if self._strict:
            for name in self._value:
                if name not in self._seen:
                    raise self._bad(name[:64], "is not a field of this schema")

    def _checked(
        self, name: str, value: object, most: int, form: re.Pattern[str] | None = None
    ) -> str:
        if not isinstance(value, str):
            raise self._bad(name, "is not a string")
        if len(value) > most:
            raise self._bad(name, f"is longer than {most} characters")
        if _ODD.search(value):
            raise self._bad(name, "has a control character")
        if value and form is not None and not form.fullmatch(value):
            raise self._bad(name, "is malformed")
        return value

    def _at(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path and name else self.path or name

    def _bad(self, name: str, why: str) -> InvalidDocumentContent:
        return InvalidDocumentContent(f"{self._at(name) or 'The document'} {why}.")
