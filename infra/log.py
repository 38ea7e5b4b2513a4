"""Explicit log groups: named after what writes them, kept for as long as the context says."""

from __future__ import annotations

from typing import cast

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.config import Config


def kept_log(scope: Construct, name: str, config: Config) -> logs.LogGroup:
    """A log group that goes with the stack: its name is fixed, the next deployment needs it."""
    group = logs.LogGroup(scope, "Log", log_group_name=name, removal_policy=RemovalPolicy.DESTROY)
    # The construct takes its periods as words; the number is what the context and the template say.
    cast(logs.CfnLogGroup, group.node.default_child).retention_in_days = config.log_retention_days
    return group
