"""Stands in for instance metadata: `python -m local.instance_credentials DIR ROLE NODE`.

A node's AWS profile calls it as its credential_process. It prints an hour of the instance role, in
a session that is named like the instance, as EC2 does it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from local import emulator
from local.environment import scrub
from local.errors import LauncherError
from local.places import Places


def main(arguments: list[str]) -> None:
    directory, role, node = arguments
    places = Places(Path(directory))
    scrub(places)
    running = emulator.running(places)
    if running is None:
        raise LauncherError("The embedded AWS does not run.")
    print(json.dumps({"Version": 1, **issue(running, role, node)}))


def issue(running: emulator.Emulator, role: str, node: str) -> dict[str, str]:
    """The instance role's credentials, as a credential_process prints them."""
    answer = running.client("sts").assume_role(RoleArn=role, RoleSessionName=node)
    issued = answer["Credentials"]
    return {
        "AccessKeyId": issued["AccessKeyId"],
        "SecretAccessKey": issued["SecretAccessKey"],
        "SessionToken": issued["SessionToken"],
        "Expiration": issued["Expiration"].strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except LauncherError as error:
        sys.exit(str(error))
