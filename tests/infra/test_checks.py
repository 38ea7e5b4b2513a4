"""cdk-nag and cfn-lint pass, and synth needs neither network nor credentials."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Validations, assertions
from aws_cdk import aws_sqs as sqs
from cdk_nag import AwsSolutionsChecks

from infra.context import read
from infra.deployment import Deployment
from infra.packaging import ROOT
from tests.infra.conftest import FLAGS

CONTEXTS: Mapping[str, Mapping[str, str]] = {
    "default": {"agentApi": "regional"},
    "own": {
        "network": "own",
        "iotDataHost": "a1-ats.iot.us-east-1.amazonaws.com",
        "agentApi": "both",
        "notifyEmail": "ops@example.org",
    },
    "existing": {
        "network": "existing",
        "vpcId": "vpc-0123456789abcdef0",
        "vpcCidr": "10.0.0.0/16",
        "subnetIds": "subnet-0123456789abcdef0",
        "routeTableIds": "rtb-0123456789abcdef0",
        "iotDataHost": "a1-ats.iot.us-east-1.amazonaws.com",
    },
}
#: Synthesises what it is told to, as the CDK CLI would have it done.
_PROGRAM = """
import json, pathlib, sys
from aws_cdk import App
from infra.context import read
from infra.deployment import Deployment
context, sources, out = json.loads(sys.argv[1]), *sys.argv[2:]
app = App(context=context, outdir=out)
Deployment(app, read(app.node.get_all_context()), pathlib.Path(sources))
app.synth()
"""


def checked(context: Mapping[str, str], sources: Path, out: Path, *, flaw: bool = False) -> Path:
    """A cloud assembly that cdk-nag has looked at."""
    app = App(context={**FLAGS, **context}, outdir=str(out))
    deployment = Deployment(app, read(app.node.get_all_context()), sources)
    if flaw:
        sqs.Queue(deployment.data, "Flaw")
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()
    return out


@pytest.fixture(scope="module", params=list(CONTEXTS))
def assembly(
    request: pytest.FixtureRequest, sources: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    return checked(CONTEXTS[request.param], sources, tmp_path_factory.mktemp("checked"))


def test_cdk_nag_finds_nothing_that_is_not_accepted_with_a_reason(assembly: Path) -> None:
    report = json.loads((assembly / "validation-report.json").read_text())
    assert report["pluginReports"] == []


def test_a_flaw_that_cdk_nag_finds_stops_the_synthesis(sources: Path, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="AwsSolutions-SQS4"):
        checked(CONTEXTS["default"], sources, tmp_path, flaw=True)


@pytest.mark.slow
def test_cfn_lint_finds_nothing(assembly: Path) -> None:
    templates = [str(path) for path in sorted(assembly.glob("*.template.json"))]
    assert len(templates) >= 2
    settings = str(ROOT / ".cfnlintrc")
    cfn_lint = str(Path(sys.executable).with_name("cfn-lint"))
    command = [cfn_lint, "--config-file", settings, "--template", *templates]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


@pytest.mark.parametrize("kept", [False, True])
def test_it_is_said_at_deploy_that_the_account_s_log_role_is_replaced(
    sources: Path, tmp_path: Path, kept: bool
) -> None:
    flag = {"apiGatewayAccount": "false" if kept else "true"}
    app = App(context={**FLAGS, **CONTEXTS["default"], **flag}, outdir=str(tmp_path))
    deployment = Deployment(app, read(app.node.get_all_context()), sources)
    said = assertions.Annotations.from_stack(deployment.service).find_warning(
        "*", assertions.Match.string_like_regexp("apiGatewayAccount=false keeps it")
    )
    assert len(said) == (0 if kept else 1)


@pytest.mark.slow
def test_synth_needs_no_credentials_and_looks_nothing_up(sources: Path, tmp_path: Path) -> None:
    context: dict[str, Any] = {**FLAGS, **CONTEXTS["existing"]}
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
        # Whatever would ask AWS or the instance metadata service gets no answer.
        "AWS_EC2_METADATA_DISABLED": "true",
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "HTTP_PROXY": "http://127.0.0.1:9",
    }
    out = tmp_path / "out"
    arguments = [json.dumps(context), str(sources), str(out)]
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *arguments],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    manifest = json.loads((out / "manifest.json").read_text())
    assert "missing" not in manifest
    environments = {
        artifact["environment"]
        for artifact in manifest["artifacts"].values()
        if artifact["type"] == "aws:cloudformation:stack"
    }
    assert environments == {"aws://unknown-account/unknown-region"}
