"""What `review` is made of, from its environment."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

from lambdas.adapters import retention
from lambdas.adapters.connections import ApiClients
from lambdas.adapters.ec2 import Ec2Instances
from lambdas.adapters.iam import IamPolicies
from lambdas.adapters.iot import IotDownlink
from lambdas.adapters.organizations import guardrails
from lambdas.adapters.simulator import second_opinion
from lambdas.adapters.table import TableNodes, TableSessions
from lambdas.environment import required, stage
from lambdas.review.handler import Review


def build(environ: Mapping[str, str]) -> Review:
    """Nothing of IAM and EC2 is kept from one run to the next: an event says that it changed.
    Service control policies are, for a minute: Organizations answers few calls."""
    table = required(environ, "TABLE")
    return Review(
        sessions=TableSessions(table, history=retention.history(environ)),
        nodes=TableNodes(table),
        clients=ApiClients(required(environ, "STREAM_MANAGEMENT_URL")),
        downlink=IotDownlink(stage(environ), environ.get("IOT_DATA_URL", "")),
        instances=Ec2Instances(life=0.0),
        policies=IamPolicies(life=0.0, guardrails=guardrails(environ)),
        clock=time.time,
        random=os.urandom,
        region=required(environ, "AWS_REGION"),
        channel_role_id=required(environ, "CHANNEL_ROLE_ID"),
        second=second_opinion(environ, life=0.0),
    )
