"""`hatchway get-connection-status`: whether a node can be reached now."""

from __future__ import annotations

import argparse

from hatchway.cli.options import add_common, add_output, add_target, service
from hatchway.cli.report import print_json
from hatchway.core.errors import Exit
from hatchway.core.screen import printable

NAME = "get-connection-status"
HELP = f"say whether a node's agent is connected (exit status {int(Exit.NOT_CONNECTED)} if not)"


def add(parser: argparse.ArgumentParser) -> None:
    add_common(parser)
    add_output(parser)
    add_target(parser)


def run(args: argparse.Namespace) -> int:
    hatchway = service(args)
    node = hatchway.resolve(args.target)
    connected = hatchway.connected(node)
    status = "connected" if connected else "notconnected"
    if args.output == "json":
        print_json({"Target": node, "Status": status})
    else:
        print(f"{printable(node)} {status}")
    return int(Exit.OK if connected else Exit.NOT_CONNECTED)
