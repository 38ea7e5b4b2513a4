"""One page that says how Hatchway is: starts, denials, latency, gaps, retries, what lies about."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.config import Config
from infra.function import FamilyFunction

NAMESPACE = "Hatchway"
#: Service of the people API's metrics (`lambdas/sessions/telemetry.py`), and of others'.
PEOPLE, AUDIT, NODES = "sessions", "hatchway-audit", "hatchway-nodes"
_PERIOD = Duration.minutes(5)
_WIDE, _HALF = 24, 12


class Dashboard(Construct):
    """`hatchway-{stage}`; every metric on it is one that something writes."""

    def __init__(
        self, scope: Construct, config: Config, functions: Sequence[FamilyFunction]
    ) -> None:
        super().__init__(scope, "Dashboard")
        self._config = config
        page = cloudwatch.Dashboard(
            self,
            "Page",
            dashboard_name=f"hatchway-{config.stage}",
            default_interval=Duration.hours(12),
        )
        page.add_widgets(self._people(), self._refused())
        page.add_widgets(self._latency(), self._flow())
        page.add_widgets(
            _graph("Errors of functions", [_of(each, "Errors") for each in functions]),
            _graph("Throttles of functions", [_of(each, "Throttles") for each in functions]),
        )
        page.add_widgets(
            _graph(
                "How long functions take (p99)",
                [_of(each, "Duration", "p99") for each in functions],
                _WIDE,
            )
        )

    def _people(self) -> cloudwatch.GraphWidget:
        operations = ("StartSession", "ResumeSession", "TerminateSession")
        return _graph(
            "Starts, resumptions, ends",
            [self._counted("Requests", PEOPLE, operation=name) for name in operations],
        )

    def _refused(self) -> cloudwatch.GraphWidget:
        return _graph(
            "Refused",
            [
                self._counted("Refusals", PEOPLE, operation="StartSession"),
                self._counted("Denials", AUDIT),
                self._counted("EnrolmentRefused", NODES),
            ],
        )

    def _latency(self) -> cloudwatch.GraphWidget:
        apis = [self._config.name(name) for name in ("people", "agent")]
        return _graph(
            "Latency of the APIs (p50, p99)",
            [_latency(api, self._config.stage, each) for api in apis for each in ("p50", "p99")],
        )

    def _flow(self) -> cloudwatch.GraphWidget:
        return _graph(
            "Gaps, retries, dropped",
            [self._counted(name, NODES) for name in ("Gaps", "Retries", "MessagesDropped")],
        )

    def _counted(self, name: str, service: str, **more: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=name,
            dimensions_map={"service": service, "stage": self._config.stage, **more},
            period=_PERIOD,
            statistic="Sum",
            label=more.get("operation", name),
        )


def _of(function: FamilyFunction, name: str, statistic: str = "Sum") -> cloudwatch.Metric:
    made: cloudwatch.Metric = function.function.metric(name, statistic=statistic, period=_PERIOD)
    return made


def _latency(api: str, stage: str, statistic: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace="AWS/ApiGateway",
        metric_name="Latency",
        dimensions_map={"ApiName": api, "Stage": stage},
        period=_PERIOD,
        statistic=statistic,
        label=f"{api} {statistic}",
    )


def _graph(
    title: str, metrics: Sequence[cloudwatch.IMetric], width: int = _HALF
) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(metrics), width=width)
