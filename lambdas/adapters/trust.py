"""Who may assume a role, from its trust policy: EC2 and nobody else, and who may give tags.

It answers no on anything that it does not know: only plain statements are taken.
"""

from __future__ import annotations

import json

#: EC2's service principal; in China regions instances still use the plain name in trust policies.
EC2 = frozenset({"ec2.amazonaws.com", "ec2.amazonaws.com.cn"})
#: IAM's own limit for a trust policy is 4,096 characters.
MAX_TRUST = 8192
#: What a trust policy may allow without letting anybody give tags.
_UNTAGGED = frozenset(
    {
        "sts:assumerole",
        "sts:assumerolewithsaml",
        "sts:assumerolewithwebidentity",
        "sts:setsourceidentity",
    }
)


def only_ec2(trust: str) -> bool:
    """Whether every Allow of the trust policy names EC2 alone, and at least one does."""
    statements = _statements(trust)
    # A Deny can only take away: it is left out of account.
    allows = [s for s in statements if not (isinstance(s, dict) and s.get("Effect") == "Deny")]
    return bool(allows) and all(_names_ec2(statement) for statement in allows)


def tags_nobody(trust: str) -> bool:
    """Whether the trust policy lets nobody give tags to a session of the role, so that a session
    has the role's own. Only plain statements are taken; whatever could mean sts:TagSession does."""
    statements = _statements(trust)
    return bool(statements) and not any(_may_tag(statement) for statement in statements)


def _may_tag(statement: object) -> bool:
    if not isinstance(statement, dict):
        return True
    if statement.get("Effect") == "Deny":
        return False
    actions = statement.get("Action")
    actions = [actions] if isinstance(actions, str) else actions
    if not isinstance(actions, list) or "NotAction" in statement:
        return True
    return not all(isinstance(each, str) and each.lower() in _UNTAGGED for each in actions)


def _statements(trust: str) -> list[object]:
    """None where the policy cannot be read."""
    if len(trust) > MAX_TRUST:
        return []
    try:
        document = json.loads(trust)
    except (ValueError, RecursionError):
        return []
    statements = document.get("Statement") if isinstance(document, dict) else None
    if isinstance(statements, dict):
        return [statements]
    return statements if isinstance(statements, list) else []


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
