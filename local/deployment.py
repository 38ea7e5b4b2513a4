"""The stacks on the embedded AWS: this checkout's app, deployed by the real CDK CLI."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.commands import run
from local.emulator import ACCOUNT, REGION, Emulator
from local.errors import LauncherError
from local.fingerprint import fingerprint
from local.places import ROOT, Places
from local.progress import Progress
from local.records import read_record, write_record

STAGE = "local"
#: What a deployment is made from.
SOURCES = (
    "app.py",
    "cdk.json",
    "package-lock.json",
    "requirements.txt",
    "infra",
    "lambdas",
    "hatchway/__init__.py",
    "hatchway/core",
)
CDK = ROOT / "node_modules" / ".bin" / "cdk"

_RECORD = "deployment"


@dataclass(frozen=True, slots=True)
class Stacks:
    """What the deployed stacks put out."""

    outputs: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        try:
            return self.outputs[name]
        except KeyError:
            raise LauncherError(f"The stacks have no output {name}.") from None


def context(emulator: Emulator) -> dict[str, str]:
    """The CDK context in which the embedded AWS differs from a real one: host names, mostly."""
    api = f"127.0.0.1:{emulator.port}/_aws/execute-api/{{api}}/{{stage}}"
    return {
        "stage": STAGE,
        "architecture": "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64",
        "agentApi": "private",
        # Its private APIs are reached by path, without an endpoint.
        "endpointsElsewhere": "true",
        "agentMustComeFromInstance": "false",
        "gatewayDecodesPaths": "true",
        # Its CloudFormation has no named queries.
        "auditQuery": "false",
        "peopleApiUrl": f"https://{api}",
        "agentApiUrl": f"https://{api}",
        "streamUrl": f"wss://{api}",
        "streamManagementUrl": f"https://{api}",
        "iotDataUrl": emulator.endpoint,
    }


def ensure(emulator: Emulator, base: Mapping[str, str], progress: Progress) -> Stacks:
    """The stacks as this checkout wants them; nothing is run where they are already so."""
    places = emulator.places
    wanted = fingerprint(ROOT, SOURCES, json.dumps(context(emulator), sort_keys=True))
    record = read_record(places.record(_RECORD))
    same_generation = record.get("generation") == emulator.generation
    if not (same_generation and record.get("fingerprint") == wanted):
        with progress.step("Synthesising the stacks (cdk synth)"):
            synth(emulator, base)
        if not same_generation:
            with progress.step("Bootstrapping the account (cdk bootstrap)"):
                _bootstrap(emulator, base)
        with progress.step("Deploying the stacks (cdk deploy --all)"):
            _deploy(emulator, base)
        write_record(
            places.record(_RECORD), {"generation": emulator.generation, "fingerprint": wanted}
        )
    return _stacks(places)


def synth(emulator: Emulator, base: Mapping[str, str]) -> None:
    given = [part for pair in context(emulator).items() for part in ("-c", "=".join(pair))]
    app = ["--app", f"'{sys.executable}' app.py", "--output", str(emulator.places.assembly)]
    _cdk(emulator, base, "synth", "--quiet", *app, *given)


def _bootstrap(emulator: Emulator, base: Mapping[str, str]) -> None:
    # In the checkout it would run the app first, to no purpose.
    elsewhere = emulator.places.directory
    _cdk(emulator, base, "bootstrap", f"aws://{ACCOUNT}/{REGION}", cwd=elsewhere)


def _deploy(emulator: Emulator, base: Mapping[str, str]) -> None:
    outputs = emulator.places.record("outputs")
    options = ["--require-approval", "never", "--outputs-file", str(outputs)]
    app = ["--app", str(emulator.places.assembly)]
    _cdk(emulator, base, "deploy", "--all", "--concurrency", "2", *app, *options)


def _cdk(
    emulator: Emulator, base: Mapping[str, str], verb: str, *options: str, cwd: Path = ROOT
) -> None:
    run(
        [str(CDK), verb, *options, "--no-version-reporting", "--no-notices"],
        environ=cdk_environ(emulator.environ(base)),
        log=emulator.places.log(f"cdk-{verb}"),
        what=f"cdk {verb}",
        cwd=cwd,
    )


def cdk_environ(base: Mapping[str, str]) -> dict[str, str]:
    """`base` with the virtual environment's Node and Python before the machine's."""
    here = str(ROOT / ".venv" / "bin")
    return dict(base) | {"PATH": f"{here}:{base.get('PATH', '')}"}


def _stacks(places: Places) -> Stacks:
    found = read_record(places.record("outputs"))
    outputs = {
        name: str(value)
        for stack in found.values()
        if isinstance(stack, dict)
        for name, value in stack.items()
    }
    return Stacks(outputs)
