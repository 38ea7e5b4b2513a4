"""Permissions in the words of the ports: each function's actions and ARNs, one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs

from infra.config import AccessDecision, Config
from infra.data import DataStack
from infra.function import FamilyFunction
from infra.stream_api import StreamApi
from infra.table_use import USES, allowed

#: What DynamoDB asks of whoever uses a table under a customer key, spelt out.
_TABLE_KEY = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
#: Everything that says what a caller's policies are; no write, no credential report.
_IAM_POLICIES = (
    "iam:GetGroupPolicy",
    "iam:GetPolicy",
    "iam:GetPolicyVersion",
    "iam:GetRole",
    "iam:GetRolePolicy",
    "iam:GetUser",
    "iam:GetUserPolicy",
    "iam:ListAttachedGroupPolicies",
    "iam:ListAttachedRolePolicies",
    "iam:ListAttachedUserPolicies",
    "iam:ListGroupPolicies",
    "iam:ListGroupsForUser",
    "iam:ListRolePolicies",
    "iam:ListRoleTags",
    "iam:ListUserPolicies",
    "iam:ListUserTags",
)
#: What holds above the account, where it may read it.
_ORGANISATION = (
    "organizations:DescribeOrganization",
    "organizations:DescribePolicy",
    "organizations:ListParents",
    "organizations:ListPoliciesForTarget",
    "organizations:ListRoots",
)

#: Why a resource may hold a `*`.
_CONNECTION = "Connection ids are made by API Gateway; one method of one stage of one API."
_STREAM = "Sessions come and go; one stream for each, in one log group of this deployment."
_LOGS = "Sessions come and go; one object for each, in buckets that the deployment names."
_LOG_KEYS = "Any key that those buckets encrypt with, for their objects alone."
_RECORDING = "Sessions come and go; one folder of one bucket of this deployment."
_NODE = "Nodes come and go; one kind of name, of this deployment only."
_NO_RESOURCE = "The action knows no resource."
_WHOLE_ORGANISATION = "Read only: the units above the account are not known when it is deployed."
_ANYBODY = "Read only: whoever calls, and whichever node enrols, is looked up in IAM."


@dataclass(frozen=True, slots=True)
class Grants:
    """The resources of one deployment, and who may do what with them."""

    stack: Stack
    config: Config
    data: DataStack
    stream: StreamApi

    def table(self, *families: FamilyFunction) -> None:
        table = self._arn("dynamodb", "table", self.config.table)
        for family in families:
            for each in allowed(USES[family.folder], table):
                family.grant(*each.actions, on=each.resources, when=each.condition)
            family.grant(*_TABLE_KEY, on=[self.data.key.key_arn], when=self._via("dynamodb"))

    def record(self, *families: FamilyFunction) -> None:
        """They add to what passed; they cannot read it, and nobody can take any of it away."""
        for family in families:
            family.grant(
                "logs:CreateLogStream",
                "logs:PutLogEvents",
                on=self._streams(self.config.recordings),
                wildcard=_STREAM,
            )

    def seal_recordings(self, *families: FamilyFunction) -> None:
        """The public half alone: what they have stored, they cannot open."""
        for family in families:
            family.grant("kms:GetPublicKey", on=[self.data.records.sealing.key_arn])

    def read_recordings(self, family: FamilyFunction) -> None:
        """What passed, and what the archive made of it; and the key to check it with."""
        self._see_recordings(family)
        family.grant("kms:GetPublicKey", on=[self.data.records.signing.key_arn])

    def write_recordings(self, family: FamilyFunction) -> None:
        """The archive: it reads what passed, adds objects, and signs for them. It deletes none."""
        self._see_recordings(family)
        family.grant("s3:PutObject", on=[self._recordings()], wildcard=_RECORDING)
        family.grant(
            "kms:GenerateDataKey", on=[self.data.records.key.key_arn], when=self._via("s3")
        )
        # It goes on from nothing that it has not signed itself.
        family.grant("kms:GetPublicKey", "kms:Sign", on=[self.data.records.signing.key_arn])

    def feed_destinations(self, family: FamilyFunction) -> None:
        """Where documents may have logs go; and which code of its own runs."""
        family.grant(
            "logs:CreateLogStream",
            "logs:PutLogEvents",
            on=[arn for name in self._log_groups() for arn in self._streams(name)],
            wildcard=_STREAM,
        )
        objects = [f"{bucket}/*" for bucket in self._log_buckets()]
        family.grant("s3:AbortMultipartUpload", "s3:PutObject", on=objects, wildcard=_LOGS)
        keys = self._arn("kms", "key", "*")
        if self.config.floor.log_buckets:
            family.grant(
                "kms:Decrypt",
                "kms:GenerateDataKey",
                on=[keys],
                when={
                    **self._via("s3"),
                    "ArnLike": {
                        "kms:EncryptionContext:aws:s3:arn": [
                            each
                            for bucket in self._log_buckets()
                            for each in (bucket, f"{bucket}/*")
                        ]
                    },
                },
                wildcard=_LOG_KEYS,
            )
        own = self._arn("lambda", "function", self.config.name("archive"), ":")
        family.grant("lambda:GetFunctionConfiguration", on=[own])

    def see_destinations(self, family: FamilyFunction) -> None:
        """Whether they encrypt, which StartSession asks."""
        if buckets := self._log_buckets()[1:]:
            family.grant("s3:GetEncryptionConfiguration", on=buckets)
        if self._log_groups()[1:]:
            family.grant("logs:DescribeLogGroups", on=["*"], wildcard=_NO_RESOURCE)

    def look_at(self, family: FamilyFunction, queue: sqs.IQueue) -> None:
        """The archive asks itself for looks, and has those come again that were not done."""
        family.grant("sqs:ChangeMessageVisibility", "sqs:SendMessage", on=[queue.queue_arn])

    def _streams(self, group: str) -> list[str]:
        """A log group as AWS asks for it: by action, the group itself or its streams."""
        arn = self._arn("logs", "log-group", group, ":")
        return [arn, f"{arn}:*"]

    def _log_groups(self) -> list[str]:
        return [self.config.session_log, *self.config.floor.log_groups]

    def _log_buckets(self) -> list[str]:
        """The archive's own first."""
        own = self.config.archive(self.stack.account, self.stack.region)
        return [
            f"arn:{self.stack.partition}:s3:::{b}" for b in (own, *self.config.floor.log_buckets)
        ]

    def _see_recordings(self, family: FamilyFunction) -> None:
        bucket = self._log_buckets()[0]
        family.grant(
            "logs:GetLogEvents", on=self._streams(self.config.recordings), wildcard=_STREAM
        )
        family.grant("s3:GetObject", on=[self._recordings()], wildcard=_RECORDING)
        # Without it, an object that is missing looks like one that may not be read.
        family.grant(
            "s3:ListBucket", on=[bucket], when={"StringLike": {"s3:prefix": "recordings/*"}}
        )
        family.grant("kms:Decrypt", on=[self.data.records.key.key_arn], when=self._via("s3"))
        family.grant("kms:Decrypt", on=[self.data.records.sealing.key_arn])

    def _recordings(self) -> str:
        return f"{self._log_buckets()[0]}/recordings/*"

    def send_to(self, family: FamilyFunction, queue: sqs.IQueue) -> None:
        family.grant("sqs:SendMessage", on=[queue.queue_arn])

    def secrets(self, family: FamilyFunction, *names: str) -> None:
        # Six characters are Secrets Manager's own suffix.
        arns = [
            self._arn("secretsmanager", "secret", f"{self.config.secret(name)}-??????", ":")
            for name in names
        ]
        family.grant("secretsmanager:GetSecretValue", on=arns)
        family.grant("kms:Decrypt", on=[self.data.key.key_arn], when=self._via("secretsmanager"))

    def post(self, *families: FamilyFunction) -> None:
        for family in families:
            family.grant(
                "execute-api:ManageConnections",
                on=[self._connections("POST")],
                wildcard=_CONNECTION,
            )

    def close(self, *families: FamilyFunction) -> None:
        for family in families:
            family.grant(
                "execute-api:ManageConnections",
                on=[self._connections("DELETE")],
                wildcard=_CONNECTION,
            )

    def hint(self, *families: FamilyFunction) -> None:
        for family in families:
            family.grant("iot:Publish", on=[self._topic("*/control")], wildcard=_NODE)

    def send(self, family: FamilyFunction) -> None:
        family.grant("iot:Publish", on=[self._topic("*/data/*")], wildcard=_NODE)

    def disconnect_nodes(self, *families: FamilyFunction) -> None:
        clients = self._arn("iot", "client", f"{self.config.topic_root}/*")
        for family in families:
            family.grant("iot:DeleteConnection", on=[clients], wildcard=_NODE)

    def find_iot(self, *families: FamilyFunction) -> None:
        """Where the account's data endpoint is."""
        for family in families:
            family.grant("iot:DescribeEndpoint", on=["*"], wildcard=_NO_RESOURCE)

    def describe_instances(self, *families: FamilyFunction) -> None:
        for family in families:
            family.grant("ec2:DescribeInstances", on=["*"], wildcard=_NO_RESOURCE)

    def read_policies(self, *families: FamilyFunction) -> None:
        principals = self._principals("user", "group", "role", "policy")
        # Policies of AWS itself belong to no account.
        aws = [f"arn:{self.stack.partition}:iam::aws:policy/*"]
        for family in families:
            family.grant(*_IAM_POLICIES, on=principals, wildcard=_ANYBODY)
            family.grant("iam:GetPolicy", "iam:GetPolicyVersion", on=aws, wildcard=_ANYBODY)

    def list_principals(self, family: FamilyFunction) -> None:
        """For who-can; what of each is told, iam:SimulatePrincipalPolicy decides."""
        family.grant("iam:ListRoles", "iam:ListUsers", on=["*"], wildcard=_NO_RESOURCE)

    def simulate(self, family: FamilyFunction) -> None:
        """Where the deployment asks for IAM's own opinion."""
        if self.config.access_decision is AccessDecision.EVALUATOR:
            return
        family.grant(
            "iam:SimulatePrincipalPolicy", on=self._principals("user", "role"), wildcard=_ANYBODY
        )

    def read_organisation(self, *families: FamilyFunction) -> None:
        """Where the deployment reads the service control policies above it."""
        if not self.config.service_control_policies:
            return
        for family in families:
            family.grant(*_ORGANISATION, on=["*"], wildcard=_WHOLE_ORGANISATION)

    def read_profiles(self, *families: FamilyFunction) -> None:
        profiles = self._principals("instance-profile")
        for family in families:
            family.grant("iam:GetInstanceProfile", on=profiles, wildcard=_ANYBODY)

    def assume(self, role: iam.IRole, *families: FamilyFunction) -> None:
        for family in families:
            family.grant("sts:AssumeRole", on=[role.role_arn])

    def put_events(self, family: FamilyFunction, bus: events.IEventBus) -> None:
        family.grant("events:PutEvents", on=[bus.event_bus_arn])

    def read_trail(self, family: FamilyFunction) -> None:
        """For looking up calls: the audit trail's log group, and no other."""
        streams = self._streams(self.config.audit_log)
        family.grant("logs:FilterLogEvents", on=streams, wildcard=_STREAM)

    def keep_trail(self, family: FamilyFunction) -> None:
        """It adds to the trail; it cannot read it, and nobody can take any of it away."""
        streams = self._streams(self.config.audit_log)
        family.grant("logs:CreateLogStream", "logs:PutLogEvents", on=streams, wildcard=_STREAM)

    def look_again(self, family: FamilyFunction, queue: sqs.IQueue) -> None:
        family.grant("sqs:SendMessage", on=[queue.queue_arn])

    def _via(self, service: str) -> dict[str, object]:
        host = f"{service}.{self.stack.region}.{self.stack.url_suffix}"
        return {"StringEquals": {"kms:ViaService": host}}

    def _connections(self, method: str) -> str:
        path = f"{self.stream.api_id}/{self.config.stage}/{method}/@connections/*"
        return self._arn("execute-api", path)

    def _topic(self, rest: str) -> str:
        return self._arn("iot", "topic", f"{self.config.topic_root}/{rest}")

    def _principals(self, *kinds: str) -> Sequence[str]:
        account = f"arn:{self.stack.partition}:iam::{self.stack.account}"
        return [f"{account}:{kind}/*" for kind in kinds]

    def _arn(self, service: str, resource: str, name: str = "", separator: str = "/") -> str:
        place = f"arn:{self.stack.partition}:{service}:{self.stack.region}:{self.stack.account}"
        return f"{place}:{resource}{separator}{name}" if name else f"{place}:{resource}"
