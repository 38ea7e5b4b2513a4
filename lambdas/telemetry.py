"""Powertools for the families that nodes call: log lines and metrics as they expect them.

Families that must start fast write plain lines instead (`logline.plain`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from lambdas.logline import Field, Write

NAMESPACE = "Hatchway"

#: Counts something that somebody should see or be alarmed by.
Count = Callable[[str, int], None]


def writer(family: str) -> Write:
    """Log lines through Powertools' Logger, which adds time, service and level."""
    logger = Logger(service=f"hatchway-{family}", level="INFO")

    def write(level: str, fields: Mapping[str, Field]) -> None:
        emit = {"WARNING": logger.warning, "ERROR": logger.error}.get(level, logger.info)
        emit("invocation", extra=dict(fields))

    return write


def counter(family: str, stage: str) -> Count:
    """Metrics in CloudWatch's embedded format, flushed at once: there are few of them."""

    def count(name: str, value: int) -> None:
        metrics = Metrics(namespace=NAMESPACE, service=f"hatchway-{family}")
        metrics.add_dimension(name="stage", value=stage)
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
        metrics.flush_metrics()

    return count
