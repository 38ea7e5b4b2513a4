"""One line per invocation that is both the structured log record and its metrics (EMF)."""

from __future__ import annotations

from collections.abc import Mapping

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from lambdas.logline import Field, Write

SERVICE = "sessions"
NAMESPACE = "Hatchway"


def telemetry(stage: str) -> Write:
    """Writes lines by Powertools' Logger; counts by operation go with them."""
    # The level is named: Powertools would obey whatever LOG_LEVEL the environment has.
    logger = Logger(service=SERVICE, location=None, level="INFO")
    log = {"INFO": logger.info, "WARNING": logger.warning, "ERROR": logger.error}
    metrics = Metrics(namespace=NAMESPACE, service=SERVICE)

    def write(level: str, fields: Mapping[str, Field]) -> None:
        operation = fields.get("operation") or fields.get("route") or "unknown"
        metrics.add_dimension("stage", stage)
        metrics.add_dimension("operation", str(operation))
        metrics.add_metric("Requests", MetricUnit.Count, 1)
        metrics.add_metric("Refusals", MetricUnit.Count, int("code" in fields))
        metrics.add_metric("Failures", MetricUnit.Count, int(level == "ERROR"))
        metrics.add_metric("Disagreements", MetricUnit.Count, int("secondOpinion" in fields))
        counts = metrics.serialize_metric_set()
        metrics.clear_metrics()
        log[level]("request", extra={**fields, **counts})

    return write
