"""Exit statuses: what each means, and how our own stay apart from those of a remote command."""

from __future__ import annotations

from collections.abc import Iterator

from hatchway.core.errors import Exit

#: What is added to a status of ours where 0 to 239 are the remote command's: beyond what programs
#: and signals (128 and up) use.
APART = 240

MEANING = {
    Exit.OK: "done",
    Exit.FAILURE: "the session was left, or ended without a status; access explain: not allowed",
    Exit.USAGE: "the command, the request or the configuration is wrong",
    Exit.DENIED: "not allowed, or no usable credentials",
    Exit.NOT_FOUND: "no such node or session",
    Exit.NOT_CONNECTED: "the node's agent is not connected",
    Exit.THROTTLED: "too many requests or sessions",
    Exit.CONNECTION_LOST: "the service cannot be reached, or the connection was lost for good",
    Exit.CONFLICT: "it changed meanwhile, or another client took over",
    Exit.INTERNAL: "the service or this program failed",
}
#: 70 + 240 is no exit status.
_INTERNAL_APART = 250


def apart(status: int) -> int:
    """Our own status as a verb reports it that otherwise reports the remote command's."""
    return _INTERNAL_APART if status == Exit.INTERNAL else APART + status


def table() -> str:
    """For people: both columns, and what comes from elsewhere."""
    return "\n".join(
        (
            "  exec and",
            "  start-session  others",
            *_rows(),
            "  128 + n        128 + n  ended by signal n; over there, or here",
            "  any other               the remote command's own",
        )
    )


def _rows() -> Iterator[str]:
    for status, meaning in MEANING.items():
        remote = "0" if status is Exit.OK else str(apart(status))
        yield f"  {remote:<13}  {int(status):<7}  {meaning}"
