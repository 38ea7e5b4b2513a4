"""Policy documents: from JSON text to compiled statements."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Policy:
    """A parsed policy document; `source` and `name` say where it hangs and what it is called."""

    source: str
    name: str


def parse(text: str, *, source: str = "", name: str = "") -> Policy:
    """The policy in `text`; PolicyError, which says where, when it is malformed."""
    raise NotImplementedError("being written")
