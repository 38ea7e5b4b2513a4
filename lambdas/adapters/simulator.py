"""iam:SimulatePrincipalPolicy: what IAM itself says of a principal's policies.

It knows service control policies, and no session policies. A key that it is not given counts for
it as absent: where it misses one that is unknown rather than absent, the answer is no.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hatchway.core.errors import AccessDeniedException, HatchwayError, ThrottlingException
from hatchway.core.policy import UNKNOWN, AccessRequest, ContextValue, Outcome
from lambdas.adapters import aws
from lambdas.adapters.cache import Cache
from lambdas.environment import EnvironmentIncomplete
from lambdas.opinion import Mode, SecondOpinion
from lambdas.ports import Clock

if TYPE_CHECKING:
    from mypy_boto3_iam.client import IAMClient
    from mypy_boto3_iam.type_defs import ContextEntryTypeDef

PATIENCE = aws.Patience(connect=1.0, read=5.0, attempts=3)
#: Seconds for which an answer is kept, as long as what IAM says of the policies; and how many.
CACHE = 10.0
MAX_ANSWERS = 1000

_OUTCOMES = {
    "allowed": Outcome.ALLOWED,
    "explicitDeny": Outcome.EXPLICITLY_DENIED,
    "implicitDeny": Outcome.IMPLICITLY_DENIED,
}
#: The types of keys that IAM compares otherwise than as text.
_TYPES = {
    "aws:currenttime": "date",
    "aws:epochtime": "numeric",
    "aws:multifactorauthpresent": "boolean",
    "aws:principalisawsservice": "boolean",
    "aws:securetransport": "boolean",
    "aws:sourceip": "ip",
    "aws:viaawsservice": "boolean",
    "ssm:sessiondocumentaccesscheck": "boolean",
}
_CLOCKS = frozenset({"aws:currenttime", "aws:epochtime"})

Key = tuple[str, str, str, frozenset[tuple[str, ContextValue]]]


def second_opinion(environ: Mapping[str, str], life: float = CACHE) -> SecondOpinion | None:
    """ACCESS_DECISION: evaluator (the default), simulator or both."""
    wanted = environ.get("ACCESS_DECISION") or Mode.EVALUATOR.value
    if wanted not in list(Mode):
        raise EnvironmentIncomplete(f"ACCESS_DECISION is none of {', '.join(Mode)}.")
    mode = Mode(wanted)
    return None if mode is Mode.EVALUATOR else SecondOpinion(IamSimulator(life=life), mode)


class IamSimulator:
    """The port Simulator; `life` is how many seconds an answer is kept."""

    def __init__(
        self,
        clock: Clock = time.monotonic,
        client: IAMClient | None = None,
        life: float = CACHE,
    ) -> None:
        self._iam: IAMClient = client or aws.client("iam", PATIENCE)
        self._answers: Cache[Key, Outcome] = Cache(MAX_ANSWERS, life, clock)

    def simulate(self, source_arn: str, request: AccessRequest) -> Outcome:
        # The time of day is no part of what is remembered: it would never be the same twice.
        told = frozenset((k, v) for k, v in request.context.items() if k.lower() not in _CLOCKS)
        key = (source_arn, request.action, request.resource, told)
        return self._answers.get(key, lambda: self._ask(source_arn, request))

    def _ask(self, source_arn: str, request: AccessRequest) -> Outcome:
        try:
            with aws.calling("IAM", {"NoSuchEntity": AccessDeniedException}):
                answer: Any = self._iam.simulate_principal_policy(
                    PolicySourceArn=source_arn,
                    ActionNames=[request.action],
                    ResourceArns=[request.resource],
                    ContextEntries=[
                        _entry(name, value)
                        for name, value in request.context.items()
                        if value is not UNKNOWN
                    ],
                )
        except (AccessDeniedException, ThrottlingException):
            raise
        except HatchwayError as error:
            raise ThrottlingException("IAM does not answer; try again later.") from error
        results = answer.get("EvaluationResults", [])
        if len(results) != 1 or answer.get("IsTruncated"):
            raise ThrottlingException("IAM does not answer; try again later.")
        return _outcome(results[0], request)


def _entry(name: str, value: ContextValue) -> ContextEntryTypeDef:
    values = [value] if isinstance(value, str) else [str(one) for one in value]  # type: ignore[union-attr]
    kind: Any = _TYPES.get(name.lower(), "string")
    if not isinstance(value, str):
        kind = f"{kind}List"
    return {"ContextKeyName": name, "ContextKeyValues": values, "ContextKeyType": kind}


def _outcome(result: dict[str, Any], request: AccessRequest) -> Outcome:
    """What IAM decided; anything that is not plainly a yes is a no."""
    outcome = _OUTCOMES.get(result.get("EvalDecision", ""), Outcome.IMPLICITLY_DENIED)
    if outcome is not Outcome.ALLOWED:
        return outcome
    unknown = {name.lower() for name, value in request.context.items() if value is UNKNOWN}
    missing = {name.lower() for name in result.get("MissingContextValues", [])}
    organisation = result.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations", True)
    boundary = result.get("PermissionsBoundaryDecisionDetail", {}).get(
        "AllowedByPermissionsBoundary", True
    )
    if unknown & missing or not organisation or not boundary:
        return Outcome.IMPLICITLY_DENIED
    return outcome
