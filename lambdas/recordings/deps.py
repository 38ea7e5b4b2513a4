"""What `recordings` is made of, from its environment."""

from __future__ import annotations

import time
from collections.abc import Mapping

from lambdas.adapters import retention
from lambdas.adapters.archive import ArchiveBucket, KmsPublicKeys, KmsUnwrapper, LogPassed
from lambdas.adapters.crypto import cipher
from lambdas.adapters.ec2 import FRESH, Ec2Instances
from lambdas.adapters.iam import IamPolicies
from lambdas.adapters.organizations import guardrails
from lambdas.adapters.simulator import second_opinion
from lambdas.adapters.table import TableNodes, TableSessions
from lambdas.environment import flag, required
from lambdas.opening import OpenedLog
from lambdas.recordings.service import Service


def build(environ: Mapping[str, str]) -> Service:
    """EnvironmentIncomplete, which names it, for a missing variable."""
    table = required(environ, "TABLE")
    return Service(
        sessions=TableSessions(table, history=retention.history(environ)),
        nodes=TableNodes(table),
        instances=Ec2Instances(life=FRESH),
        policies=IamPolicies(guardrails=guardrails(environ)),
        archive=ArchiveBucket(required(environ, "ARCHIVE")),
        passed=OpenedLog(
            LogPassed(required(environ, "RECORDINGS")),
            KmsUnwrapper(required(environ, "RECORDING_KEY")),
            cipher,
        ),
        keys=KmsPublicKeys(required(environ, "SIGNING_KEY")),
        clock=time.time,
        region=required(environ, "AWS_REGION"),
        channel_role_id=required(environ, "CHANNEL_ROLE_ID"),
        paths_decoded=flag(environ, "GATEWAY_DECODES_PATHS"),
        second=second_opinion(environ),
    )
