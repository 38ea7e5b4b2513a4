"""The dashboard: every metric on it is one that something writes, of this deployment alone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.places import ROOT
from tests.infra.conftest import FAMILIES, Synth
from tests.infra.templates import Stacks, text

#: What writes Hatchway's own metrics: the service as it stands in their dimension, and the code.
WRITERS = {
    "sessions": "lambdas/sessions/telemetry.py",
    "hatchway-audit": "lambdas/audit/entry.py",
    "hatchway-nodes": "lambdas/nodes",
}


@pytest.fixture(scope="module")
def default(synth: Synth) -> Stacks:
    return synth()


@pytest.fixture(scope="module")
def widgets(default: Stacks) -> list[dict[str, Any]]:
    page = default.service.one("AWS::CloudWatch::Dashboard", DashboardName="hatchway-prod")
    body: dict[str, Any] = json.loads(text(page["DashboardBody"]))
    return [each["properties"] for each in body["widgets"]]


def metrics(widgets: list[dict[str, Any]]) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Namespace, name, dimensions."""
    for widget in widgets:
        for metric in widget["metrics"]:
            parts = [each for each in metric if isinstance(each, str)]
            yield parts[0], parts[1], dict(zip(parts[2::2], parts[3::2], strict=True))


def test_it_shows_what_the_page_promises(widgets: list[dict[str, Any]]) -> None:
    titles = {each["title"] for each in widgets}
    assert len(titles) == 7
    for word in ("Starts", "Refused", "Latency", "Gaps, retries", "Errors", "Throttles", "long"):
        assert any(word in title for title in titles), word


def test_every_function_s_errors_throttles_and_durations_are_on_it(
    widgets: list[dict[str, Any]],
) -> None:
    for name in ("Errors", "Throttles", "Duration"):
        shown = [d for n, m, d in metrics(widgets) if n == "AWS/Lambda" and m == name]
        assert len(shown) >= len(FAMILIES)
        assert all(each["FunctionName"].startswith("<") for each in shown)


def test_own_metrics_are_of_this_stage_and_are_written_by_somebody(
    widgets: list[dict[str, Any]],
) -> None:
    own = [(name, dimensions) for n, name, dimensions in metrics(widgets) if n == "Hatchway"]
    assert own
    for name, dimensions in own:
        assert dimensions["stage"] == "prod"
        assert name in _written(WRITERS[dimensions["service"]]), name


def _written(place: str) -> set[str]:
    """Quoted words of the code there."""
    path = Path(ROOT, place)
    files = [path] if path.is_file() else sorted(path.glob("*.py"))
    return {word for file in files for word in re.findall(r'"(\w+)"', file.read_text())}


def test_the_latency_of_both_apis_is_on_it(widgets: list[dict[str, Any]]) -> None:
    apis = {d["ApiName"] for n, _, d in metrics(widgets) if n == "AWS/ApiGateway"}
    assert apis == {"hatchway-prod-people", "hatchway-prod-agent"}


def test_another_stage_has_a_page_of_its_own(synth: Synth) -> None:
    page = synth(stage="dev").service.one("AWS::CloudWatch::Dashboard")
    assert page["DashboardName"] == "hatchway-dev"
    assert "prod" not in json.dumps(text(page["DashboardBody"]))
