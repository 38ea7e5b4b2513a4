"""The environment of local commands: nothing of the caller's AWS account gets through."""

from __future__ import annotations

import os
from collections.abc import Mapping

from local.places import Places

#: What would point a command at somebody's account, profile, endpoint or other modules.
_DROPPED = ("AWS_", "HATCHWAY_", "CDK_", "BOTO_", "PYTHONPATH", "PYTHONHOME", "NODE_EXTRA_CA_CERTS")
_LOOPBACK = ("127.0.0.1", "localhost")


def scrubbed(environ: Mapping[str, str], places: Places) -> dict[str, str]:
    """`environ` without AWS or Hatchway settings, and with ~/.aws out of reach.

    Loopback never goes through a proxy; the instance metadata service is never asked.
    """
    clean = {name: value for name, value in environ.items() if not name.startswith(_DROPPED)}
    past_proxy = ",".join(filter(None, (clean.get("no_proxy", clean.get("NO_PROXY")), *_LOOPBACK)))
    return clean | {
        "AWS_CONFIG_FILE": str(places.aws_config),
        "AWS_SHARED_CREDENTIALS_FILE": str(places.credentials),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "NO_PROXY": past_proxy,
        "no_proxy": past_proxy,
    }


def scrub(places: Places) -> None:
    """Does it to this process, so that no library of it finds the caller's settings either."""
    clean = scrubbed(os.environ, places)
    os.environ.clear()
    os.environ.update(clean)
