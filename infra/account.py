"""The account's own API Gateway setting: the role with which it writes access logs."""

from __future__ import annotations

from aws_cdk import Annotations, RemovalPolicy
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.findings import accept

_POLICY = "service-role/AmazonAPIGatewayPushToCloudWatchLogs"


#: Said at each synth and deploy. Synth looks nothing up, so it cannot know whether it matters.
REPLACES = (
    "The account's CloudWatch role for API Gateway, one per account and Region, becomes the one of "
    "this stack, in place of another that may be set. `aws apigateway get-account` shows it; "
    "apiGatewayAccount=false keeps it."
)


class ApiGatewayAccount(Construct):
    """One per account and Region, and kept: the account's other APIs come to rely on it."""

    def __init__(self, scope: Construct) -> None:
        super().__init__(scope, "ApiGatewayAccount")
        Annotations.of(self).add_warning_v2("hatchway:apiGatewayAccount", REPLACES)
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("apigateway.amazonaws.com"),
            managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name(_POLICY)],
        )
        role.apply_removal_policy(RemovalPolicy.RETAIN)
        self.resource = apigateway.CfnAccount(self, "Account", cloud_watch_role_arn=role.role_arn)
        self.resource.apply_removal_policy(RemovalPolicy.RETAIN)
        accept(
            role,
            "AwsSolutions-IAM4",
            "API Gateway checks for the permissions of this policy when the role is set; it is the "
            "one that its documentation names.",
            f"Policy::arn:<AWS::Partition>:iam::aws:policy/{_POLICY}",
        )
