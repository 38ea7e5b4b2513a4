"""What both REST APIs have in common: IAM on every method, typed gateway errors, sober logs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from hatchway.core.errors import (
    AccessDeniedException,
    InternalServerError,
    PayloadTooLarge,
    ThrottlingException,
    ValidationException,
)
from infra.config import Config
from infra.findings import accept
from infra.function import FamilyFunction
from infra.log import kept_log


@dataclass(frozen=True, slots=True)
class Throttle:
    """Requests a second, and how many may come at once, for a whole stage."""

    rate: int
    burst: int


#: (method, path) → the family that serves it.
Routes = Mapping[tuple[str, str], FamilyFunction]

#: Neither the path nor the query string: they name nodes and sessions, and could hold a token.
ACCESS_LOG = {
    "requestId": "$context.requestId",
    "time": "$context.requestTimeEpoch",
    "method": "$context.httpMethod",
    "route": "$context.resourcePath",
    "status": "$context.status",
    "caller": "$context.identity.userArn",
    "principal": "$context.identity.user",
    "account": "$context.identity.accountId",
    "owner": "$context.accountId",
    "userAgent": "$context.identity.userAgent",
    "sourceIp": "$context.identity.sourceIp",
    "vpcEndpoint": "$context.identity.vpceId",
    "latency": "$context.responseLatency",
    "responseLength": "$context.responseLength",
    "gatewayError": "$context.error.responseType",
}

#: What the gateway refuses before a function sees it, in the words of the API. The header
#: x-amzn-errortype is the gateway's own and stays.
_GATEWAY_ERRORS: Mapping[str, tuple[str, str]] = {
    "ACCESS_DENIED": (AccessDeniedException.code, "403"),
    "MISSING_AUTHENTICATION_TOKEN": ("MissingAuthenticationTokenException", "403"),
    "INVALID_SIGNATURE": ("InvalidSignatureException", "403"),
    "EXPIRED_TOKEN": ("ExpiredTokenException", "403"),
    "THROTTLED": (ThrottlingException.code, "429"),
    "QUOTA_EXCEEDED": (ThrottlingException.code, "429"),
    "REQUEST_TOO_LARGE": (PayloadTooLarge.code, "413"),
    "DEFAULT_4XX": (ValidationException.code, ""),
    "DEFAULT_5XX": (InternalServerError.code, ""),
}


class RestFront(Construct):
    """One REST API with its stage, named after the deployment's stage."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        config: Config,
        *,
        name: str,
        description: str,
        endpoint: apigateway.EndpointConfiguration,
        routes: Routes,
        throttle: Throttle,
        own_throttles: Mapping[tuple[str, str], Throttle] | None = None,
        policy: iam.PolicyDocument | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.access_log = kept_log(self, f"/hatchway/{config.stage}/{name}-api", config)
        self.api = apigateway.RestApi(
            self,
            "Api",
            rest_api_name=config.name(name),
            description=description,
            endpoint_configuration=endpoint,
            # The account's role is made once, for all APIs: infra/account.py.
            cloud_watch_role=False,
            policy=policy,
            default_method_options=apigateway.MethodOptions(
                authorization_type=apigateway.AuthorizationType.IAM
            ),
            deploy_options=_stage(
                config, throttle, own_throttles or {}, self.access_log, _access_log(name)
            ),
        )
        # The stack puts out the address by its own template.
        self.api.node.try_remove_child("Endpoint")
        self._route(routes)
        self._errors()
        self._accept()

    def arn(self, method: str, path: str) -> str:
        """What execute-api:Invoke is allowed on."""
        return self.api.arn_for_execute_api(method, path, self.api.deployment_stage.stage_name)

    def _route(self, routes: Routes) -> None:
        integrations: dict[FamilyFunction, apigateway.LambdaIntegration] = {}
        for (method, path), family in routes.items():
            integration = integrations.setdefault(
                family,
                # One permission for the whole API rather than one for each method.
                apigateway.LambdaIntegration(family.function, scope_permission_to_method=False),
            )
            self.api.root.resource_for_path(path).add_method(method, integration)

    def _errors(self) -> None:
        for kind, (code, status) in _GATEWAY_ERRORS.items():
            body = (
                f'{{"__type":"{code}","message":$context.error.messageString,'
                '"RequestId":"$context.requestId"}'
            )
            self.api.add_gateway_response(
                f"Error{kind.title().replace('_', '')}",
                type=apigateway.ResponseType.of(kind),
                status_code=status or None,
                templates={"application/json": body},
            )

    def _accept(self) -> None:
        accept(
            self.api,
            "AwsSolutions-APIG2",
            "Functions check every member, its type and its size, and answer a typed error, which "
            "the gateway's validator cannot.",
        )
        stage = self.api.deployment_stage
        accept(
            stage,
            "AwsSolutions-APIG6",
            "Execution logs print requests, and with them what must not be logged. Access logs and "
            "one line per invocation stand in for them.",
        )
        accept(
            stage,
            "AwsSolutions-APIG3",
            "Every method asks for a signature of IAM before anything else; a web ACL is the "
            "account's own choice and can be attached to the stage.",
        )
        accept(
            self.api,
            "AwsSolutions-COG4",
            "Callers are IAM principals: every method is AWS_IAM, there is no user pool.",
        )


def _stage(
    config: Config,
    throttle: Throttle,
    own_throttles: Mapping[tuple[str, str], Throttle],
    log_group: logs.ILogGroup,
    access_log: Mapping[str, str],
) -> apigateway.StageOptions:
    return apigateway.StageOptions(
        stage_name=config.stage,
        throttling_rate_limit=throttle.rate,
        throttling_burst_limit=throttle.burst,
        logging_level=apigateway.MethodLoggingLevel.OFF,
        data_trace_enabled=False,
        metrics_enabled=False,
        method_options={
            f"{path}/{method}": apigateway.MethodDeploymentOptions(
                throttling_rate_limit=own.rate,
                throttling_burst_limit=own.burst,
                logging_level=apigateway.MethodLoggingLevel.OFF,
                data_trace_enabled=False,
                metrics_enabled=False,
            )
            for (method, path), own in own_throttles.items()
        },
        access_log_destination=apigateway.LogGroupLogDestination(log_group),
        access_log_format=apigateway.AccessLogFormat.custom(json.dumps(access_log)),
    )


def _access_log(name: str) -> dict[str, str]:
    """With the door that the audit trail calls it by: `people` or `agent`."""
    return {"door": name.partition("-")[0], **ACCESS_LOG}


def fill(template: str, api: str, config: Config, region: str, suffix: str) -> str:
    """A URL from its template; `api`, `region` and `suffix` may be tokens."""
    values = {"api": api, "stage": config.stage, "region": region, "suffix": suffix}
    for key, value in values.items():
        template = template.replace(f"{{{key}}}", value)
    return template
