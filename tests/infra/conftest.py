"""Synthesises the stacks, each context once, from a small tree in place of the repository."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from aws_cdk import App
from aws_cdk.assertions import Template

from infra.context import read
from infra.deployment import Deployment
from infra.packaging import ROOT
from tests.infra.templates import Resources, Stacks

FAMILIES = (
    "connect",
    "sessions",
    "agents",
    "uplink",
    "relay",
    "nodes",
    "events",
    "audit",
    "notify",
    "sweep",
    "review",
    "documents",
    "push",
    "recordings",
    "archive",
)
FLAGS: Mapping[str, object] = json.loads((ROOT / "cdk.json").read_text())["context"]

#: What a deployment without a network needs to say.
ELSEWHERE: Mapping[str, str] = {"endpointsElsewhere": "true"}

Synth = Callable[..., Stacks]


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with the nine families and nothing in them: no wheel is fetched."""
    root = tmp_path_factory.mktemp("sources")
    for package in ("hatchway/core", "lambdas/adapters", *(f"lambdas/{name}" for name in FAMILIES)):
        folder = root / package
        folder.mkdir(parents=True)
        (folder / "__init__.py").touch()
    for name in FAMILIES:
        (root / "lambdas" / name / "entry.py").write_text("def handler(event, context): ...\n")
    for top in ("hatchway", "lambdas"):
        (root / top / "__init__.py").touch()
    return root


@pytest.fixture(scope="session")
def synth(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Synth:
    """The stacks of a context; equal contexts are synthesised once."""
    made: dict[str, Stacks] = {}

    def synthesise(**given: str) -> Stacks:
        context = given if "network" in given else {**ELSEWHERE, **given}
        key = json.dumps(context, sort_keys=True)
        if key not in made:
            out = tmp_path_factory.mktemp("cdk")
            app = App(context={**FLAGS, **context}, outdir=str(out), analytics_reporting=False)
            deployment = Deployment(app, read(app.node.get_all_context()), sources)
            made[key] = Stacks(
                data=_resources(Template.from_stack(deployment.data)),
                service=_resources(Template.from_stack(deployment.service)),
                network=_resources(Template.from_stack(deployment.network))
                if deployment.network
                else None,
            )
        return made[key]

    return synthesise


def _resources(template: Template) -> Resources:
    return Resources(json.loads(json.dumps(template.to_json())))


@pytest.fixture(scope="session")
def default(synth: Synth) -> Stacks:
    return synth()


@pytest.fixture(scope="session")
def existing(synth: Synth) -> Stacks:
    """Endpoints into a VPC that is there already."""
    return synth(
        network="existing",
        vpcId="vpc-0123456789abcdef0",
        vpcCidr="10.0.0.0/16",
        subnetIds="subnet-0123456789abcdef0,subnet-0123456789abcdef1",
        routeTableIds="rtb-0123456789abcdef0",
        iotDataHost="a1b2c3-ats.iot.us-east-1.amazonaws.com",
    )
