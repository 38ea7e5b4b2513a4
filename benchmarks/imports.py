"""One cold start in a process of its own: an entry, or boto3 with the clients that it made.

`python -m benchmarks.imports entry FAMILY` and `… boto3 SERVICE…` print what it took as JSON.
"""

from __future__ import annotations

import gc
import importlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

FAMILIES = ("relay", "uplink", "connect", "agents", "sessions", "nodes", "events", "sweep")
#: boto3's names for services that are called without it.
_SDK_NAMES = {
    "APIGATEWAYMANAGEMENTAPI": "apigatewaymanagementapi",
    "CLOUDWATCH_LOGS": "logs",
    "IOT_DATA_PLANE": "iot-data",
    "KMS": "kms",
    "SECRETS_MANAGER": "secretsmanager",
    "SQS": "sqs",
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """Seconds by the clock and of the processor, the clients made, and the modules loaded."""

    seconds: float
    processor: float
    clients: tuple[str, ...]
    modules: tuple[str, ...]


def cold(arguments: Sequence[str], environ: Mapping[str, str]) -> Loaded:
    """What this module prints in a fresh interpreter."""
    command = [sys.executable, "-m", "benchmarks.imports", *arguments]
    done = subprocess.run(command, env=dict(environ), capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    return Loaded(
        found["seconds"], found["processor"], tuple(found["clients"]), tuple(found["modules"])
    )


def _entry(family: str) -> None:
    importlib.import_module(f"lambdas.{family}.entry")


def _boto3(services: Sequence[str]) -> None:
    boto3 = importlib.import_module("boto3")
    for service in services:
        boto3.client(service)


def _clients() -> list[str]:
    """What the SDK calls every client that is alive, its own or ours: what the family made."""
    names = [
        _SDK_NAMES[one.service.sdk_name] for one in _alive("lambdas.adapters.signed", "Signed")
    ]
    sdk = _alive("botocore.client", "BaseClient")
    return sorted(names + [one.meta.service_model.service_name for one in sdk])


def _alive(module: str, kind: str) -> list[Any]:
    """The objects of a class, where its module was loaded at all."""
    if module not in sys.modules:
        return []
    base = getattr(sys.modules[module], kind)
    return [one for one in gc.get_objects() if isinstance(one, base)]


def _measured(work: Callable[[], None]) -> Loaded:
    before = set(sys.modules)
    begun, used = time.perf_counter(), time.process_time()
    work()
    seconds, processor = time.perf_counter() - begun, time.process_time() - used
    modules = tuple(sorted(set(sys.modules) - before))
    return Loaded(seconds, processor, tuple(_clients()), modules)


if __name__ == "__main__":
    kind, *rest = sys.argv[1:]
    # It is here for the agent; botocore would take it up, but Lambda's runtime has none.
    sys.modules["awscrt"] = None  # type: ignore[assignment]
    loaded = _measured(lambda: _entry(rest[0]) if kind == "entry" else _boto3(rest))
    print(json.dumps(asdict(loaded)))
