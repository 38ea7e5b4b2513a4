"""The stack that outlives the others: table, secrets and the key they are encrypted with."""

from __future__ import annotations

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.config import Config
from infra.findings import accept
from infra.records import Records

#: Letters and digits; 64 of them carry more than 256 bits.
SECRET_LENGTH = 64
#: Name, partition key and range key: docs/protocol.md, "Table".
INDEXES = {
    "byState": ("gsi1pk", "gsi1sk"),
    "byOwner": ("gsi2pk", "gsi2sk"),
    "byTarget": ("gsi3pk", "gsi3sk"),
}


def _string(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)


class DataStack(Stack):
    """Deleting a deployment leaves this behind, unless its context says retainData=false."""

    def __init__(self, scope: Construct, config: Config) -> None:
        super().__init__(
            scope,
            f"Hatchway-{config.stage}-Data",
            description=f"Hatchway {config.stage}: what must not be lost",
            termination_protection=config.retain_data,
        )
        self._config = config
        self._removal = RemovalPolicy.RETAIN if config.retain_data else RemovalPolicy.DESTROY
        self.key = kms.Key(
            self,
            "Key",
            description=f"Hatchway {config.stage}: table and secrets",
            enable_key_rotation=True,
            removal_policy=self._removal,
        )
        self.table = self._table()
        self.records = Records(self, config, self._removal)
        self.seal = self._secret("Seal", "seal", "seals what clients type on its way to a node")
        self.ticket = self._secret("Ticket", "ticket", "signs the tickets of attached agents")

    def _table(self) -> dynamodb.Table:
        table = dynamodb.Table(
            self,
            "Table",
            table_name=self._config.table,
            partition_key=_string("pk"),
            sort_key=_string("sk"),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            time_to_live_attribute="ttl",
            stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=self.key,
            deletion_protection=self._config.retain_data,
            removal_policy=self._removal,
        )
        for name, (partition, order) in INDEXES.items():
            table.add_global_secondary_index(
                index_name=name, partition_key=_string(partition), sort_key=_string(order)
            )
        return table

    def _secret(self, construct_id: str, name: str, purpose: str) -> secretsmanager.Secret:
        secret = secretsmanager.Secret(
            self,
            construct_id,
            secret_name=self._config.secret(name),
            description=f"Hatchway {self._config.stage}: {purpose}",
            encryption_key=self.key,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                password_length=SECRET_LENGTH, exclude_punctuation=True
            ),
            removal_policy=self._removal,
        )
        accept(
            secret,
            "AwsSolutions-SMG4",
            "Rotated by publishing a new version: the one before stays in use for what was made "
            "with it. No external system holds a copy, so a rotation function would do no more.",
        )
        return secret
