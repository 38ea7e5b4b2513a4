"""What a deployment or a running agent was made from, as one digest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

_SKIPPED = {"__pycache__", "cdk.out", "node_modules"}


def fingerprint(root: Path, sources: Iterable[str], *also: str) -> str:
    """SHA-256 over the names and contents of `sources` (files, and folders with all below) and
    over `also`. A source that is missing counts as such."""
    digest = hashlib.sha256()
    for path in _files(root, sources):
        _add(digest, str(path.relative_to(root)).encode())
        _add(digest, path.read_bytes() if path.is_file() else b"missing")
    for text in also:
        _add(digest, text.encode())
    return digest.hexdigest()


def _add(digest: hashlib._Hash, data: bytes) -> None:
    digest.update(len(data).to_bytes(8, "big") + data)


def _files(root: Path, sources: Iterable[str]) -> Iterator[Path]:
    for source in sources:
        top = root / source
        if top.is_dir():
            yield from sorted(
                path
                for path in top.rglob("*")
                if path.is_file() and not _SKIPPED & set(path.relative_to(root).parts)
            )
        else:
            yield top
