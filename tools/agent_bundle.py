"""`python -m tools.agent_bundle [--wheels]`: the agent as one archive, the same for the same code.

It holds the agent, the core it shares with the service, the pinned requirements, the installer and
the systemd unit; with --wheels also the packages, for nodes that reach no package index.
"""

from __future__ import annotations

import argparse
import gzip
import io
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUNDLE = "hatchway-agent"
OUTPUT = ROOT / "build" / f"{BUNDLE}.tar.gz"
#: Architectures a node may have; one bundle serves both.
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_28_aarch64")
PYTHONS = ("3.11", "3.12", "3.13")
_TIMEOUT = 600


def files(root: Path) -> Iterator[tuple[str, Path]]:
    """Where each file stands in the bundle, and where it comes from, in a fixed order."""
    for folder in ("agent", "hatchway/core"):
        for path in sorted((root / folder).rglob("*.py")):
            yield path.relative_to(root).as_posix(), path
    yield "hatchway/__init__.py", root / "hatchway" / "__init__.py"
    yield "requirements.txt", root / "agent" / "requirements.txt"
    for name in ("install.sh", "hatchway-agent.service"):
        yield name, root / "agent" / "service" / name
    yield "LICENSE", root / "LICENSE"


def bundle(output: Path, members: Sequence[tuple[str, Path]]) -> Path:
    """Writes the archive: no times, owners or orders of this machine are in it."""
    output.parent.mkdir(parents=True, exist_ok=True)
    with (
        output.open("wb") as raw,
        gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        for name, path in members:
            content = path.read_bytes()
            entry = tarfile.TarInfo(f"{BUNDLE}/{name}")
            entry.size = len(content)
            entry.mode = 0o755 if name == "install.sh" else 0o644
            archive.addfile(entry, io.BytesIO(content))
    return output


def wheels(folder: Path) -> Iterator[tuple[str, Path]]:
    """The pinned packages for every platform and Python a node may have."""
    for platform in PLATFORMS:
        for python in PYTHONS:
            subprocess.run(
                [
                    *(sys.executable, "-m", "pip", "download", "--quiet", "--require-hashes"),
                    *("--disable-pip-version-check", "--no-deps", "--only-binary", ":all:"),
                    *("--platform", platform, "--python-version", python),
                    *("--dest", str(folder), "-r", str(ROOT / "agent" / "requirements.txt")),
                ],
                check=True,
                timeout=_TIMEOUT,
            )
    for path in sorted(folder.glob("*.whl")):
        yield f"wheels/{path.name}", path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wheels", action="store_true", help="with the packages it needs")
    with tempfile.TemporaryDirectory() as folder:
        extra = list(wheels(Path(folder))) if parser.parse_args().wheels else []
        made = bundle(OUTPUT, [*files(ROOT), *extra])
    sys.stdout.write(f"{made.relative_to(ROOT)}: {made.stat().st_size // 1024} KiB\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
