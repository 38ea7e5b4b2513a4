"""Deployed functions that are told something else for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from local.deployment import STAGE
from local.stack import Stack

#: Seconds between looks whether a function has its new environment, and how many.
AGAIN, LOOKS = 1, 60

#: Variables that are to be other ones, made of those that are there.
Change = Callable[[Mapping[str, str]], Mapping[str, str]]


@contextmanager
def told(stack: Stack, family: str, change: Change) -> Iterator[None]:
    """The family's environment is what `change` makes of it; a new instance reads it."""
    functions = stack.emulator.client("lambda")
    name = f"hatchway-{STAGE}-{family}"
    before = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    _configure(functions, name, {**before, **change(before)})
    try:
        yield
    finally:
        _configure(functions, name, before)


@contextmanager
def dialling(stack: Stack, family: str, variable: str, port: int) -> Iterator[None]:
    """The URL in this variable of the family's environment leads to a port of this machine."""

    def elsewhere(before: Mapping[str, str]) -> Mapping[str, str]:
        url = urlsplit(before[variable])._replace(netloc=f"127.0.0.1:{port}")
        return {variable: urlunsplit(url)}

    with told(stack, family, elsewhere):
        yield


def _configure(functions: Any, name: str, variables: Mapping[str, str]) -> None:
    functions.update_function_configuration(
        FunctionName=name, Environment={"Variables": dict(variables)}
    )
    waiter = functions.get_waiter("function_updated_v2")
    waiter.wait(FunctionName=name, WaiterConfig={"Delay": AGAIN, "MaxAttempts": LOOKS})
