"""What a function finds in its environment: checked once at init, a missing name said out loud."""

from __future__ import annotations

from collections.abc import Mapping

from hatchway.core.errors import HatchwayError
from hatchway.core.names import stage_name


class EnvironmentIncomplete(HatchwayError):
    """A variable that the function needs is not set."""

    code = "EnvironmentIncomplete"


def required(environ: Mapping[str, str], name: str) -> str:
    """The variable's value; EnvironmentIncomplete where it is unset or empty."""
    value = environ.get(name, "")
    if not value:
        raise EnvironmentIncomplete(f"The environment has no {name}.")
    return value


def stage(environ: Mapping[str, str]) -> str:
    """STAGE, which stands in every topic and client id."""
    return stage_name(required(environ, "STAGE"))


def flag(environ: Mapping[str, str], name: str) -> bool:
    """False where it is unset; EnvironmentIncomplete for what is neither true nor false."""
    value = environ.get(name, "") or "false"
    if value not in ("true", "false"):
        raise EnvironmentIncomplete(f"{name} is neither true nor false.")
    return value == "true"
