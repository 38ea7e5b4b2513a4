"""`hatchway replay`: a recording in the terminal, at its own pace or another."""

from __future__ import annotations

import argparse

from hatchway.cli.options import add_common, service

NAME = "replay"
HELP = "play a session's recording in the terminal"


def add(parser: argparse.ArgumentParser) -> None:
    add_common(parser)
    parser.add_argument("session_id", metavar="SESSION")
    parser.add_argument(
        "--speed", type=_positive, default=1.0, help="times as fast; 0: without any wait"
    )
    parser.add_argument(
        "--max-idle",
        type=_positive,
        default=2.0,
        metavar="SECONDS",
        help="the longest wait, whatever the session's own was (default: 2)",
    )
    parser.add_argument(
        "--at", type=_positive, default=0.0, metavar="SECONDS", help="begin at this second"
    )


def run(args: argparse.Namespace) -> int:
    """Needs no terminal: without one it prints what the screen showed."""
    import asyncio

    from hatchway.client.playback import Pace, Player
    from hatchway.client.terminal import open_terminal

    chunks = list(service(args).recordings.chunks(args.session_id))
    player = Player(open_terminal(), chunks, Pace(args.speed, args.max_idle))
    asyncio.run(player.run(args.at))
    return 0


def _positive(text: str) -> float:
    value = float(text)
    if not 0 <= value < 10**9:
        raise argparse.ArgumentTypeError("is a number from 0 on")
    return value
