"""One Lambda family as one function: own role, log group and alarm; grants are added outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.config import Config
from infra.findings import accept, accept_wildcards
from infra.log import kept_log

#: API Gateway gives up after 29 s; a function that people wait for must answer before.
INTEGRATION_TIMEOUT = 29


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """What a family's function is like. `timeout` in seconds, `memory` in MB.

    `name` stands in resource names, `folder` in the handler: a family may run as two functions.
    """

    name: str
    folder: str
    purpose: str
    memory: int = 256
    timeout: int = 10
    #: Whether it ends sessions: then executions may be kept for it.
    ends: bool = False


class FamilyFunction(Construct):
    """The function, with a role that may write its own log and nothing else."""

    def __init__(
        self,
        scope: Construct,
        config: Config,
        family: Family,
        code: lambda_.Code,
        environment: Mapping[str, str],
    ) -> None:
        super().__init__(scope, family.name.title().replace("-", ""))
        self.folder = family.folder
        name = config.name(family.name)
        self.log_group = log_group = kept_log(self, f"/aws/lambda/{name}", config)
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"Hatchway {config.stage}: {family.purpose}",
        )
        log_group.grant(self.role, "logs:CreateLogStream", "logs:PutLogEvents")
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=name,
            description=family.purpose,
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=_architecture(config),
            handler=f"lambdas.{family.folder}.entry.handler",
            code=code,
            role=self.role,
            log_group=log_group,
            environment=dict(environment),
            memory_size=family.memory,
            timeout=Duration.seconds(family.timeout),
            # A new account has ten concurrent executions: reserving any fails its deployment.
            reserved_concurrent_executions=(config.reserved_concurrency or None)
            if family.ends
            else None,
        )
        self._alarm(name)
        accept(
            self.function,
            "AwsSolutions-L1",
            "Python 3.13 is what the wheels in the zip are built for and what the tests run on; "
            "all three move together.",
        )

    def grant(
        self,
        *actions: str,
        on: Sequence[str],
        when: Mapping[str, object] | None = None,
        wildcard: str = "",
    ) -> None:
        """Allows exactly these actions on exactly these resources.

        `wildcard` is the reason for a `*` in them; without one, cdk-nag refuses it.
        """
        self.role.add_to_policy(
            iam.PolicyStatement(actions=list(actions), resources=list(on), conditions=when)
        )
        if wildcard:
            accept_wildcards(self.role, wildcard, on)

    def _alarm(self, name: str) -> None:
        self.function.metric_errors(period=Duration.minutes(5)).create_alarm(
            self,
            "Errors",
            alarm_name=f"{name}-errors",
            alarm_description="The function raised; its log names the error's type and place.",
            threshold=1,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )


def _architecture(config: Config) -> lambda_.Architecture:
    by_name = {"arm64": lambda_.Architecture.ARM_64, "x86_64": lambda_.Architecture.X86_64}
    return by_name[config.architecture]
