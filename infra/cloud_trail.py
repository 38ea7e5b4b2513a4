"""A trail of CloudTrail's own, where a deployment asks for one: who touched table and functions.

Hatchway's records tell what was asked of it. These tell what was done behind its back: data events
of the table's items, of the functions' invocations, and of the archive's objects.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import ArnFormat, RemovalPolicy, Stack
from aws_cdk import aws_cloudtrail as cloudtrail
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.config import Config
from infra.findings import accept

#: Resource types of CloudTrail's advanced selectors.
TABLE, FUNCTION, OBJECT = "AWS::DynamoDB::Table", "AWS::Lambda::Function", "AWS::S3::Object"


class CloudTrail(Construct):
    """The trail and a bucket of its own: the archive's function may not write there."""

    def __init__(
        self, scope: Construct, config: Config, resources: Mapping[str, Sequence[str]]
    ) -> None:
        super().__init__(scope, "CloudTrail")
        self._config = config
        name = config.name("data-events")
        bucket = self._bucket()
        arn = Stack.of(self).format_arn(
            service="cloudtrail",
            resource="trail",
            resource_name=name,
            arn_format=ArnFormat.SLASH_RESOURCE_NAME,
        )
        self._let_in(bucket, arn)
        trail = cloudtrail.CfnTrail(
            self,
            "Trail",
            trail_name=name,
            is_logging=True,
            s3_bucket_name=bucket.bucket_name,
            enable_log_file_validation=True,
            include_global_service_events=False,
            advanced_event_selectors=[
                _selector(kind, arns) for kind, arns in resources.items() if arns
            ],
        )
        if bucket.policy is not None:
            trail.node.add_dependency(bucket.policy)

    def _bucket(self) -> s3.Bucket:
        retain = self._config.retain_data
        bucket = s3.Bucket(
            self,
            "Bucket",
            encryption=s3.BucketEncryption.S3_MANAGED,
            versioned=True,
            enforce_ssl=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            removal_policy=RemovalPolicy.RETAIN if retain else RemovalPolicy.DESTROY,
        )
        accept(bucket, "AwsSolutions-S1", "This is a bucket of logs.")
        return bucket

    def _let_in(self, bucket: s3.Bucket, arn: str) -> None:
        """https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html"""
        cloud_trail = iam.ServicePrincipal("cloudtrail.amazonaws.com")
        objects = bucket.arn_for_objects(f"AWSLogs/{Stack.of(self).account}/*")
        for action, resource, more in (
            ("s3:GetBucketAcl", bucket.bucket_arn, {}),
            ("s3:PutObject", objects, {"s3:x-amz-acl": "bucket-owner-full-control"}),
        ):
            bucket.add_to_resource_policy(
                iam.PolicyStatement(
                    principals=[cloud_trail],
                    actions=[action],
                    resources=[resource],
                    conditions={"StringEquals": {"aws:SourceArn": arn, **more}},
                )
            )


def _selector(kind: str, arns: Sequence[str]) -> cloudtrail.CfnTrail.AdvancedEventSelectorProperty:
    field = cloudtrail.CfnTrail.AdvancedFieldSelectorProperty
    # Objects are meant by their bucket's beginning.
    by = {"starts_with": list(arns)} if kind == OBJECT else {"equal_to": list(arns)}
    return cloudtrail.CfnTrail.AdvancedEventSelectorProperty(
        name=kind,
        field_selectors=[
            field(field="eventCategory", equal_to=["Data"]),
            field(field="resources.type", equal_to=[kind]),
            field(field="resources.ARN", **by),
        ],
    )
