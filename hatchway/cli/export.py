"""`hatchway export`: a recording as an asciicast v3 file, for the asciinema player."""

from __future__ import annotations

import argparse
from pathlib import Path

from hatchway.cli.options import add_common, service

NAME = "export"
HELP = "write a recording as an asciicast file"


def add(parser: argparse.ArgumentParser) -> None:
    add_common(parser)
    parser.add_argument("session_id", metavar="SESSION")
    parser.add_argument(
        "-o", "--file", type=Path, required=True, metavar="FILE", help="where to; it is made anew"
    )


def run(args: argparse.Namespace) -> int:
    """Readable by its owner alone: a recording may hold what its session showed."""
    import os

    from hatchway.core.transcript.asciicast import cast

    chunks = list(service(args).recordings.chunks(args.session_id))
    started = chunks[0].at // 1000 if chunks else 0
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    with os.fdopen(os.open(args.file, flags, 0o600), "w", encoding="utf-8") as file:
        for line in cast(chunks, started, args.session_id):
            file.write(line)
    return 0
