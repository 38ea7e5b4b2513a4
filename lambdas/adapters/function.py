"""Lambda, of the function that runs: which code it is, as AWS knows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hatchway.core.transcript.evidence import Code
from lambdas.adapters import aws

PATIENCE = aws.Patience(connect=1.0, read=3.0, attempts=2)


def running(environ: Mapping[str, str], client: Any = None) -> Code:
    """The function's name and version, and the SHA-256 that AWS gives of its code: anybody can
    compare it with what was deployed. Outside of Lambda all are ""."""
    name = environ.get("AWS_LAMBDA_FUNCTION_NAME", "")
    version = environ.get("AWS_LAMBDA_FUNCTION_VERSION", "")
    if not name:
        return Code(function="", version="", digest="")
    asked = client or aws.client("lambda", PATIENCE)
    with aws.calling("Lambda"):
        found = asked.get_function_configuration(FunctionName=name)
    return Code(function=name, version=version, digest=str(found["CodeSha256"]))
