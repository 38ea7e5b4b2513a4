"""Fetches the pinned wheels of the Lambda functions for their platform, and keeps them unpacked.

Only wheels, only with the hashes of lambdas/requirements.txt, and once: a second synth copies.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from infra.config import Architecture
from infra.imports import PackagingFailed

PYTHON: Final = "3.13"
#: What Amazon Linux 2023, on which Python 3.13 runs, can load: glibc 2.34 and older.
_GLIBC: Final = ("manylinux_2_34", "manylinux_2_28", "manylinux_2_17", "manylinux2014")
_MACHINE: Final[Mapping[Architecture, str]] = {
    Architecture.ARM64: "aarch64",
    Architecture.X86_64: "x86_64",
}
#: Seconds for one package set; a stuck download must not hang a deployment.
_TIMEOUT: Final = 300

#: What an imported name needs at run time. pycparser, which cffi asks for, only parses C
#: declarations when an extension is built.
DISTRIBUTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "aws_lambda_powertools": ("aws-lambda-powertools", "jmespath", "typing-extensions"),
    "cryptography": ("cryptography", "cffi"),
    "yaml": ("pyyaml",),
}
#: Written by the installer: the interpreter's path, and other things that differ by machine.
_LOCAL_TRACES: Final = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")


class Wheels:
    """The third-party packages of one architecture."""

    def __init__(self, root: Path, architecture: Architecture) -> None:
        self._lock = root / "lambdas" / "requirements.txt"
        self._cache = root / "build" / "lambda-packages"
        self._architecture = architecture

    def trees(self, imported: Iterable[str]) -> list[Path]:
        """A folder to copy for each imported top-level package, in a fixed order."""
        return [self._tree(name) for name in sorted(imported)]

    def _tree(self, imported: str) -> Path:
        try:
            distributions = DISTRIBUTIONS[imported]
        except KeyError:
            raise PackagingFailed(
                f"{imported} is imported by a Lambda family but not packaged: it belongs into "
                "lambdas/requirements.in and infra/wheels.py, or out of the code."
            ) from None
        pinned = _pinned(self._lock.read_text(), distributions)
        digest = hashlib.sha256(f"{PYTHON} {self._architecture}\n{pinned}".encode()).hexdigest()
        tree = self._cache / f"{imported}-{self._architecture}-{digest[:16]}"
        if not tree.is_dir():
            self._install(pinned, tree)
        return tree

    def _install(self, pinned: str, tree: Path) -> None:
        self._cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._cache) as temporary:
            requirements, target = Path(temporary, "requirements.txt"), Path(temporary, "tree")
            requirements.write_text(pinned)
            _pip(self._pip_arguments(requirements, target))
            _strip(target)
            try:
                target.rename(tree)
            except OSError:
                # Another synth was faster; its tree has the same content.
                if not tree.is_dir():
                    raise

    def _pip_arguments(self, requirements: Path, target: Path) -> list[str]:
        machine = _MACHINE[self._architecture]
        platforms = [f"--platform={glibc}_{machine}" for glibc in _GLIBC]
        abis = [f"--abi={abi}" for abi in (f"cp{PYTHON.replace('.', '')}", "abi3", "none")]
        version = [f"--python-version={PYTHON}", "--implementation=cp"]
        strict = ["--only-binary=:all:", "--require-hashes", "--no-deps", "--no-compile"]
        files = [f"--requirement={requirements}", f"--target={target}"]
        return [*platforms, *abis, *version, *strict, *files]


def _pinned(lock: str, distributions: Iterable[str]) -> str:
    """The lock file's entries, hashes and all, of these distributions."""
    entries = {
        match[1]: match[0].strip()
        for match in re.finditer(r"^([a-z0-9-]+)==.*(?:\n[ \t]+--hash=.*)+", lock, re.MULTILINE)
    }
    missing = [name for name in distributions if name not in entries]
    if missing:
        raise PackagingFailed(f"lambdas/requirements.txt does not pin {', '.join(missing)}.")
    return "\n".join(entries[name].rstrip("\\ ") for name in distributions) + "\n"


def _pip(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run(
        [*command, *arguments], capture_output=True, text=True, timeout=_TIMEOUT, check=False
    )
    if done.returncode:
        raise PackagingFailed(f"pip could not fetch a Lambda package:\n{done.stderr.strip()}")


def _strip(tree: Path) -> None:
    shutil.rmtree(tree / "bin", ignore_errors=True)
    for info in tree.glob("*.dist-info"):
        for name in _LOCAL_TRACES:
            (info / name).unlink(missing_ok=True)
