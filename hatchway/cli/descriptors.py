"""Standard streams that this program was started without."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def open_closed_descriptors() -> None:
    """A standard stream that this program was started without is /dev/null from here on: a file
    or a connection that is opened later must not take its place."""
    for fd in (0, 1, 2):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free one: this
    if sys.stdout is None:
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 (for as long as the program runs)
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115
