"""The developer commands behind `make`: `python -m local up | shell | down | synth | deploy`."""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence

from local import account, demo_user, shell, stack
from local.deployment import CDK, cdk_environ
from local.environment import scrub
from local.errors import LauncherError
from local.places import ROOT, Places, places
from local.progress import Progress


def main(arguments: Sequence[str]) -> int:
    """Runs one command; its exit code."""
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, text in _VERBS.items():
        verbs.add_parser(verb, help=text)
    given, rest = parser.parse_known_args(arguments)
    if rest and given.verb != "deploy":
        parser.error(f"{given.verb} takes no arguments")
    try:
        return _run(given.verb, rest)
    except LauncherError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


_VERBS = {
    "up": "start the embedded AWS, deploy the stacks, set up the demo",
    "shell": "the same, and open a shell as john",
    "down": "stop what was started",
    "synth": "make the templates, without an account",
    "deploy": "cdk deploy --all into the account of your credentials",
}


def _run(verb: str, arguments: Sequence[str]) -> int:
    if verb == "deploy":
        return account.deploy(arguments, os.environ)
    here = places(os.environ)
    scrub(here)
    progress = Progress(sys.stderr)
    match verb:
        case "up":
            return _up(here, progress)
        case "shell":
            return _shell(here, progress)
        case "down":
            return _down(here, progress)
    return _synth()


def _up(here: Places, progress: Progress) -> int:
    running = stack.up(here, os.environ, progress)
    progress.note(
        f"Ready: node {running.demo.node}. Point any client at it with\n"
        f"  export HATCHWAY_CONFIG={shlex.quote(str(here.config))}\n"
        f"  export AWS_SHARED_CREDENTIALS_FILE={shlex.quote(str(here.credentials))}\n"
        "  export AWS_PROFILE=john"
    )
    return 0


def _shell(here: Places, progress: Progress) -> int:
    running = stack.up(here, os.environ, progress)
    if warning := demo_user.ensure(here).warning:
        progress.note(warning)
    outcome = shell.open_shell(running)
    shell.tell(outcome, progress)
    return shell.exit_code(outcome)


def _down(here: Places, progress: Progress) -> int:
    with progress.step("Stopping the agents and the embedded AWS"):
        stack.down(here)
    return 0


def _synth() -> int:
    # To be looked at; nobody deploys them, so no endpoint is asked for.
    context = ["-c", "endpointsElsewhere=true"]
    command = [str(CDK), "synth", "--quiet", "--no-version-reporting", "--no-notices", *context]
    code = subprocess.run(command, cwd=ROOT, env=cdk_environ(os.environ), check=False).returncode
    if code == 0:
        print("The templates are in cdk.out.", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
