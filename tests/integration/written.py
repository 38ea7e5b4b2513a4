"""Session documents as tests write them: made by the administrator, and removed afterwards."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from local.identities import ADMIN
from local.stack import Stack


@contextmanager
def session_document(stack: Stack, **inputs: object) -> Iterator[str]:
    """The name of a Standard_Stream document with these inputs; those of Session Manager's that
    must be there and are not are off. `own` are Hatchway's settings."""
    name = f"test-{secrets.token_hex(6)}"
    own: object = inputs.pop("own", {})
    content: Mapping[str, object] = {
        "schemaVersion": "1.0",
        "sessionType": "Standard_Stream",
        "inputs": {
            "s3EncryptionEnabled": False,
            "cloudWatchEncryptionEnabled": False,
            "cloudWatchStreamingEnabled": True,
            "runAsEnabled": False,
            "hatchway": own,
            **inputs,
        },
    }
    admin = stack.people(ADMIN)
    body = {"Name": name, "Content": json.dumps(content), "DocumentFormat": "JSON"}
    made = admin.call("POST", "/documents", body)
    assert made.status == 200, (made.status, made.code, made.fields.get("message"))
    try:
        yield name
    finally:
        admin.call("DELETE", f"/documents/{name}")
