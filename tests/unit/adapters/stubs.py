"""Clients that answer what a test says, and errors as AWS sends them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

Answer = dict[str, Any] | Exception


def refused(code: str, status: int = 400, **more: Any) -> ClientError:
    """An error answer; its text must never reach a peer."""
    answer: Any = {
        "Error": {"Code": code, "Message": "secret text of AWS"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(answer | more, "Operation")


class Scripted:
    """A client whose every call takes the next answer; `calls` are (method, arguments)."""

    def __init__(self, *answers: Answer) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self._answers = list(answers)

    def __getattr__(self, method: str) -> Callable[..., dict[str, Any]]:
        def call(**arguments: Any) -> dict[str, Any]:
            self.calls.append((method, arguments))
            answer = self._answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call
