"""How much each function loads when it starts: bounded, and without what it has no use for.

Counts, not times. A fresh interpreter imports the entry over a fake AWS, its init included.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from benchmarks import fake_aws
from benchmarks.imports import FAMILIES, Loaded, cold
from local.places import ROOT

#: Modules beyond the interpreter's own: what there are, and a tenth more for other versions.
MOST = {
    "relay": 153,
    "uplink": 155,
    "connect": 335,
    "agents": 390,
    "sessions": 575,
    "nodes": 385,
    "events": 300,
    "sweep": 365,
}
#: botocore's clients are made without boto3; the rest belongs to other programs.
NEVER = {"boto3", "pydantic", "websockets", "awscrt", "agent", "infra", "local"}
#: What every message passes starts with the least: Powertools alone takes 50 ms.
DATA_PATH = {"relay", "uplink", "connect"}
HEAVY = {"aws_lambda_powertools", "asyncio"}
#: Every message passes these two: the SDK alone takes a quarter of a second.
BARE = {"relay", "uplink"}
SDK = {"botocore", "urllib3", "jmespath", "dateutil"}


@pytest.fixture(scope="module")
def aws() -> Iterator[dict[str, str]]:
    base = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    with fake_aws.serving() as url:
        yield base | fake_aws.environ(url)


@pytest.mark.parametrize("family", FAMILIES)
def test_an_entry_loads_no_more_than_it_needs(aws: dict[str, str], family: str) -> None:
    loaded = cold(("entry", family), aws)
    packages = {name.partition(".")[0] for name in loaded.modules}
    assert not packages & NEVER
    assert family not in DATA_PATH or not packages & HEAVY
    assert family not in BARE or not packages & SDK
    assert len(loaded.modules) <= MOST[family]
    assert _others(loaded, family) == set()


def _others(loaded: Loaded, family: str) -> set[str]:
    """Other families' modules."""
    parts = {name.split(".")[1] for name in loaded.modules if name.startswith("lambdas.")}
    return parts & set(FAMILIES) - {family}
