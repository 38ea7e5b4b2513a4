"""Deployed functions that are told something else for a while."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from local.deployment import STAGE
from local.stack import Stack

#: Seconds between looks whether a function has its new environment, and how many.
AGAIN, LOOKS = 1, 60


@contextmanager
def dialling(stack: Stack, family: str, variable: str, port: int) -> Iterator[None]:
    """The URL in this variable of the family's environment leads to a port of this machine."""
    functions = stack.emulator.client("lambda")
    name = f"hatchway-{STAGE}-{family}"
    before = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    url = urlsplit(before[variable])._replace(netloc=f"127.0.0.1:{port}")
    _configure(functions, name, {**before, variable: urlunsplit(url)})
    try:
        yield
    finally:
        _configure(functions, name, before)


def _configure(functions: Any, name: str, variables: Mapping[str, str]) -> None:
    functions.update_function_configuration(
        FunctionName=name, Environment={"Variables": dict(variables)}
    )
    waiter = functions.get_waiter("function_updated_v2")
    waiter.wait(FunctionName=name, WaiterConfig={"Delay": AGAIN, "MaxAttempts": LOOKS})
