"""Metrics in CloudWatch's embedded format: only where something counted, under the right names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from lambdas.logline import Field, line
from lambdas.metered import NAMESPACE, metered

COUNTED = {"denials": "Denials", "records": "Records"}


class Lines:
    def __init__(self) -> None:
        self.written: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, level: str, fields: Mapping[str, Field]) -> None:
        self.written.append((level, dict(fields)))


@pytest.fixture
def lines() -> Lines:
    return Lines()


def test_what_is_counted_is_a_metric_beside_the_line_s_own_fields(lines: Lines) -> None:
    metered("audit", "prod", COUNTED, lines)("INFO", {"family": "audit", "denials": 3, "other": 1})
    [(level, fields)] = lines.written
    about = fields.pop("_aws")
    assert level == "INFO"
    assert fields == {
        "family": "audit",
        "denials": 3,
        "other": 1,
        "service": "hatchway-audit",
        "stage": "prod",
        "Denials": 3,
    }
    assert about["CloudWatchMetrics"] == [
        {
            "Namespace": NAMESPACE,
            "Dimensions": [["service", "stage"]],
            "Metrics": [{"Name": "Denials", "Unit": "Count"}],
        }
    ]
    assert isinstance(about["Timestamp"], int)
    assert about["Timestamp"] > 1_600_000_000_000  # milliseconds


def test_every_dimension_and_metric_of_the_directive_is_a_member(lines: Lines) -> None:
    """CloudWatch drops a line that names one which is not there."""
    metered("audit", "prod", COUNTED, lines)("INFO", {"denials": 3, "records": 5})
    [(_, fields)] = lines.written
    about = fields["_aws"]
    [directive] = about["CloudWatchMetrics"]
    assert {name for each in directive["Dimensions"] for name in each} <= set(fields)
    assert [each["Name"] for each in directive["Metrics"]] == ["Denials", "Records"]
    assert all(each["Name"] in fields for each in directive["Metrics"])


@pytest.mark.parametrize("fields", [{}, {"denials": 0}, {"denials": None}, {"other": 7}])
def test_a_line_that_counts_nothing_has_no_metrics(lines: Lines, fields: dict[str, Field]) -> None:
    metered("audit", "prod", COUNTED, lines)("WARNING", fields)
    assert lines.written == [("WARNING", fields)]


def test_an_invocation_s_line_is_one_json_document(capsys: pytest.CaptureFixture[str]) -> None:
    with line("audit", metered("audit", "prod", COUNTED)) as log:
        log.count("denials", 2)
    [text] = capsys.readouterr().out.splitlines()
    assert json.loads(text)["Denials"] == 2
