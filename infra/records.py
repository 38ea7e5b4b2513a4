"""What is kept of sessions: the log group of what passes, the archive, and the key of both.

Nobody in Hatchway may take anything away from them: `tests/infra/test_records.py`.
"""

from __future__ import annotations

from typing import cast

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.config import Config
from infra.findings import accept


class Records(Construct):
    """Log groups, bucket and key; they outlive the service, unless retainData=false."""

    def __init__(self, scope: Construct, config: Config, removal: RemovalPolicy) -> None:
        super().__init__(scope, "Records")
        self._config, self._removal = config, removal
        self.key = kms.Key(
            self,
            "Key",
            description=f"Hatchway {config.stage}: recordings and the archive",
            enable_key_rotation=True,
            removal_policy=removal,
        )
        #: Signs manifests of recordings: `archive` alone may, and nobody can take the key out.
        self.signing = kms.Key(
            self,
            "Signing",
            description=f"Hatchway {config.stage}: signs manifests of recordings",
            key_spec=kms.KeySpec.ECC_NIST_P256,
            key_usage=kms.KeyUsage.SIGN_VERIFY,
            removal_policy=removal,
        )
        #: Its public half seals what passes, in `relay` and `uplink`; `archive` and `recordings`
        #: open it. Whoever reads the log group alone reads nothing.
        self.sealing = kms.Key(
            self,
            "Sealing",
            description=f"Hatchway {config.stage}: seals recordings until they are archived",
            key_spec=kms.KeySpec.RSA_2048,
            key_usage=kms.KeyUsage.ENCRYPT_DECRYPT,
            removal_policy=removal,
        )
        self._let_logs_use(self.key)
        self.passed = self._group("Passed", config.recordings, config.recording_log_days)
        self.sessions = self._group("Sessions", config.session_log, config.log_retention_days)
        self.audit = self._group("Audit", config.audit_log, config.audit_log_days)
        self.archive = self._bucket()

    def _let_logs_use(self, key: kms.Key) -> None:
        """CloudWatch Logs encrypts with it, for the groups of this deployment alone."""
        stack = Stack.of(self)
        groups = stack.format_arn(
            service="logs", resource=f"log-group:/hatchway/{self._config.stage}/*"
        )
        key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal(f"logs.{stack.region}.amazonaws.com")],
                actions=[
                    "kms:Decrypt",
                    "kms:DescribeKey",
                    "kms:Encrypt",
                    "kms:GenerateDataKey*",
                    "kms:ReEncrypt*",
                ],
                resources=["*"],
                conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
            )
        )

    def _group(self, construct_id: str, name: str, days: int) -> logs.LogGroup:
        group = logs.LogGroup(
            self,
            construct_id,
            log_group_name=name,
            encryption_key=self.key,
            removal_policy=self._removal,
        )
        # The construct takes its periods as words; the number is what the context says.
        cast(logs.CfnLogGroup, group.node.default_child).retention_in_days = days
        # A group is made with its key, or not at all: CloudWatch Logs tries it.
        group.node.add_dependency(self.key)
        return group

    def _bucket(self) -> s3.Bucket:
        stack, days = Stack.of(self), self._config.archive_lock_days
        bucket = s3.Bucket(
            self,
            "Archive",
            bucket_name=self._config.archive(stack.account, stack.region),
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self.key,
            bucket_key_enabled=True,
            versioned=True,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            object_lock_default_retention=s3.ObjectLockRetention.compliance(Duration.days(days))
            if days
            else None,
            lifecycle_rules=[
                s3.LifecycleRule(abort_incomplete_multipart_upload_after=Duration.days(1))
            ],
            removal_policy=self._removal,
        )
        accept(
            bucket,
            "AwsSolutions-S1",
            "Who reads a recording is told by Hatchway's own audit trail, and by CloudTrail's data "
            "events where they are on; a bucket of access logs would be one more to keep safe.",
        )
        return bucket
