"""The error of this package: a policy that IAM would not accept either."""

from __future__ import annotations

from hatchway.core.errors import ClientFault


class PolicyError(ClientFault):
    """The policy document is malformed."""

    code = "MalformedPolicyDocument"

    def __init__(self, message: str = "", *, source: str = "", name: str = "", where: str = ""):
        self.source, self.name, self.where = source, name, where
        label = " ".join(part for part in (source, name) if part)
        text = ": ".join(part for part in (label, where, message) if part)
        super().__init__(text)
