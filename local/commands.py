"""Commands that run to their end: the CDK's."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from local.errors import CommandFailed
from local.places import ROOT

#: No step of a local deployment takes longer, unless it hangs.
LIMIT = 600.0


def run(
    command: Sequence[str], *, environ: Mapping[str, str], log: Path, what: str, cwd: Path = ROOT
) -> None:
    """Runs `command` to its end, output to `log`; CommandFailed with the log's end."""
    with log.open("wb") as output:
        try:
            done = subprocess.run(
                command,
                env=dict(environ),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=LIMIT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise CommandFailed(f"{what} did not end within {LIMIT:.0f} s", log) from None
    if done.returncode:
        raise CommandFailed(f"{what} failed", log)
