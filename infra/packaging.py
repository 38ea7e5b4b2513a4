"""Bundles one Lambda family into the tree of its zip, without Docker.

A zip holds hatchway/core, the shared modules of lambdas/, lambdas/adapters, the family, and the
third-party packages that the family's own import graph reaches: nothing else, and never boto3.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import jsii
from aws_cdk import AssetHashType, BundlingOptions, DockerImage, ILocalBundling
from aws_cdk import aws_lambda as lambda_

from infra.config import Architecture
from infra.imports import reachable
from infra.wheels import Wheels

ROOT = Path(__file__).resolve().parent.parent


def _shared(root: Path) -> Iterable[Path]:
    yield root / "hatchway" / "__init__.py"
    yield from _modules(root / "hatchway" / "core")
    yield from (root / "lambdas").glob("*.py")
    for shared in ("ports", "adapters", "details"):
        yield from _modules(root / "lambdas" / shared)


def _modules(folder: Path) -> Iterable[Path]:
    return (path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def bundle(family: str, architecture: Architecture, output: Path, root: Path = ROOT) -> None:
    """Writes the tree of `family`'s zip into the empty folder `output`."""
    folder = root / "lambdas" / family
    sources = sorted({*_shared(root), *_modules(folder)})
    third_party = reachable(f"lambdas.{family}.entry", root, frozenset(sources))
    for source in sources:
        target = output / source.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    for tree in Wheels(root, architecture).trees(third_party):
        shutil.copytree(tree, output, dirs_exist_ok=True, copy_function=shutil.copyfile)


@jsii.implements(ILocalBundling)
class _Bundler:
    def __init__(self, family: str, architecture: Architecture, root: Path) -> None:
        self._family, self._architecture, self._root = family, architecture, root

    def try_bundle(self, output_dir: str, *_options: object, **_more: object) -> bool:
        """Raises rather than return False, which would send the CDK looking for Docker."""
        bundle(self._family, self._architecture, Path(output_dir), self._root)
        return True


def family_code(family: str, architecture: Architecture, root: Path = ROOT) -> lambda_.Code:
    """The family's code as an asset that is named after what came out, not after what went in."""
    return lambda_.Code.from_asset(
        str(root / "lambdas" / family),
        asset_hash_type=AssetHashType.OUTPUT,
        bundling=BundlingOptions(
            # Required by the type; local bundling never looks at it.
            image=DockerImage.from_registry("never-pulled"),
            local=_Bundler(family, architecture, root),
        ),
    )
