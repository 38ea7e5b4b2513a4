"""`hatchway doctor`: what stands between you and a session, and what to do about it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from hatchway.cli.options import TARGET_HELP, add_common, add_output
from hatchway.cli.report import NEXT_STEP, print_json
from hatchway.core.errors import Exit, HatchwayError
from hatchway.core.screen import printable

if TYPE_CHECKING:
    from hatchway.client.doctor import Finding

NAME = "doctor"
HELP = "find out why a session cannot be opened, and what to do about it"


def add(parser: argparse.ArgumentParser) -> None:
    add_common(parser)
    add_output(parser)
    parser.add_argument("target", nargs="?", metavar="TARGET", help=TARGET_HELP)


def run(args: argparse.Namespace) -> int:
    found: list[Finding] = []
    for finding in _examined(args):
        found.append(finding)
        if args.output == "table":
            _print(finding)
    failed = next((finding.error for finding in found if finding.error is not None), None)
    if args.output == "json":
        print_json({"Findings": [finding.members() for finding in found]})
    return int(failed.exit if failed is not None else Exit.OK)


def _examined(args: argparse.Namespace) -> Iterable[Finding]:
    from hatchway.client import load_settings
    from hatchway.client.doctor import Doctor, Finding, State

    try:
        settings = load_settings(args.config, args.region)
    except HatchwayError as error:
        return [Finding(check="configuration", state=State.FAILED, seen=error.message, error=error)]
    return Doctor(settings, args.profile, args.target).examine()


def _print(finding: Finding) -> None:
    """A line for a check, and one for what to do; at once, for some take seconds."""
    print(f"{finding.state.value:<8} {finding.check}: {printable(finding.seen)}")
    advice = finding.advice or NEXT_STEP.get(finding.error.code if finding.error else "", "")
    if advice:
        print(f"         {printable(advice)}")
    sys.stdout.flush()
