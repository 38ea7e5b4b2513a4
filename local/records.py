"""Small files, written at once and readable by their owner only."""

from __future__ import annotations

import json
import os
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Replaces `path` with `text`, mode 0600 from the first byte; nobody sees half of it."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)


def write_record(path: Path, record: dict[str, object]) -> None:
    write_private(path, json.dumps(record, indent=2, sort_keys=True) + "\n")


def read_record(path: Path) -> dict[str, object]:
    """The record, or an empty one where there is none or it is no JSON object."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}
