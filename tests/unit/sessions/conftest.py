from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from lambdas.sessions.telemetry import SERVICE
from tests.unit.sessions.world import World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def first_logger() -> Iterator[None]:
    """Powertools sets a logger up once per process, on the standard output of that moment."""
    logging.Logger.manager.loggerDict.pop(SERVICE, None)
    yield
    logging.Logger.manager.loggerDict.pop(SERVICE, None)
