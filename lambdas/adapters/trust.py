"""Who may assume a role, from its trust policy: whether that is EC2 and nobody else.

It answers no on anything that it does not know: only plain statements are taken.
"""

from __future__ import annotations

import json

#: EC2's service principal; in China regions instances still use the plain name in trust policies.
EC2 = frozenset({"ec2.amazonaws.com", "ec2.amazonaws.com.cn"})
#: IAM's own limit for a trust policy is 4,096 characters.
MAX_TRUST = 8192


def only_ec2(trust: str) -> bool:
    """Whether every Allow of the trust policy names EC2 alone, and at least one does."""
    if len(trust) > MAX_TRUST:
        return False
    try:
        document = json.loads(trust)
    except (ValueError, RecursionError):
        return False
    statements = document.get("Statement") if isinstance(document, dict) else None
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list):
        return False
    # A Deny can only take away: it is left out of account.
    allows = [s for s in statements if not (isinstance(s, dict) and s.get("Effect") == "Deny")]
    return bool(allows) and all(_names_ec2(statement) for statement in allows)


def _names_ec2(statement: object) -> bool:
    if not isinstance(statement, dict) or statement.get("Effect") != "Allow":
        return False
    named = statement.get("Principal")
    if not isinstance(named, dict) or set(named) != {"Service"} or "NotPrincipal" in statement:
        return False
    services = named["Service"]
    services = [services] if isinstance(services, str) else services
    return (
        isinstance(services, list)
        and bool(services)
        and all(type(s) is str and s in EC2 for s in services)
    )
