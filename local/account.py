"""`make deploy`: the ordinary `cdk deploy --all` into the caller's own AWS account."""

from __future__ import annotations

import ipaddress
import socket
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from local.deployment import CDK, cdk_environ
from local.emulator import ACCOUNT
from local.errors import LauncherError
from local.places import ROOT

#: The services whose endpoint decides where a deployment goes.
_ASKED = ("sts", "cloudformation", "s3", "iot")
_IOT_HOST = "iotDataHost"


def deploy(arguments: Sequence[str], environ: Mapping[str, str], cdk: Path = CDK) -> int:
    """Runs the CDK CLI, with its prompts; its exit code. `arguments` go to it as they are."""
    session = boto3.Session()
    try:
        _refuse_loopback(session.client(service).meta.endpoint_url for service in _ASKED)  # type: ignore[call-overload]
        account = session.client("sts").get_caller_identity()["Account"]
        if account == ACCOUNT:
            raise LauncherError(f"Account {ACCOUNT} is no AWS account; use `make up`.")
        given = _with_iot_host(arguments, session)
    except (BotoCoreError, ClientError) as error:
        raise LauncherError(f"AWS does not answer for your credentials: {error}") from None
    command = [str(cdk), "deploy", "--all", *given]
    return subprocess.run(command, cwd=ROOT, env=cdk_environ(environ), check=False).returncode


def _refuse_loopback(endpoints: Iterable[str]) -> None:
    for endpoint in endpoints:
        if is_loopback(endpoint):
            raise LauncherError(
                f"The AWS endpoint is {endpoint}, which is this machine. "
                "`make deploy` is for a real account; unset AWS_ENDPOINT_URL, or use `make up`."
            )


def is_loopback(endpoint: str) -> bool:
    """Whether an endpoint's host is, or resolves to, this machine itself."""
    host = urlsplit(endpoint).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        found = socket.getaddrinfo(host, None)
    except OSError:
        return False
    return any(_loopback_address(str(address[0])) for *_, address in found)


def _loopback_address(text: str) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    return address.is_loopback or address.is_unspecified


def _with_iot_host(arguments: Sequence[str], session: boto3.Session) -> list[str]:
    """`arguments` with the account's IoT data host, which CloudFormation cannot look up."""
    if any(argument.startswith(f"{_IOT_HOST}=") for argument in arguments):
        return list(arguments)
    host = session.client("iot").describe_endpoint(endpointType="iot:Data-ATS")["endpointAddress"]
    return [*arguments, "-c", f"{_IOT_HOST}={host}"]
