"""Writes all that is made from `hatchway/core/api.py`: `python -m tools.apidocs`."""

from __future__ import annotations

import json
from pathlib import Path

from hatchway.core.api import VERSION
from tools.asyncapi import asyncapi
from tools.openapi import openapi
from tools.schemas import Json
from tools.service_model import paginators, service_model

ROOT = Path(__file__).resolve().parent.parent
SDK = Path("hatchway/client/data/hatchway") / VERSION


def documents() -> dict[Path, Json]:
    """Each file, relative to the repository, and what belongs in it."""
    return {
        Path("docs/openapi.json"): openapi(),
        Path("docs/asyncapi.json"): asyncapi(),
        SDK / "service-2.json": service_model(),
        SDK / "paginators-1.json": paginators(),
    }


def text(document: Json) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    for path, document in documents().items():
        target = ROOT / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text(document), encoding="utf-8")


if __name__ == "__main__":
    main()
