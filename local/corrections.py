"""Where the embedded AWS differs from AWS so that a policy of ours would have to be loosened.

Each names what AWS does. They run in the embedded AWS's own process, and change nothing else.
"""

from __future__ import annotations

from typing import Any

from ministack.core import iam_actions


def apply() -> None:
    """Makes all corrections; once, before anything is served."""
    _instance_profile_arns()


def _instance_profile_arns() -> None:
    """GetInstanceProfile is authorised on the instance profile, and not on `*`.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
    """
    original = iam_actions.extract_resource_arn

    def corrected(
        service: str,
        method: str,
        path: str,
        headers: Any,
        body: Any,
        query: Any,
        region: str,
        account: str,
    ) -> str:
        arn: str = original(service, method, path, headers, body, query, region, account)
        name = iam_actions._query_param(query, "InstanceProfileName")
        if service == "iam" and arn == "*" and name:
            return f"arn:aws:iam::{account}:instance-profile/{name}"
        return arn

    iam_actions.extract_resource_arn = corrected
