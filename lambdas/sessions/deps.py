"""What `sessions` is made of, from its environment."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

from hatchway.core.documents import floor as account_floor
from lambdas import quotas
from lambdas.adapters import retention
from lambdas.adapters.connections import ApiClients
from lambdas.adapters.destinations import AwsEncryption
from lambdas.adapters.documents import TableDocuments
from lambdas.adapters.ec2 import FRESH, Ec2Instances
from lambdas.adapters.iam import IamDirectory, IamPolicies, IamRoles
from lambdas.adapters.iot import IotDownlink
from lambdas.adapters.lifecycle import TableLifecycle
from lambdas.adapters.organizations import guardrails
from lambdas.adapters.presence import IotPresence
from lambdas.adapters.recordings import LogRecordings
from lambdas.adapters.simulator import second_opinion
from lambdas.adapters.table import TableNodes, TableSessions
from lambdas.adapters.trail import LogGroup
from lambdas.destinations import allowed
from lambdas.environment import flag, required, stage
from lambdas.sessions.service import Service
from lambdas.terms import floor


def build(environ: Mapping[str, str]) -> Service:
    """EnvironmentIncomplete, which names it, for a missing variable."""
    table, destinations = required(environ, "TABLE"), allowed(environ)
    iot_data_url = environ.get("IOT_DATA_URL", "")
    return Service(
        sessions=TableSessions(table, history=retention.history(environ)),
        nodes=TableNodes(table),
        clients=ApiClients(required(environ, "STREAM_MANAGEMENT_URL")),
        downlink=IotDownlink(stage(environ), iot_data_url),
        presence=IotPresence(iot_data_url),
        instances=Ec2Instances(life=FRESH),
        roles=IamRoles(),
        policies=IamPolicies(guardrails=guardrails(environ)),
        directory=IamDirectory(),
        documents=TableDocuments(table),
        recordings=LogRecordings(required(environ, "RECORDINGS")),
        encryption=AwsEncryption(destinations.owner),
        allowed=destinations,
        clock=time.time,
        random=os.urandom,
        stage=stage(environ),
        region=required(environ, "AWS_REGION"),
        stream_url=required(environ, "STREAM_URL"),
        channel_role_id=required(environ, "CHANNEL_ROLE_ID"),
        limits=quotas.limits(environ),
        trail=LogGroup(required(environ, "AUDIT_LOG")),
        paths_decoded=flag(environ, "GATEWAY_DECODES_PATHS"),
        second=second_opinion(environ),
        floor=account_floor.read(environ.get("SESSION_FLOOR", "")),
        visitors=TableLifecycle(table) if flag(environ, "LIFECYCLE_CONNECTIONS") else None,
        recording=floor(environ),
    )
