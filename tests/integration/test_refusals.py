"""What people and clients are refused, each with its typed error. Nobody here is root."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from itertools import permutations

import pytest
from botocore.credentials import ReadOnlyCredentials
from websockets.exceptions import InvalidStatus

from hatchway.cli.exits import apart
from hatchway.client.link import Dialler
from hatchway.client.records import Started as SdkStarted
from hatchway.core.errors import Exit, TokenInvalid
from hatchway.core.tokens import token_digest
from hatchway.net.tls import client_context
from local.identities import ADMIN, JOHN, MARY, Statement, User
from local.instances import make_role
from local.signed import Reply
from local.stack import Stack
from tests.integration.bare_client import open_socket, pack
from tests.integration.handmade_node import HandmadeNode, enrolled
from tests.integration.ledger import secret_keys
from tests.integration.sessions import (
    PROTOCOL,
    Started,
    path_of,
    person,
    quiet_shell,
    resume,
    start,
    terminate,
)
from tests.integration.terminal import cli

pytestmark = pytest.mark.stack

EVERYTHING: Statement = {"Effect": "Allow", "Action": "ssm:*", "Resource": "*"}


def refused(reply: Reply, status: int, code: str) -> str:
    """The message of a refusal, which is typed in its body and in its header alike."""
    headers = {name.lower(): value for name, value in reply.headers.items()}
    assert (reply.status, reply.code) == (status, code), (reply.status, reply.body[:500])
    assert headers.get("x-amzn-errortype", code) == code
    return str(reply.fields.get("message", ""))


# --- signatures and permission ------------------------------------------------------------------


def test_a_wrong_signature_is_refused(stack: Stack) -> None:
    key = stack.credentials(JOHN).access_key
    wrong = ReadOnlyCredentials(key, secrets.token_urlsafe(30), None)
    refused(stack.people(wrong).call("GET", "/nodes"), 403, "InvalidSignatureException")


def test_no_signature_is_refused(stack: Stack) -> None:
    reply = stack.people(None).call("POST", f"/nodes/{stack.demo.node}/sessions", {})
    refused(reply, 403, "MissingAuthenticationTokenException")


def test_an_unknown_access_key_is_refused(stack: Stack) -> None:
    nobody = ReadOnlyCredentials("AKIA" + secrets.token_hex(8).upper(), "x" * 40, None)
    assert stack.people(nobody).call("GET", "/nodes").status == 403


def test_mary_may_see_but_not_start_in_the_words_of_aws(stack: Stack) -> None:
    reply = stack.people(MARY).call("POST", f"/nodes/{stack.demo.node}/sessions", {})
    assert refused(reply, 403, "AccessDeniedException") == (
        "User: arn:aws:iam::000000000000:user/mary is not authorized to perform: ssm:StartSession "
        f"on resource: arn:aws:ec2:us-east-1:000000000000:instance/{stack.demo.node} because no "
        "identity-based policy allows the ssm:StartSession action"
    )
    done = cli(stack, "start-session", "--target", stack.demo.node, user=MARY)
    assert done.returncode == apart(Exit.DENIED)
    assert "AccessDeniedException" in done.stderr


def test_john_may_not_start_where_the_tag_differs(stack: Stack) -> None:
    other = stack.run_instance({"team": "db"})
    reply = stack.people(JOHN).call("POST", f"/nodes/{other}/sessions", {})
    assert "no identity-based policy" in refused(reply, 403, "AccessDeniedException")


def test_john_may_not_do_what_administrators_do(stack: Stack) -> None:
    reply = stack.people(JOHN).call("POST", f"/nodes/{stack.demo.node}/reset", {})
    assert reply.status == 403


# --- tokens -------------------------------------------------------------------------------------


@pytest.fixture
def started(stack: Stack) -> Iterator[Started]:
    """A session that nobody has connected to."""
    one = start(stack)
    yield one
    terminate(stack, one.session_id)


def shut_out(stack: Stack, url: str, *protocols: str) -> int:
    """The status with which the stream API refuses a connection."""
    with pytest.raises(InvalidStatus) as refusal:
        open_socket(url, stack.places.ca_bundle, *protocols)
    return refusal.value.response.status_code


def test_a_used_token_opens_nothing(stack: Stack) -> None:
    with quiet_shell(stack) as (session_id, client):
        again = resume(stack, session_id)
        client.socket.close()
        client.move_to(open_socket(again.url, stack.places.ca_bundle, PROTOCOL, again.token))
        assert shut_out(stack, again.url, PROTOCOL, again.token) == 403
        client.run("echo un''disturbed", "undisturbed")


def test_an_expired_token_opens_nothing(stack: Stack, started: Started) -> None:
    stack.emulator.client("dynamodb").update_item(
        TableName=stack.stacks["TableName"],
        Key={"pk": {"S": f"TOKEN#{token_digest(started.token)}"}, "sk": {"S": "STATE"}},
        UpdateExpression="SET expires = :past",
        ConditionExpression="attribute_exists(pk)",
        ExpressionAttributeValues={":past": {"N": str(int(time.time()) - 1)}},
    )
    assert shut_out(stack, started.url, PROTOCOL, started.token) == 403


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("A" * 43, id="unknown"),
        pytest.param("not-a-token", id="malformed"),
        pytest.param("A" * 4000, id="long"),
    ],
)
def test_a_garbage_token_opens_nothing(stack: Stack, started: Started, token: str) -> None:
    assert shut_out(stack, started.url, PROTOCOL, token) == 403


def test_nothing_opens_without_a_token(stack: Stack, started: Started) -> None:
    assert shut_out(stack, started.url) == 401
    assert shut_out(stack, started.url, PROTOCOL) == 403
    assert shut_out(stack, started.url, started.token) == 403, "the protocol is asked for too"
    assert shut_out(stack, f"{started.url}?token={started.token}", PROTOCOL) == 403


def test_the_token_of_an_ended_session_opens_nothing(stack: Stack, started: Started) -> None:
    terminate(stack, started.session_id)
    assert shut_out(stack, started.url, PROTOCOL, started.token) == 403


async def test_the_sdk_says_token_invalid(stack: Stack) -> None:
    used = SdkStarted(session_id="john-0123456789abcdef0", token="A" * 43, stream_url=_url(stack))
    with pytest.raises(TokenInvalid):
        await Dialler(client_context(stack.places.ca_bundle))(used)


def _url(stack: Stack) -> str:
    return stack.stacks["StreamUrl"]


# --- messages of another session ----------------------------------------------------------------


@pytest.mark.parametrize("action", ["describeSession", "resumeSession", "terminateSession", "ping"])
def test_a_frame_that_names_another_session_is_refused(
    stack: Stack, started: Started, action: str
) -> None:
    with quiet_shell(stack) as (session_id, client):
        answer = client.ask(action, SessionId=started.session_id)
        assert answer["__type"] == "AccessDeniedException"
        assert "TokenValue" not in answer
        assert client.ask("describeSession", SessionId=session_id)["Status"] == "Connected"


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ('{"action":"ping","Extra":1,"RequestId":"r"}', "ValidationException"),
        ('{"action":"ping","action":"ping","RequestId":"r"}', "ValidationException"),
        ('{"action":"ping","RequestId":["r"]}', "ValidationException"),
        ('{"action":"ping","RequestId":"r","SessionId":7}', "ValidationException"),
    ],
)
def test_an_odd_frame_is_refused_and_the_session_goes_on(
    stack: Stack, frame: str, code: str
) -> None:
    with quiet_shell(stack) as (_, client):
        client.socket.send(frame)
        client.until(lambda: bool(client.answers))
        assert client.answers[0]["__type"] == code
        client.run("echo go''es on", "goes on")


def test_a_client_may_not_send_the_agents_messages(stack: Stack) -> None:
    with quiet_shell(stack) as (_, client):
        for kind in ("output_stream_data", "channel_closed", "agent_session_state"):
            client.socket.send(pack(kind, 0, b"{}", 1))
        client.run("echo un''moved", "unmoved")
        assert client.closed is None


# --- nodes and people ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def node(stack: Stack) -> HandmadeNode:
    """An enrolled node whose credentials the test holds."""
    return enrolled(stack)


PEOPLE_ROUTES: list[tuple[str, str, object]] = [
    ("GET", "/nodes", None),
    ("GET", "/sessions?State=Active", None),
    ("POST", "/nodes/{node}/sessions", {}),
    ("GET", "/nodes/{node}/connection", None),
    ("DELETE", "/sessions/john-0123456789abcdef0", None),
    ("POST", "/nodes/{node}/reset", {}),
]


@pytest.mark.parametrize(("method", "path", "body"), PEOPLE_ROUTES)
def test_a_nodes_roles_are_refused_on_people_routes(
    stack: Stack, node: HandmadeNode, method: str, path: str, body: object
) -> None:
    for credentials in (node.instance, node.channel):
        reply = stack.people(credentials).call(method, path.format(node=node.node), body)
        assert reply.status == 403
        assert reply.code.startswith("AccessDenied"), reply.fields


def test_a_node_role_with_a_persons_policies_is_still_no_person(stack: Stack) -> None:
    """Its owner attached what people have: Hatchway itself refuses it."""
    role = stack.make_role(f"both-{secrets.token_hex(4)}")
    iam = stack.emulator.client("iam")
    iam.attach_role_policy(RoleName=role.name, PolicyArn=stack.stacks["AdminPolicyArn"])
    iam.put_role_policy(
        RoleName=role.name,
        PolicyName="everything",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [EVERYTHING]}),
    )
    credentials = secret_keys(stack.instance_credentials(stack.demo.node, role), "node role")
    reply = stack.people(credentials).call("POST", f"/nodes/{stack.demo.node}/sessions", {})
    message = refused(reply, 403, "AccessDeniedException")
    assert message == "Roles of nodes may not use this API."


NODE_ROUTES = [
    ("POST", "/agent/{node}/channel"),
    ("GET", "/agent/{node}/sessions"),
    ("POST", "/agent/{node}/sessions/{session}/open"),
    ("POST", "/agent/{node}/sessions/{session}/ticket"),
    ("POST", "/agent/{node}/sessions/{session}/frames"),
    ("POST", "/agent/{node}/sessions/{session}/end"),
    ("POST", "/agent/{node}/reports"),
]


@pytest.mark.parametrize(("method", "path"), NODE_ROUTES)
@pytest.mark.parametrize("who", [JOHN, ADMIN])
def test_people_are_refused_on_node_routes(
    stack: Stack, started: Started, who: str, method: str, path: str
) -> None:
    full = path.format(node=stack.demo.node, session=started.session_id)
    reply = stack.agent_api(stack.credentials(who)).call(method, full, {})
    assert (reply.status, reply.code) == (403, "AccessDeniedException"), reply.fields


@pytest.fixture(scope="module")
def owner_of_all(stack: Stack) -> Iterator[User]:
    """An IAM user whom IAM lets do anything at all."""
    everything: Statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    with person(stack, f"owner-{secrets.token_hex(4)}", [everything]) as user:
        yield user


@pytest.mark.parametrize(("method", "path"), NODE_ROUTES)
def test_people_whom_iam_lets_through_are_refused_by_hatchway(
    stack: Stack, started: Started, owner_of_all: User, method: str, path: str
) -> None:
    full = path.format(node=stack.demo.node, session=started.session_id)
    body: object = {}
    if path.endswith("channel"):
        body = {
            "EnrolmentSecret": "A" * 43,
            "AgentVersion": "1",
            "AgentInstanceId": "x",
            "Platform": "x",
        }
    reply = stack.agent_api(owner_of_all.credentials).call(method, full, body)
    refused(reply, 403, "NodeRefused")


# --- other people's sessions --------------------------------------------------------------------

_OWN: Statement = {
    "Effect": "Allow",
    "Action": ["ssm:ResumeSession", "ssm:TerminateSession"],
    "Resource": ["arn:aws:ssm:*:*:session/${aws:username}-*"],
}
_START: Statement = {"Effect": "Allow", "Action": "ssm:StartSession", "Resource": "*"}


@pytest.fixture(scope="module")
def bobs(stack: Stack) -> Iterator[dict[str, ReadOnlyCredentials]]:
    """`bob`, `bob-admin`, and a role session that is named `bob`."""
    with (
        person(stack, "bob", [_START, _OWN]) as bob,
        person(stack, "bob-admin", [_START, _OWN]) as bob_admin,
    ):
        yield {
            "bob": bob.credentials,
            "bob-admin": bob_admin.credentials,
            "role session bob": _role_session(stack, "bob", [_START, _OWN]),
        }


def _role_session(stack: Stack, name: str, statements: list[Statement]) -> ReadOnlyCredentials:
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    role = make_role(
        stack.emulator,
        stack.stacks,
        f"people-{secrets.token_hex(4)}",
        trust=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )
    iam = stack.emulator.client("iam")
    iam.attach_role_policy(RoleName=role.name, PolicyArn=stack.stacks["UserPolicyArn"])
    iam.put_role_policy(
        RoleName=role.name,
        PolicyName="sessions",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statements}),
    )
    return secret_keys(stack.instance_credentials(name, role), f"role session {name}")


_NAMES = ("bob", "bob-admin", "role session bob")


@pytest.mark.parametrize(("owner", "other"), list(permutations(_NAMES, 2)))
def test_nobody_ends_or_resumes_the_session_of_somebody_with_a_similar_name(
    stack: Stack, bobs: dict[str, ReadOnlyCredentials], owner: str, other: str
) -> None:
    session_id = start(stack, bobs[owner]).session_id
    api = stack.people(bobs[other])
    refused(api.call("POST", path_of(session_id, "/resume"), {}), 403, "AccessDeniedException")
    refused(api.call("DELETE", path_of(session_id)), 403, "AccessDeniedException")
    terminate(stack, session_id)


@pytest.mark.parametrize("owner", ["bob", "bob-admin"])
def test_the_same_policy_lets_each_end_and_resume_his_own(
    stack: Stack, bobs: dict[str, ReadOnlyCredentials], owner: str
) -> None:
    session_id = start(stack, bobs[owner]).session_id
    assert resume(stack, session_id, bobs[owner]).session_id == session_id
    terminate(stack, session_id, bobs[owner])


def test_even_an_administrator_resumes_only_what_is_his_own(stack: Stack) -> None:
    started = start(stack)
    reply = stack.people(ADMIN).call("POST", path_of(started.session_id, "/resume"), {})
    message = refused(reply, 403, "AccessDeniedException")
    assert message == "Only its owner may resume a session."
    terminate(stack, started.session_id, ADMIN)


def test_an_unknown_session_looks_like_somebody_elses(stack: Stack) -> None:
    unknown = path_of("nobody-0123456789abcdef0")
    refused(stack.people(JOHN).call("DELETE", unknown), 403, "AccessDeniedException")
    refused(stack.people(ADMIN).call("DELETE", unknown), 404, "DoesNotExistException")


# --- odd requests -------------------------------------------------------------------------------

_BAD = "ValidationException"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        pytest.param({"Unknown": 1}, 400, _BAD, id="unknown member"),
        pytest.param({"Target": "i-0123456789abcdef0"}, 400, _BAD, id="contradicting target"),
        pytest.param("{", 400, _BAD, id="not json"),
        pytest.param("[]", 400, _BAD, id="not an object"),
        pytest.param('{"Reason":"a","Reason":"b"}', 400, _BAD, id="twice"),
        pytest.param('{"Reason":NaN}', 400, _BAD, id="not a number"),
        pytest.param(
            '{"Parameters":' + '{"a":' * 20000 + "1" + "}" * 20001,
            413,
            "PayloadTooLarge",
            id="deep and large",
        ),
        pytest.param('{"Parameters":' + "[" * 30000 + "]" * 30000 + "}", 400, _BAD, id="deep"),
        pytest.param({"Reason": "x" * 66_000}, 413, "PayloadTooLarge", id="too large"),
        pytest.param({"Reason": "x" * 257}, 400, _BAD, id="long reason"),
        pytest.param({"Reason": "a\x1b[2Jb"}, 400, _BAD, id="escape"),
        pytest.param({"DocumentName": "No-Such-Document"}, 403, "AccessDeniedException", id="doc"),
        pytest.param(b'{"Reason":"\xff\xfe"}', 400, _BAD, id="not utf-8"),
    ],
)
def test_an_odd_body_has_a_typed_error(stack: Stack, body: object, status: int, code: str) -> None:
    reply = stack.people(JOHN).call("POST", f"/nodes/{stack.demo.node}/sessions", body)
    refused(reply, status, code)
    assert reply.fields.get("RequestId")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/nodes/mi-0123456789abcdef0/sessions", 400, "UnsupportedNodeType"),
        ("/nodes/i-xyz/sessions", 400, _BAD),
        ("/nodes/i-0123456789ABCDEF0/sessions", 400, _BAD),
    ],
)
def test_an_odd_target_has_a_typed_error(stack: Stack, path: str, status: int, code: str) -> None:
    refused(stack.people(JOHN).call("POST", path, {}), status, code)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", _BAD),
        ("State=Past", _BAD),
        ("State=Active&MaxResults=0", _BAD),
        ("State=Active&MaxResults=1000", _BAD),
        ("State=Active&NextToken=abc", "InvalidNextToken"),
        ("State=Active&Filter=Colour%3Dred", "InvalidFilterKey"),
        ("State=Active&Colour=red", _BAD),
    ],
)
def test_an_odd_query_has_a_typed_error(stack: Stack, query: str, code: str) -> None:
    refused(stack.people(JOHN).call("GET", f"/sessions?{query}"), 400, code)


def test_a_client_request_token_stands_for_one_request(stack: Stack) -> None:
    token = secrets.token_hex(8)
    first = start(stack, ClientRequestToken=token, Reason="one")
    again = start(stack, ClientRequestToken=token, Reason="one")
    assert again.session_id == first.session_id
    assert again.token != first.token
    other = {"ClientRequestToken": token, "Reason": "two"}
    reply = stack.people(JOHN).call("POST", f"/nodes/{stack.demo.node}/sessions", other)
    refused(reply, 400, "IdempotentParameterMismatch")
    terminate(stack, first.session_id)


def test_a_terminated_session_cannot_be_resumed(stack: Stack) -> None:
    with quiet_shell(stack) as (session_id, client):
        terminate(stack, session_id, JOHN)
        client.until(lambda: client.closed is not None)
        reply = stack.people(JOHN).call("POST", path_of(session_id, "/resume"), {})
        refused(reply, 404, "DoesNotExistException")


def test_another_clients_socket_gets_nothing_of_a_session(stack: Stack) -> None:
    """Two sessions at once: what one prints never arrives at the other."""
    word = secrets.token_hex(8)
    with quiet_shell(stack) as (_, first), quiet_shell(stack) as (_, second):
        first.run(f"echo {word}", word)
        second.run("echo se''cond", "second")
        assert word.encode() not in second.output
