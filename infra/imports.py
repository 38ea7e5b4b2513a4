"""Follows a Lambda family's imports, so that its zip gets the packages it needs and no others."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from hatchway.core.errors import HatchwayError

#: In the Lambda runtime already.
_RUNTIME: Final = frozenset({"boto3", "botocore", "s3transfer", "jmespath", "urllib3", "dateutil"})
_FIRST_PARTY: Final = frozenset({"hatchway", "lambdas", "agent", "infra", "local"})


class PackagingFailed(HatchwayError):
    """A Lambda zip cannot be built as the code stands."""

    code = "PackagingFailed"


def reachable(module: str, root: Path, shipped: frozenset[Path]) -> frozenset[str]:
    """The third-party top-level packages that importing `module` can reach.

    PackagingFailed where the graph leaves the files that are `shipped`.
    """
    third_party: set[str] = set()
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        for imported in _imports(name, _shipped(name, root, shipped)):
            top = imported.partition(".")[0]
            if top in _FIRST_PARTY:
                waiting.extend(_modules(imported, root, name))
            elif top not in sys.stdlib_module_names and top not in _RUNTIME:
                third_party.add(top)
    return frozenset(third_party)


def _file(module: str, root: Path) -> Path | None:
    base = root.joinpath(*module.split("."))
    for candidate in (base.with_suffix(".py"), base / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


def _shipped(module: str, root: Path, shipped: frozenset[Path]) -> Path:
    path = _file(module, root)
    if path is None:
        raise PackagingFailed(f"The module {module} does not exist.")
    if path not in shipped:
        raise PackagingFailed(f"The module {module} is imported but not part of the zip.")
    return path


def _modules(dotted: str, root: Path, importer: str) -> Iterator[str]:
    """The modules that `a.b.c` loads: its packages, and itself where it is no plain attribute."""
    parts = dotted.split(".")
    names = [".".join(parts[:end]) for end in range(1, len(parts) + 1)]
    found = [name for name in names if _file(name, root) is not None]
    # The last part may be a class or a function; what comes before it must be a module.
    if len(found) < len(names) - 1:
        raise PackagingFailed(f"{importer} imports {dotted}, which does not exist.")
    yield from found


def _imports(module: str, path: Path) -> Iterator[str]:
    """Dotted names that the file imports, inside functions too, but not for type checkers."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    waiting: list[ast.AST] = [ast.parse(path.read_bytes(), str(path))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            waiting.extend(node.orelse)
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from _from(node, package)
        waiting.extend(ast.iter_child_nodes(node))


def _from(node: ast.ImportFrom, package: str) -> Iterator[str]:
    base = node.module or ""
    if node.level:
        parent = package.split(".")[: len(package.split(".")) - node.level + 1]
        base = ".".join([*parent, *([base] if base else [])])
    yield from (f"{base}.{alias.name}" for alias in node.names)
