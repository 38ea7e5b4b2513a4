"""Identifiers: nodes, sessions, owners, topics and client ids, parsed and built in one place."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from hatchway.core.errors import UnsupportedNodeType, ValidationException

# EC2 resource ids: 8 (old) or 17 hexadecimal digits.
_INSTANCE = re.compile(r"i-(?:[0-9a-f]{8}|[0-9a-f]{17})\Z")
_MANAGED = re.compile(r"mi-[0-9a-f]{17}\Z")
# IAM user and role session names, [\w+=,.@-]{1,64}; then the 17 hexadecimal digits.
_SESSION = re.compile(r"(?P<name>[A-Za-z0-9_+=,.@-]{1,64})-(?P<suffix>[0-9a-f]{17})\Z")
_STAGE = re.compile(r"[a-z][a-z0-9]{0,15}\Z")
_DOCUMENT = re.compile(r"[a-zA-Z0-9_\-.:/]{3,128}\Z")

SESSION_SUFFIX_BYTES = 9  # 72 random bits, of which 68 make the 17 digits


def node_id(text: object) -> str:
    """A checked node id (`i-…`); UnsupportedNodeType for `mi-…`, ValidationException else."""
    if isinstance(text, str):
        if _INSTANCE.match(text):
            return text
        if _MANAGED.match(text):
            raise UnsupportedNodeType()
    raise ValidationException("Target is not an instance id (i- and 8 or 17 hexadecimal digits).")


def document_name(text: object) -> str:
    """A checked document name or ARN, as Systems Manager's StartSession takes it."""
    if isinstance(text, str) and _DOCUMENT.match(text):
        return text
    raise ValidationException("DocumentName does not match [a-zA-Z0-9_.:/-]{3,128}.")


def session_id(text: object) -> str:
    """A checked session id: `<user or role session name>-<17 hexadecimal digits>`."""
    if isinstance(text, str) and _SESSION.match(text):
        return text
    raise ValidationException("SessionId is not <name>-<17 hexadecimal digits>.")


def new_session_id(name: str, random: bytes) -> str:
    """A session id for the caller's user or role session name from `random` (9 bytes)."""
    if len(random) != SESSION_SUFFIX_BYTES:
        raise ValueError(f"a session id takes {SESSION_SUFFIX_BYTES} random bytes")
    return session_id(f"{name}-{random.hex()[:17]}")


def session_suffix(session: str) -> str:
    """The 17 hexadecimal digits: all of a session id that topics and client ids carry."""
    return session_id(session)[-17:]


#: The header that carries a trace id, which API Gateway passes on.
TRACE_HEADER = "X-Amzn-Trace-Id"
_TRACE = re.compile(r"Root=(1-[0-9a-f]{8}-[0-9a-f]{24})(?:;|\Z)")


def trace_root(session: str) -> str:
    """The trace that all calls about a session belong to, whoever makes them: made of its id, so
    that client, service and agent need not tell it each other. As X-Ray writes one."""
    digest = hashlib.sha256(session.encode()).hexdigest()
    return f"1-{digest[:8]}-{digest[8:32]}"


def trace_in(header: str) -> str:
    """The trace of a header's value, "" where it names none."""
    found = _TRACE.search(header[:256])
    return found[1] if found else ""


def stage_name(text: object) -> str:
    """A checked stage: it stands in every resource name, topic and client id."""
    if isinstance(text, str) and _STAGE.match(text):
        return text
    raise ValidationException("stage is a lower-case letter and up to 15 letters or digits.")


@dataclass(frozen=True, slots=True)
class Topics:
    """MQTT names of one node: all of them end in `/{node}` or go on with `/{node}/`."""

    stage: str
    node: str

    @property
    def root(self) -> str:
        return f"hatchway/{self.stage}/{self.node}"

    @property
    def control(self) -> str:
        """Where hints arrive."""
        return f"{self.root}/control"

    @property
    def control_client(self) -> str:
        """The client id of the control channel; its presence is the node's."""
        return self.root

    def data(self, session: str) -> str:
        """Where one session's sealed messages arrive."""
        return f"{self.root}/data/{session_suffix(session)}"

    def data_client(self, session: str) -> str:
        """The client id of one session's data channel."""
        return f"{self.root}/{session_suffix(session)}"

    @classmethod
    def of_control_client(cls, client: str) -> Topics | None:
        """The node whose control channel has this client id; None for any other client."""
        parts = client.split("/")
        if len(parts) != 3 or parts[0] != "hatchway":
            return None
        try:
            return cls(stage_name(parts[1]), node_id(parts[2]))
        except (ValidationException, UnsupportedNodeType):
            return None


@dataclass(frozen=True, slots=True)
class Owner:
    """Who a session belongs to: the account and the whole `aws:userid`, never a name."""

    account: str
    userid: str

    @property
    def key(self) -> str:
        return f"{self.account}/{self.userid}"
