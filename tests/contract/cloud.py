"""An AWS that adapters are tested on: moto or the embedded one."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from lambdas.adapters import aws

PATIENCE = aws.Patience(connect=2.0, read=20.0, attempts=3)
INDEXES = ("byState", "byOwner", "byTarget")


@dataclass(frozen=True, slots=True)
class Cloud:
    """An AWS to test adapters on: moto where `endpoint` is "", else the embedded one."""

    endpoint: str

    def client(self, service: str) -> Any:
        return aws.client(service, PATIENCE, self.endpoint)

    def table(self) -> str:
        """A new table with the keys and indexes of docs/protocol.md."""
        name = f"hatchway-{uuid.uuid4().hex}"
        attributes = ["pk", "sk", *(f"gsi{n}{part}" for n in (1, 2, 3) for part in ("pk", "sk"))]
        self.client("dynamodb").create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=_schema("pk", "sk"),
            AttributeDefinitions=[
                {"AttributeName": attribute, "AttributeType": "S"} for attribute in attributes
            ],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": index,
                    "KeySchema": _schema(f"gsi{n}pk", f"gsi{n}sk"),
                    "Projection": {"ProjectionType": "ALL"},
                }
                for n, index in enumerate(INDEXES, start=1)
            ],
        )
        return name


def _schema(hash_key: str, range_key: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": hash_key, "KeyType": "HASH"},
        {"AttributeName": range_key, "KeyType": "RANGE"},
    ]
