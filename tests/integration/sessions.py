"""Sessions as tests start, find and end them: signed calls to the people API, and sockets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import quote

from botocore.credentials import ReadOnlyCredentials

from local.identities import ADMIN, JOHN, STATEMENTS, Statement, User
from local.stack import Stack
from local.waiting import until
from tests.integration.bare_client import BareClient, open_socket
from tests.integration.ledger import secret, secret_keys

#: The stream API's subprotocol.
PROTOCOL = "hatchway.v1"
#: Seconds until a change of a session must be seen.
PATIENCE = 20.0
#: A shell that prints nothing of its own: what comes is what the commands print.
QUIET = "PS1=; PS2=; stty -echo; bind 'set enable-bracketed-paste off' 2>/dev/null; "


@dataclass(frozen=True, slots=True)
class Started:
    """StartSession's or ResumeSession's answer."""

    session_id: str
    token: str
    url: str

    @classmethod
    def of(cls, fields: dict[str, object]) -> Started:
        token = secret(str(fields["TokenValue"]), "stream token")
        return cls(str(fields["SessionId"]), token, str(fields["StreamUrl"]))


Who = str | ReadOnlyCredentials


def start(stack: Stack, who: Who = JOHN, node: str = "", **members: object) -> Started:
    """A new session on the demo's node, or another."""
    path = f"/nodes/{node or stack.demo.node}/sessions"
    reply = stack.people(who).call("POST", path, members)
    assert reply.status == 200, (reply.status, reply.code, reply.fields.get("message"))
    return Started.of(reply.fields)


def resume(stack: Stack, session_id: str, who: Who = JOHN) -> Started:
    """The next token of a session."""
    reply = stack.people(who).call("POST", path_of(session_id, "/resume"), {})
    assert reply.status == 200, (reply.status, reply.code)
    return Started.of(reply.fields)


def path_of(session_id: str, rest: str = "") -> str:
    return f"/sessions/{quote(session_id, safe='')}{rest}"


def described(stack: Stack, session_id: str) -> dict[str, object]:
    """What the service says of a session."""
    return stack.people(ADMIN).call("GET", path_of(session_id)).fields


def wait_status(stack: Stack, session_id: str, *wanted: str) -> dict[str, object]:
    """The session, once it is in one of these states."""

    def there() -> dict[str, object] | None:
        found = described(stack, session_id)
        return found if found.get("Status") in wanted else None

    return until(there, PATIENCE, f"{session_id} is not {' or '.join(wanted)}")


def terminate(stack: Stack, session_id: str, who: Who = ADMIN) -> None:
    reply = stack.people(who).call("DELETE", path_of(session_id))
    assert reply.status == 200, (reply.status, reply.code)


def connect(stack: Stack, started: Started) -> BareClient:
    """A bare client attached to the session."""
    return BareClient(open_socket(started.url, stack.places.ca_bundle, PROTOCOL, started.token))


def reconnect(stack: Stack, client: BareClient, started: Started) -> None:
    """The same client on a new socket."""
    ca_bundle = stack.places.ca_bundle
    client.move_to(open_socket(started.url, ca_bundle, PROTOCOL, started.token))


def connect_quietly(stack: Stack, started: Started, columns: int = 80) -> BareClient:
    """A client of the session whose shell shows neither prompt nor echo."""
    client = connect(stack, started)
    client.greet()
    client.resize(columns, 24)
    client.run(QUIET + "echo qu''iet", "quiet")
    return client


@contextmanager
def quiet_client(stack: Stack, started: Started) -> Iterator[BareClient]:
    """The same, closed afterwards."""
    client = connect_quietly(stack, started)
    try:
        yield client
    finally:
        client.socket.close()


@contextmanager
def quiet_shell(stack: Stack, who: Who = JOHN, node: str = "") -> Iterator[tuple[str, BareClient]]:
    """A session with a quiet client; ended afterwards."""
    started = start(stack, who, node)
    try:
        with quiet_client(stack, started) as client:
            yield started.session_id, client
    finally:
        terminate(stack, started.session_id)


# --- people -------------------------------------------------------------------------------------

#: What john may do, for others too.
OPEN_SESSIONS = STATEMENTS[JOHN]


@contextmanager
def person(
    stack: Stack, name: str, statements: Sequence[Statement] = OPEN_SESSIONS
) -> Iterator[User]:
    """An IAM user for one test. The administrator who makes it is root; the user is not."""
    _remove_user(stack, name)
    user = stack.make_user(name, statements)
    secret_keys(user.credentials, name)
    try:
        yield user
    finally:
        _remove_user(stack, name)


def _remove_user(stack: Stack, name: str) -> None:
    iam = stack.emulator.client("iam")
    try:
        for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
            iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        for policy in iam.list_attached_user_policies(UserName=name)["AttachedPolicies"]:
            iam.detach_user_policy(UserName=name, PolicyArn=policy["PolicyArn"])
        for inline in iam.list_user_policies(UserName=name)["PolicyNames"]:
            iam.delete_user_policy(UserName=name, PolicyName=inline)
        iam.delete_user(UserName=name)
    except iam.exceptions.NoSuchEntityException:
        return
