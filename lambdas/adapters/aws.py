"""Clients with short, stated patience, and the one place where AWS errors become ours.

botocore without boto3: a client's methods are the same, and a cold start is about 100 ms shorter
(measured: 580 against 700 ms to a DynamoDB client on a busy machine with two cores).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from hatchway.core.errors import HatchwayError, InternalServerError, ThrottlingException

#: API Gateway gives up on an integration after 29 s; every client has given up well before.
LONGEST = 20.0
#: Sockets that a client keeps open.
POOL = 10

THROTTLED = frozenset(
    {
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottledException",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)


#: AWS error code, or HTTP status, to the error that it stands for.
Expected = Mapping[str | int, type[HatchwayError]]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a client waits: seconds to connect and to read, and how often it tries in all."""

    connect: float = 1.0
    read: float = 3.0
    attempts: int = 3

    @property
    def worst(self) -> float:
        """Seconds until it gives up, with standard mode's pauses (at most 1, 2, 4 … seconds)."""
        pauses = sum(2.0**n for n in range(self.attempts - 1))
        return self.attempts * (self.connect + self.read) + pauses


@cache
def _session() -> botocore.session.Session:
    return botocore.session.get_session()


def client(service: str, patience: Patience, endpoint: str = "") -> Any:
    """A client, to be built once at init; `endpoint` is a URL where it is not the Region's own."""
    config = Config(
        connect_timeout=patience.connect,
        read_timeout=patience.read,
        retries={"mode": "standard", "total_max_attempts": patience.attempts},
        tcp_keepalive=True,
        max_pool_connections=POOL,
    )
    return _session().create_client(service, config=config, endpoint_url=endpoint or None)


def code_of(error: ClientError) -> str:
    """AWS's error code."""
    return str(error.response.get("Error", {}).get("Code", ""))


def status_of(error: ClientError) -> int:
    """The HTTP status of AWS's answer."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


@contextmanager
def calling(service: str, expected: Expected = MappingProxyType({})) -> Iterator[None]:
    """Turns whatever AWS raises within into one of our errors, whose text names the service only.

    `expected` says which error an AWS code, or else an HTTP status, stands for. The AWS error
    stays the cause, for the log.
    """
    try:
        yield
    except ClientError as error:
        known = expected.get(code_of(error)) or expected.get(status_of(error))
        raise (known() if known else _ours(error, service)) from error
    except BotoCoreError as error:
        raise InternalServerError(f"{service} does not answer.") from error


def _ours(error: ClientError, service: str) -> HatchwayError:
    if code_of(error) in THROTTLED or status_of(error) == 429:
        return ThrottlingException(f"{service} is throttled; try again later.")
    return InternalServerError(f"{service} refused a request of the service.")
