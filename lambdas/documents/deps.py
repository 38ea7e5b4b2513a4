"""What `documents` is made of, from its environment."""

from __future__ import annotations

import time
from collections.abc import Mapping

from hatchway.core.documents import floor
from lambdas.adapters.documents import TableDocuments
from lambdas.adapters.iam import IamPolicies
from lambdas.adapters.organizations import guardrails
from lambdas.adapters.simulator import second_opinion
from lambdas.adapters.sqs import SqsReviews
from lambdas.adapters.table import TableNodes
from lambdas.documents.service import Service
from lambdas.environment import required


def build(environ: Mapping[str, str]) -> Service:
    """EnvironmentIncomplete, which names it, for a missing variable."""
    table = required(environ, "TABLE")
    return Service(
        documents=TableDocuments(table),
        nodes=TableNodes(table),
        policies=IamPolicies(guardrails=guardrails(environ)),
        reviews=SqsReviews(required(environ, "CHANGES_QUEUE")),
        clock=time.time,
        region=required(environ, "AWS_REGION"),
        channel_role_id=required(environ, "CHANNEL_ROLE_ID"),
        floor=floor.read(environ.get("SESSION_FLOOR", "")),
        second=second_opinion(environ),
    )
