"""Metrics for the functions that must start fast: in CloudWatch's embedded format, by hand.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
A line has them only where there is something to count: a line that counts nothing costs no byte.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from lambdas.logline import Field, Write, plain

NAMESPACE = "Hatchway"


def metered(family: str, stage: str, counted: Mapping[str, str], write: Write = plain) -> Write:
    """Writes lines as `write` does; fields that are named in `counted` are metrics, under the name
    that it gives them and the dimensions `service` and `stage`."""
    service = f"hatchway-{family}"

    def writing(level: str, fields: Mapping[str, Field]) -> None:
        found = {name: fields.get(key) for key, name in counted.items()}
        metrics = {name: value for name, value in found.items() if value}
        if not metrics:
            write(level, fields)
            return
        directive = {
            "Namespace": NAMESPACE,
            "Dimensions": [["service", "stage"]],
            "Metrics": [{"Name": name, "Unit": "Count"} for name in metrics],
        }
        about = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}
        emf: dict[str, object] = {"service": service, "stage": stage, **metrics, "_aws": about}
        write(level, {**fields, **emf})  # type: ignore[dict-item]

    return writing
