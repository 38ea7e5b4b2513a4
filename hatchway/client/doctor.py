"""Looks for what stands between a person and a session: one check after another, until one fails.

Each check asks for as little as it needs, and none starts a session.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

import botocore.session
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

from hatchway import __version__
from hatchway.client.failures import translated
from hatchway.client.records import Node
from hatchway.client.service import Hatchway
from hatchway.core.errors import (
    AccessDeniedException,
    CredentialsInvalid,
    HatchwayError,
    ServiceUnreachable,
    TargetNotConnected,
)
from hatchway.net.settings import Settings
from hatchway.net.tls import client_context

#: Seconds to connect and to be answered.
PATIENCE = 10
#: SigV4 requests are refused when the clocks differ by five minutes; half of it is a warning.
#: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
MOST_SKEW, MUCH_SKEW = 300.0, 150.0
#: Minutes that credentials should be good for: a session outlives them, but the next start not.
LITTLE_LEFT = 5
_VERSION = re.compile(r"(\d{1,6})\.(\d{1,6})")


class State(StrEnum):
    """How a check came out."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One check: its name, how it came out, what was seen and what to do about it."""

    check: str
    state: State
    seen: str
    advice: str = ""
    error: HatchwayError | None = None

    def members(self) -> dict[str, object]:
        """For programs; what is not there is null."""
        return {
            "Check": self.check,
            "State": self.state.value,
            "Seen": self.seen,
            "Advice": self.advice or None,
            "Code": self.error.code if self.error else None,
        }


class Skipped(Exception):
    """A check that cannot be made here, with the reason."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A check that did not fail; `advice` makes it a warning."""

    text: str
    advice: str = ""


Step = tuple[str, Callable[[], Seen]]


class Doctor:
    """Examines one deployment as one person sees it; `target` as StartSession takes it."""

    def __init__(
        self,
        settings: Settings,
        profile: str | None = None,
        target: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings, self._profile, self._clock = settings, profile, clock
        self._target = target or settings.node_id or ""
        self._node_id = ""
        self._nodes: Sequence[Node] | None = None

    def examine(self) -> Iterator[Finding]:
        """The findings, up to the first that failed."""
        for name, look in self._steps():
            finding = _found(name, look)
            yield finding
            if finding.state is State.FAILED:
                return

    def _steps(self) -> Iterator[Step]:
        yield "configuration", self._configuration
        yield "credentials", self._credentials
        yield "certificates", self._certificates
        yield "service", self._service
        yield "permission to call", self._permission
        if self._target:
            yield "node", self._node
            yield "permission to start", self._start
            yield "agent", self._agent

    # --- this machine ---------------------------------------------------------------------------

    def _configuration(self) -> Seen:
        return Seen(f"{self._settings.api_url}, signed for {self._settings.region}")

    def _credentials(self) -> Seen:
        with translated():
            session = botocore.session.Session(profile=self._profile)
            credentials = session.get_credentials()
            if credentials is None:
                raise CredentialsInvalid("There are no AWS credentials.")
            frozen = credentials.get_frozen_credentials()
        key = f"access key …{(frozen.access_key or '')[-4:]} from {credentials.method}"
        left = self._left(getattr(credentials, "_expiry_time", None))
        if left is not None and left < LITTLE_LEFT:
            return Seen(
                f"{key}, good for {left} min", "Renew them: `aws sso login`, or assume again."
            )
        return Seen(key)

    def _left(self, expiry: object) -> int | None:
        """Minutes until temporary credentials end."""
        if not isinstance(expiry, datetime):
            return None
        return int((expiry - datetime.fromtimestamp(self._clock(), UTC)).total_seconds() // 60)

    def _certificates(self) -> Seen:
        bundle = self._settings.ca_bundle
        client_context(bundle)
        return Seen(f"authorities of {bundle} and no others" if bundle else "the system's own")

    # --- the service ----------------------------------------------------------------------------

    def _service(self) -> Seen:
        """One unsigned request: whether an answer comes, over which certificate, and its time."""
        url = self._settings.api_url
        proxies = get_environ_proxies(url)
        bundle = self._settings.ca_bundle
        authorities: Any = str(bundle) if bundle else True  # its stub knows the flag alone
        session = URLLib3Session(verify=authorities, proxies=proxies, timeout=PATIENCE)
        with translated():
            answer = session.send(AWSRequest("GET", f"{url}/sessions").prepare())
        if answer.status_code >= 500:
            raise ServiceUnreachable(f"Something answers with status {answer.status_code}.")
        through = f" through the proxy {_host(proxies)}" if proxies else ""
        return self._skew(answer.headers.get("date"), f"answers{through}")

    def _skew(self, date: str | None, seen: str) -> Seen:
        try:
            there = parsedate_to_datetime(date or "").timestamp()
        except ValueError:
            return Seen(f"{seen}; it does not say its time")
        off = self._clock() - there
        said = f"this machine's clock is {abs(off):.0f} s {'ahead' if off > 0 else 'behind'}"
        if abs(off) >= MOST_SKEW:
            raise CredentialsInvalid(f"Signatures are refused: {said}. Set the clock (NTP).")
        if abs(off) >= MUCH_SKEW:
            return Seen(
                f"{seen}, and {said}", "Set the clock (NTP): at 300 s requests are refused."
            )
        return Seen(f"{seen}, and its clock agrees within {max(2, int(abs(off)) + 1)} s")

    def _permission(self) -> Seen:
        """Whether a signed call is let in; who may not list nodes may still start sessions."""
        try:
            self._nodes = list(self._hatchway.nodes())
        except AccessDeniedException as error:
            return Seen(
                f"signed calls are answered, listing nodes is denied: {error.message}",
                "Nodes can be named by id only; ask for ssm:DescribeInstanceInformation.",
            )
        online = sum(node.ping_status == "Online" for node in self._nodes)
        return Seen(f"signed calls are let in; {len(self._nodes)} nodes, {online} online")

    # --- the node -------------------------------------------------------------------------------

    def _node(self) -> Seen:
        self._node_id = self._hatchway.resolve(self._target)
        try:
            if not self._hatchway.connected(self._node_id):
                raise TargetNotConnected(f"The agent of {self._node_id} is not connected.")
        except AccessDeniedException as error:
            raise Skipped(f"{self._node_id}: asking for its status is denied") from error
        return Seen(f"{self._node_id} is connected")

    def _start(self) -> Seen:
        """What the policies say, where the caller may ask; StartSession itself is not tried."""
        try:
            explained = self._hatchway.explain_access(None, self._node_id)
        except AccessDeniedException as error:
            raise Skipped("it takes iam:SimulatePrincipalPolicy on yourself to ask") from error
        if explained.decision in ("Allowed", "Conditional"):
            return Seen(f"ssm:StartSession on {self._node_id}: {explained.decision.lower()}")
        refused = next((c for c in explained.checks if c.decision != "Allowed"), None)
        about = f"{refused.action} on {refused.resource} ({refused.layer})" if refused else ""
        raise AccessDeniedException(f"{explained.decision}: {about}")

    def _agent(self) -> Seen:
        known = next((n for n in self._nodes or () if n.node_id == self._node_id), None)
        if known is None:
            raise Skipped("its version is seen by those who may list nodes")
        if _minor(known.agent_version) < _minor(__version__):
            return Seen(
                f"version {known.agent_version}, this client is {__version__}",
                "Update the agent: newer features may be missing.",
            )
        return Seen(f"version {known.agent_version}")

    @cached_property
    def _hatchway(self) -> Hatchway:
        return Hatchway(self._settings, self._profile)


def _found(name: str, look: Callable[[], Seen]) -> Finding:
    try:
        seen = look()
    except Skipped as reason:
        return Finding(check=name, state=State.SKIPPED, seen=str(reason))
    except HatchwayError as error:
        return Finding(check=name, state=State.FAILED, seen=error.message, error=error)
    state = State.WARNING if seen.advice else State.OK
    return Finding(check=name, state=state, seen=seen.text, advice=seen.advice)


def _host(proxies: object) -> str:
    """The proxy's host, without the password that its URL may hold."""
    return (
        str(next(iter(dict(proxies).values()))).rpartition("@")[2]
        if isinstance(proxies, dict)
        else ""
    )


def _minor(version: str) -> tuple[int, int]:
    found = _VERSION.match(version)
    return (int(found[1]), int(found[2])) if found else (0, 0)
