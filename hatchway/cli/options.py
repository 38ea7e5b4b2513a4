"""Options that several verbs share, and the SDK client they lead to."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hatchway.client import Hatchway

TARGET_HELP = "an instance id, a Name, or tag:key=value; exactly one node must match"


def add_common(parser: argparse.ArgumentParser) -> None:
    """Which deployment, and as whom."""
    group = parser.add_argument_group("connection")
    group.add_argument("--profile", help="the AWS profile to sign with (default: AWS_PROFILE)")
    group.add_argument("--region", help="the deployment's AWS region")
    group.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="the configuration (default: HATCHWAY_CONFIG, then ~/.config/hatchway/config.toml)",
    )


def add_output(parser: argparse.ArgumentParser) -> None:
    """How the answer is printed."""
    parser.add_argument(
        "--output",
        choices=("table", "json"),
        default="table",
        help="a table for people, or JSON with stable names for programs",
    )


def add_target(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--target", help=f"{TARGET_HELP} (default: node_id of the configuration, if it has one)"
    )


def add_wait(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--wait",
        metavar="SECONDS",
        type=float,
        default=0.0,
        help="wait so long for a node that is not connected (default: fail at once)",
    )


def service(args: argparse.Namespace) -> Hatchway:
    """The SDK's client for these options. Imported here: `--help` does not wait for botocore."""
    from hatchway.client import Hatchway, load_settings

    return Hatchway(load_settings(args.config, args.region), args.profile)
