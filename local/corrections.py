"""Where the embedded AWS differs from AWS so that a policy of ours would have to be loosened, or
would go without its effect.

Each names what AWS does. They run in the embedded AWS's own process, and change nothing else.
"""

from __future__ import annotations

import copy
from typing import Any

from ministack.core import iam_actions
from ministack.services import dynamodb, lambda_svc


def apply() -> None:
    """Makes all corrections; once, before anything is served."""
    _instance_profile_arns()
    _logs_of_stream_functions()
    _streams_over_a_restart()


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


def _logs_of_stream_functions() -> None:
    """A function's log is written whoever invokes it, the routes of a WebSocket API too.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html
    """
    original = lambda_svc._run_with_function_config_scope

    def corrected(config: Any, callback: Any, *args: Any, **kwargs: Any) -> Any:
        result = original(config, callback, *args, **kwargs)
        # API Gateway's own way past the dispatcher, which writes the logs of all the others.
        if callback.__name__ == "_invoke_worker" and isinstance(result, dict):
            log, failed = str(result.get("log", "")), result.get("status") == "error"
            original(
                config, lambda_svc._emit_lambda_logs, {"config": config}, "stream", log, failed, 0
            )
        return result

    lambda_svc._run_with_function_config_scope = corrected


def _streams_over_a_restart() -> None:
    """A table's stream keeps its records for 24 hours, whatever restarts.

    How far a function has read is kept as a count from the stream's beginning. Were the records
    forgotten, as many changes as there had ever been would pass before it is told of one again.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
    """
    kept = {"streamRecords": dynamodb._stream_records, "streamTrimmed": dynamodb._stream_trimmed}
    state, restore = dynamodb.get_state, dynamodb.load_persisted_state

    def corrected_state() -> Any:
        return {**state(), **copy.deepcopy(kept)}

    def corrected_restore(data: Any) -> None:
        restore(data)
        for name, stored in kept.items():
            stored.update((data or {}).get(name, {}))

    dynamodb.get_state, dynamodb.load_persisted_state = corrected_state, corrected_restore
