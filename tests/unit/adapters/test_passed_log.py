"""Reading what passed: CloudWatch Logs may answer with an empty page and have more behind it."""

from __future__ import annotations

from typing import Any

from lambdas.adapters.archive import LogPassed


class Logs:
    """A stream whose pages are scripted: (events, the token that is given with them)."""

    def __init__(self, pages: dict[str, tuple[list[int], str]]) -> None:
        self.pages = pages

    def get_log_events(self, **asked: Any) -> dict[str, Any]:
        events, token = self.pages[asked.get("nextToken", "")]
        found = [{"timestamp": at, "message": str(at)} for at in events]
        return {"events": found, "nextForwardToken": token}


def read(pages: dict[str, tuple[list[int], str]]) -> list[int]:
    client: Any = Logs(pages)
    log, found, token = LogPassed("group", client), list[int](), ""
    for _ in range(len(pages) + 1):
        page = log.read("john-0123456789abcdef0", 0, token)
        found += [at for at, _ in page.events]
        if not (token := page.next_token):
            return found
    raise AssertionError("the log has no end")


def test_what_stands_behind_an_empty_page_is_read() -> None:
    assert read(
        {"": ([], "a"), "a": ([1, 2], "b"), "b": ([], "c"), "c": ([3], "d"), "d": ([], "d")}
    ) == [
        1,
        2,
        3,
    ]


def test_the_same_token_again_is_the_end() -> None:
    assert read({"": ([1], "a"), "a": ([], "a")}) == [1]
    assert read({"": ([], "a"), "a": ([], "a")}) == []
