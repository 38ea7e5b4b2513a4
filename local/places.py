"""Where the launcher keeps its files: all under one directory, `.local` unless told otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

#: The checkout.
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Places:
    """The directory of one embedded AWS with its demo, and the paths in it."""

    directory: Path

    @property
    def config(self) -> Path:
        """What any client is pointed at with HATCHWAY_CONFIG."""
        return self.directory / "config.toml"

    @property
    def credentials(self) -> Path:
        """An AWS credentials file with the demo users' profiles."""
        return self.directory / "credentials"

    @property
    def aws_config(self) -> Path:
        """Stands where AWS tools would otherwise read ~/.aws/config."""
        return self.directory / "aws-config"

    @property
    def ca_bundle(self) -> Path:
        return self.directory / "ca.pem"

    @property
    def certificate(self) -> Path:
        return self.directory / "server.pem"

    @property
    def key(self) -> Path:
        return self.directory / "server.key"

    @property
    def emulator(self) -> Path:
        """The embedded AWS's own files: its state, its functions, its temporary files."""
        return self.directory / "emulator"

    @property
    def logs(self) -> Path:
        return self.directory / "logs"

    @property
    def nodes(self) -> Path:
        return self.directory / "nodes"

    @property
    def assembly(self) -> Path:
        """The synthesised templates."""
        return self.directory / "cdk.out"

    def record(self, name: str) -> Path:
        """The JSON file in which the launcher remembers `name`."""
        return self.directory / "state" / f"{name}.json"

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def make(self) -> None:
        """Makes the directories, readable by their owner only (the agent's shells are others)."""
        for path in (
            self.directory,
            self.directory / "state",
            self.emulator,
            self.logs,
            self.nodes,
        ):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)


def places(environ: Mapping[str, str]) -> Places:
    """The places named by HATCHWAY_LOCAL_DIR (relative to the checkout), or `.local`."""
    return Places(ROOT / environ.get("HATCHWAY_LOCAL_DIR", ".local"))
