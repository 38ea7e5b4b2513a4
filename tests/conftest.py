"""The deployed stacks for tests marked `stack`, and what some tests need of the machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from local import emulator
from local import stack as local_stack
from local.environment import scrub
from local.places import Places, places
from local.progress import Progress
from local.stack import Stack

# Wall time is never asserted: a busy machine must not fail a property. `make check` looks at a few
# new examples each time; `make test` and CI at many, the same ones for the same code.
settings.register_profile("quick", deadline=None, max_examples=20)
settings.register_profile(
    "ci", deadline=None, max_examples=200, derandomize=True, database=None, print_blob=True
)
settings.load_profile("ci" if os.environ.get("CI") else "quick")

#: Tests that share what is dear to make stay in one worker: the synthesised stacks are one group,
#: these files are each their own.
TOGETHER = Path(__file__).parent / "infra"
APART = frozenset({"test_checks", "test_packaging"})

#: Tests have an embedded AWS of their own, beside the one of `make up`, unless told otherwise.
TEST_DIRECTORY = ".local/test"


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Quick tests first; what this machine cannot run is skipped, with the reason."""
    items.sort(key=lambda item: item.get_closest_marker("stack") is not None)
    missing = _missing_for_root()
    for item in items:
        if TOGETHER in item.path.parents:
            name = item.path.stem if item.path.stem in APART else "stacks"
            item.add_marker(pytest.mark.xdist_group(name))
        if missing and item.get_closest_marker("root"):
            item.add_marker(pytest.mark.skip(reason=missing))


def _missing_for_root() -> str:
    """Why tests that change the machine's network cannot run here, or ""."""
    if os.geteuid() != 0:
        return "needs root"
    if shutil.which("ip") is None:
        return "needs the command ip (package iproute2)"
    name = f"hatchway-try-{os.getpid()}"
    if subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False).returncode:
        return "may not make network namespaces"
    subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)
    return ""


@pytest.fixture(scope="session")
def local_places() -> Places:
    return places({"HATCHWAY_LOCAL_DIR": TEST_DIRECTORY} | dict(os.environ))


@pytest.fixture(scope="session")
def stack(local_places: Places) -> Iterator[Stack]:
    """The embedded AWS with the stacks and the demo, its node online.

    What was already running when the tests began goes on running when they end.
    """
    before = dict(os.environ)
    ours = emulator.running(local_places) is None
    scrub(local_places)
    # The deployed functions and agents are timed and weighed: their coverage is not measured.
    os.environ.pop("COVERAGE_PROCESS_CONFIG", None)
    try:
        yield local_stack.up(local_places, dict(os.environ), Progress(sys.__stderr__ or sys.stderr))
    finally:
        if ours:
            local_stack.down(local_places)
        os.environ.clear()
        os.environ.update(before)
