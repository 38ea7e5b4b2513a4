"""What no log may hold: every secret and every typed text that the tests had in their hands."""

from __future__ import annotations

from collections.abc import Mapping

from botocore.credentials import ReadOnlyCredentials

_KEPT: dict[str, str] = {}


def secret(value: str, what: str) -> str:
    """Notes a secret; `what` is what a failing test calls it."""
    assert len(value) >= 8, "too short to be looked for"
    _KEPT[value] = what
    return value


def secret_keys(credentials: ReadOnlyCredentials, what: str) -> ReadOnlyCredentials:
    """Notes what of credentials is secret: an access key id is not."""
    secret(str(credentials.secret_key), f"{what}: secret access key")
    if credentials.token:
        secret(credentials.token, f"{what}: session token")
    return credentials


def kept() -> Mapping[str, str]:
    """All that was noted, and what each is."""
    return dict(_KEPT)
