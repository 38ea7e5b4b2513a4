"""What a caller may have asked of EC2 and IAM in a minute: counted before either is asked, so that
nobody can use up the account's own rates there."""

from __future__ import annotations

from hatchway.core import api
from hatchway.core.names import Owner
from hatchway.core.shapes import Operation
from lambdas.principal import Principal
from lambdas.sessions.service import Service

#: Requests of one user, or of all sessions of one role, in a minute.
MAX_QUESTIONS = 600
#: How many times the starts of one caller all sessions of one role may have together.
ROLE_SHARE = 10
#: What has more asked than the caller's own policies and known nodes' tags, which are kept for
#: seconds.
_ASKING = frozenset(
    operation.name
    for operation in (
        api.RESET_NODE,
        api.ALLOW_NODE_ROLE,
        api.EXPLAIN_ACCESS,
        api.WHO_CAN,
        api.WHAT_CAN,
    )
)


def spend(service: Service, operation: Operation, principal: Principal) -> None:
    """ThrottlingException beyond the caller's rate. A session of a role can be had under any name,
    so those of a role count together as well."""
    account, role = principal.owner.account, principal.role_id
    if operation is api.START_SESSION:
        most = service.limits.starts_a_minute
        service.sessions.count_start(principal.owner, most)
        if role:
            service.sessions.count_start(Owner(account, role), most * ROLE_SHARE)
    elif operation.name in _ASKING:
        asker = Owner(account, role) if role else principal.owner
        service.sessions.count_question(asker, MAX_QUESTIONS)
