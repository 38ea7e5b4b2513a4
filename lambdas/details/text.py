"""Words for people: summaries that are read on a phone, with other people's words in them."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["moment", "plain", "quoted", "who"]

_QUOTES = str.maketrans("“”", "''")
#: Rules of one's own may put the summary between quotes, in JSON, as it is.
_OF_JSON = str.maketrans('"\\', "'/")


def plain(summary: str) -> str:
    """The summary as any template of EventBridge takes it: no quotes, backslashes and controls.

    People, nodes and tags have their words in it. What is not printable (line ends, marks that
    turn the direction of writing, halves of characters) becomes a space.
    """
    summary = summary.translate(_OF_JSON)
    return "".join(each if each.isprintable() else " " for each in summary)


def quoted(words: str) -> str:
    """Somebody's own words in quotes, which they cannot close."""
    return f"“{words.translate(_QUOTES)}”"


def who(arn: str) -> str:
    """The name a person knows: `john` of a user's ARN, `ops/alice` of a role session's."""
    kind, _, name = arn.rpartition(":")[2].partition("/")
    return name if kind == "assumed-role" else name.rpartition("/")[2] or arn


def moment(time: float) -> str:
    return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%d %H:%M:%S} UTC"
