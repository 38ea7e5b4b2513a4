"""The Lambda zips: what is in them, what is not, and that they import where they will run."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra.config import Architecture
from infra.imports import PackagingFailed, reachable
from infra.packaging import ROOT, bundle
from infra.wheels import DISTRIBUTIONS, Wheels
from tests.infra.conftest import FAMILIES

LOCK = """\
demo-package==1.0 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via -r lambdas/requirements.in
"""


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small repository with one family, and things that belong into no zip."""
    return write(
        tmp_path / "repo",
        {
            "hatchway/__init__.py": "",
            "hatchway/core/__init__.py": "",
            "hatchway/core/names.py": "import re\n",
            "hatchway/core/__pycache__/names.cpython-313.pyc": "x",
            "hatchway/net/__init__.py": "",
            "lambdas/__init__.py": "",
            "lambdas/ports/__init__.py": "from hatchway.core import names\n",
            "lambdas/adapters/__init__.py": "",
            "lambdas/adapters/table.py": "import botocore\nfrom lambdas import ports\n",
            "lambdas/memory/__init__.py": "",
            "lambdas/other/__init__.py": "",
            "lambdas/one/__init__.py": "",
            "lambdas/one/entry.py": "from lambdas.adapters import table\nfrom . import deps\n",
            "lambdas/one/deps.py": "from hatchway.core.names import re\n",
            "lambdas/requirements.txt": LOCK,
        },
    )


def graph(tree: Path) -> frozenset[str]:
    outside = {"net", "memory", "other"}
    shipped = {path for path in tree.rglob("*.py") if not outside & set(path.parts)}
    return reachable("lambdas.one.entry", tree, frozenset(shipped))


def bundled(tree: Path, output: Path) -> set[str]:
    output.mkdir()
    bundle("one", Architecture.ARM64, output, tree)
    return {str(path.relative_to(output)) for path in output.rglob("*") if path.is_file()}


def test_a_zip_holds_core_shared_modules_adapters_and_its_family(tree: Path) -> None:
    assert bundled(tree, tree.parent / "out") == {
        "hatchway/__init__.py",
        "hatchway/core/__init__.py",
        "hatchway/core/names.py",
        "lambdas/__init__.py",
        "lambdas/ports/__init__.py",
        "lambdas/adapters/__init__.py",
        "lambdas/adapters/table.py",
        "lambdas/one/__init__.py",
        "lambdas/one/entry.py",
        "lambdas/one/deps.py",
    }


def test_the_same_tree_makes_the_same_zip(tree: Path) -> None:
    def digest(output: Path) -> str:
        names = sorted(bundled(tree, output))
        content = b"".join(name.encode() + (output / name).read_bytes() for name in names)
        return hashlib.sha256(content).hexdigest()

    assert digest(tree.parent / "a") == digest(tree.parent / "b")


def test_the_runtime_s_packages_and_the_standard_library_are_not_third_party(tree: Path) -> None:
    assert graph(tree) == frozenset()


def test_third_party_imports_are_found_inside_functions_and_through_adapters(tree: Path) -> None:
    write(tree, {"lambdas/adapters/table.py": "def f():\n    import cryptography.x as y\n"})
    write(tree, {"lambdas/one/entry.py": "from lambdas.adapters import table\n"})
    assert graph(tree) == {"cryptography"}


def test_imports_for_type_checkers_are_passed_over(tree: Path) -> None:
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import mypy_boto3_iot\n"
    write(tree, {"lambdas/one/deps.py": text})
    assert graph(tree) == frozenset()


@pytest.mark.parametrize(
    "line",
    [
        "import hatchway.net",
        "from lambdas.memory import clock",
        "from lambdas.other import entry",
        "from lambdas.absent import x",
        "import hatchway.core.absent.deeper",
    ],
)
def test_an_import_that_leaves_the_zip_is_refused(tree: Path, line: str) -> None:
    write(tree, {"lambdas/one/deps.py": f"{line}\n"})
    with pytest.raises(PackagingFailed):
        graph(tree)


def test_a_family_without_an_entry_is_refused(tree: Path) -> None:
    (tree / "lambdas/one/entry.py").unlink()
    with pytest.raises(PackagingFailed, match=r"lambdas\.one\.entry does not exist"):
        graph(tree)


def test_a_package_that_nobody_packaged_is_refused(tree: Path) -> None:
    write(tree, {"lambdas/one/deps.py": "import requests\n"})
    with pytest.raises(PackagingFailed, match="requests"):
        bundled(tree, tree.parent / "out")


def test_a_package_that_is_not_pinned_is_refused(tree: Path) -> None:
    with pytest.raises(PackagingFailed, match="does not pin cryptography, cffi"):
        Wheels(tree, Architecture.ARM64).trees(["cryptography"])


# --- the real zips: their wheels come from the package index, once -----------------------------


@pytest.fixture(scope="session")
def zips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every family's tree, for this machine's architecture."""
    root = tmp_path_factory.mktemp("zips")
    for family in FAMILIES:
        output = root / family
        output.mkdir()
        bundle(family, here(), output)
    return root


def here() -> Architecture:
    import platform

    return Architecture.ARM64 if platform.machine() == "aarch64" else Architecture.X86_64


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_a_zip_is_small_and_holds_nothing_of_the_client_agent_or_tests(
    zips: Path, family: str
) -> None:
    files = [path for path in (zips / family).rglob("*") if path.is_file()]
    tops = {path.relative_to(zips / family).parts[0] for path in files}
    assert not tops & {"agent", "infra", "local", "tests", "boto3", "botocore", "bin"}
    assert {path.name for path in (zips / family / "hatchway").iterdir()} == {"__init__.py", "core"}
    folders = {path.name for path in (zips / family / "lambdas").iterdir() if path.is_dir()}
    assert folders == {"adapters", "details", "ports", family}
    # Lambda takes 250 MB; cold starts take less.
    assert sum(path.stat().st_size for path in files) < 25_000_000


@pytest.mark.slow
def test_functions_on_the_way_of_every_keystroke_carry_no_powertools(zips: Path) -> None:
    for family in ("relay", "uplink"):
        assert not (zips / family / "aws_lambda_powertools").exists()
    sealing = {each.name for each in zips.iterdir() if (each / "cryptography").exists()}
    assert sealing == {"relay", "uplink", "archive", "recordings"}


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_a_zip_imports_in_a_clean_python_3_13_with_nothing_but_botocore(
    zips: Path, family: str, tmp_path: Path
) -> None:
    python = _python_3_13()
    if python is None:
        pytest.skip("no Python 3.13 on this machine; CI and the runtime have one")
    _imports(python, zips / family, family, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_a_zip_imports_in_the_interpreter_of_the_embedded_aws(
    zips: Path, family: str, tmp_path: Path
) -> None:
    _imports([sys.executable], zips / family, family, tmp_path, isolated=False)


def _python_3_13() -> list[str] | None:
    found = shutil.which("python3.13")
    candidates = [found] if found else []
    pyenv = Path.home() / ".pyenv" / "versions"
    candidates += [str(path) for path in sorted(pyenv.glob("3.13.*/bin/python3.13"))]
    for candidate in candidates:
        asked = subprocess.run([candidate, "-c", "import ssl"], capture_output=True, check=False)
        if asked.returncode == 0:
            return [candidate]
    return None


#: What the Lambda runtime brings: botocore and what it needs, and nothing else of this machine.
_RUNTIME = ("botocore", "boto3", "s3transfer", "jmespath", "dateutil", "urllib3", "six.py")
#: Imports everything that the entry reaches but the entry itself, which builds clients at init.
_PROGRAM = """
import importlib, pathlib, sys
zip_root, family = sys.argv[1:3]
sys.path[:0] = [zip_root, *sys.argv[3:]]
for path in sorted(pathlib.Path(zip_root, "lambdas", family).rglob("*.py")):
    name = ".".join(path.relative_to(zip_root).with_suffix("").parts).removesuffix(".__init__")
    if not name.endswith(".entry"):
        importlib.import_module(name)
for package in ("cryptography.hazmat.primitives.ciphers.aead", "aws_lambda_powertools"):
    if pathlib.Path(zip_root, package.partition(".")[0]).exists():
        importlib.import_module(package)
"""


def _imports(
    python: list[str], tree: Path, family: str, tmp_path: Path, *, isolated: bool = True
) -> None:
    runtime = tmp_path / "runtime"
    runtime.mkdir()
    if isolated:
        import botocore

        packages = Path(botocore.__file__).parent.parent
        for name in _RUNTIME:
            (runtime / name).symlink_to(packages / name)
    options = ["-I", "-B", *(["-S"] if isolated else [])]
    command = [*python, *options, "-c", _PROGRAM, str(tree), family, str(runtime)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr[-2000:]


def test_every_packaged_name_is_pinned_with_hashes() -> None:
    lock = Path(ROOT, "lambdas", "requirements.txt").read_text()
    for distributions in DISTRIBUTIONS.values():
        for name in distributions:
            assert f"\n{name}==" in f"\n{lock}"
    assert lock.count("--hash=sha256:") > 10
