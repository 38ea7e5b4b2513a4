"""`{{ name }}` in commands: where it may stand, which values it takes, and how they are quoted.

A value becomes one quoted word of the shell, whatever it holds. That is safe only where the shell
reads a word and knows quotes: a placeholder in quotes, a here-document, a comment, an expansion or
backquotes is refused when the document is written, and so is text in which a simple reader and the
shell could differ about where quotes end.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from hatchway.core.documents.model import Parameter, ParameterType, Platform

_PLACEHOLDER = re.compile(r"\{\{[ \t]*(?P<name>[A-Za-z0-9_]+|ssm(?:-secure)?:[^{}]*?)[ \t]*\}\}")
#: What may come directly before a placeholder: never `$`, `\`, `@`, a backquote or a quote, which
#: would change what the quote that follows means.
_BEFORE = re.compile(r"[A-Za-z0-9_=:/,.+\-(;|&<>\s]")
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_ODD = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_POSIX_NAME = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
# PowerShell takes typographic quotes for plain ones.
_SINGLE = "'\u2018\u2019\u201a\u201b"
_DOUBLE = '"\u201c\u201d\u201e'
_DASHES = "-\u2013\u2014\u2015"
MAX_VALUE = 4096
MAX_VALUES = 50


def refusal(parameter: Parameter, values: Sequence[str]) -> str:
    """Why the parameter does not take these values, "" where it does. Values are not quoted in it:
    they may be secret."""
    if parameter.type is not ParameterType.STRING_LIST and len(values) != 1:
        return "takes one value"
    if len(values) > MAX_VALUES:
        return f"takes {MAX_VALUES} values at most"
    for value in values:
        why = _refused(parameter, value)
        if why:
            return why
    return ""


def _refused(parameter: Parameter, value: str) -> str:
    if _ODD.search(value):
        return "has a control character"
    if not parameter.min_chars <= len(value) <= min(parameter.max_chars, MAX_VALUE):
        return f"takes {parameter.min_chars} to {parameter.max_chars} characters"
    if parameter.type is ParameterType.INTEGER and not _INTEGER.fullmatch(value):
        return "takes a whole number"
    if parameter.type is ParameterType.BOOLEAN and value not in ("true", "false"):
        return "takes true or false"
    if parameter.allowed_values and value not in parameter.allowed_values:
        return "is not one of the allowed values"
    if parameter.allowed_pattern and not parameter.allowed_pattern.matches(value):
        return f"does not match {parameter.allowed_pattern.text}"
    return ""


def filled(text: str, platform: Platform, values: Mapping[str, Sequence[str]]) -> str:
    """The text with each placeholder replaced by its values, each a quoted word."""
    return _PLACEHOLDER.sub(lambda m: _words(platform, values[m["name"]]), text)


def raw(text: str, values: Mapping[str, Sequence[str]]) -> str:
    """The same without quotes: for the documents whose parameter is the command itself."""
    return _PLACEHOLDER.sub(lambda m: values[m["name"]][0], text)


def _words(platform: Platform, values: Sequence[str]) -> str:
    quote = _powershell if platform is Platform.WINDOWS else _posix
    return (", " if platform is Platform.WINDOWS else " ").join(quote(each) for each in values)


def _posix(value: str) -> str:
    """As shlex.quote, but always in quotes: next to other text a bare word could be a keyword."""
    return "'" + value.replace("'", "'\"'\"'") + "'"


def _powershell(value: str) -> str:
    return "'" + "".join(char * 2 if char in _SINGLE else char for char in value) + "'"


def misplaced(text: str, platform: Platform, parameters: Mapping[str, Parameter]) -> str:
    """Why the placeholders of a command cannot be filled in safely, "" where they can."""
    found = list(_PLACEHOLDER.finditer(text))
    for match in found:
        name = match["name"]
        if name.startswith("ssm") and ":" in name:
            return "refers to Parameter Store, which is not served yet"
        if name not in parameters:
            return f"has a placeholder of {name[:64]}, which is not a parameter"
        if match.start() and not _BEFORE.match(text[match.start() - 1]):
            return f"has the placeholder of {name} directly after {text[match.start() - 1]!r}"
    if not found:
        return ""
    # In place of each stands a character that means nothing, and that no document may hold.
    marked = _PLACEHOLDER.sub("\x01", text)
    return _powershell_trouble(marked) if platform is Platform.WINDOWS else _posix_trouble(marked)


def _posix_trouble(text: str) -> str:
    """Reads like a POSIX shell as far as quotes go, and refuses what it cannot follow."""
    at, quote = 0, ""
    while at < len(text):
        char, rest = text[at], text[at:]
        if quote:
            if char == "\x01":
                return _IN_QUOTES
            if quote == '"' and _expansion(rest):
                return _EXPANSION
            quote = "" if char == quote else quote
            at += 2 if quote == '"' and char == "\\" else 1
            continue
        if char in "'\"":
            quote = char
        elif _unreadable(rest, text[at - 1] if at else "\n"):
            return _UNREADABLE
        at += 2 if char == "\\" else 1
    return "has a quote that is not closed" if quote else ""


def _expansion(rest: str) -> bool:
    """Whether `rest`, in double quotes, begins with more than a plain variable."""
    if rest.startswith("${"):
        return not _POSIX_NAME.match(rest)
    return rest.startswith(("`", "$(", "$["))


def _unreadable(rest: str, before: str) -> bool:
    if rest.startswith(("`", "((", "<<", "$((", "$[", "$'", '$"')):
        return True
    if rest.startswith("${") and not _POSIX_NAME.match(rest):
        return True
    return rest[0] == "#" and before in " \t\n;|&()<>"


def _powershell_trouble(text: str) -> str:
    at, quote = 0, ""
    while at < len(text):
        char, rest = text[at], text[at:]
        if quote:
            if char == "\x01":
                return _IN_QUOTES
            if quote == _DOUBLE and rest.startswith(("$(", "`")):
                return _EXPANSION
            quote = "" if char in quote else quote  # a doubled quote ends it and begins it again
        elif char in _SINGLE + _DOUBLE:
            quote = _SINGLE if char in _SINGLE else _DOUBLE
            if at and text[at - 1] == "@":
                return _UNREADABLE
        elif char == "\x01" and text[at + 1 : at + 2] in (*_SINGLE, *_DOUBLE):
            return _IN_QUOTES
        elif char in "`#" or (char in _DASHES and rest[1:3] == "-%"):
            return _UNREADABLE
        at += 1
    return "has a quote that is not closed" if quote else ""


_IN_QUOTES = "has a placeholder in quotes; leave them out, each value is quoted as one word"
_EXPANSION = "has an expansion in double quotes besides placeholders; use a script file instead"
_UNREADABLE = (
    "has a comment, here-document, backquote or arithmetic besides placeholders; "
    "use a script file instead"
)
