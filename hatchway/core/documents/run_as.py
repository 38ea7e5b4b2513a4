"""Which operating system user a session runs as, as far as the service decides it.

https://docs.aws.amazon.com/systems-manager/latest/userguide/session-preferences-run-as.html
"""

from __future__ import annotations

from collections.abc import Mapping

from hatchway.core.documents.model import Inputs
from hatchway.core.documents.reading import OS_USER
from hatchway.core.errors import RunAsRefused

#: The tag of a user or role that names the operating system user.
TAG = "SSMSessionRunAs"


def run_as(inputs: Inputs, tags: Mapping[str, str] | None) -> str:
    """The user, "" where the document does not ask for run as. `tags` are the principal's, None
    where they cannot be known. RunAsRefused where there is no user, or none that may be."""
    if not inputs.run_as_enabled:
        return ""
    if tags is None:
        raise RunAsRefused(
            f"The document demands run as, and whether a session tag {TAG} names the user cannot "
            "be known for this role: its trust policy allows sts:TagSession. Take that out of the "
            f"trust policy and tag the role with {TAG}, or call as an IAM user."
        )
    user = tags.get(TAG, "") or inputs.run_as_default_user
    if not user:
        raise RunAsRefused(
            f"The document demands run as and no user is named: tag the principal with {TAG}, or "
            "set runAsDefaultUser in the document."
        )
    if not OS_USER.fullmatch(user):
        raise RunAsRefused(f"The tag {TAG} of the principal is not the name of a user.")
    if user == "root" and not inputs.hatchway.run_as_root_allowed:
        raise RunAsRefused("Sessions run as root only where the document has runAsRootAllowed.")
    return user
