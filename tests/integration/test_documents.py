"""Session documents over the deployed stacks: who writes them, and what the node is told to run."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import ReadOnlyCredentials

from hatchway.core import documents
from hatchway.core.documents import Document, Platform
from hatchway.core.errors import Exit
from local.identities import ADMIN, JOHN, Statement
from local.instances import make_role
from local.signed import Reply
from local.stack import Stack
from local.waiting import until
from tests.integration.handmade_node import HandmadeNode, enrolled, online
from tests.integration.ledger import secret_keys
from tests.integration.sessions import person, terminate
from tests.integration.terminal import cli

pytestmark = pytest.mark.stack

DEFAULT = "SSM-SessionManagerRunShell"
RULES = "Hatchway-PreferenceRules"
ON_NODES: Statement = {
    "Effect": "Allow",
    "Action": "ssm:StartSession",
    "Resource": "arn:aws:ec2:*:*:instance/*",
}
EVERYTHING: Statement = {"Effect": "Allow", "Action": "ssm:*", "Resource": "*"}


def shell(**inputs: Any) -> str:
    return json.dumps({"schemaVersion": "1.0", "sessionType": "Standard_Stream", "inputs": inputs})


@pytest.fixture(scope="module")
def node(stack: Stack) -> Iterator[HandmadeNode]:
    """A node whose agent is the test: it sees what a session is opened with."""
    made = enrolled(stack)
    with online(made):
        yield made


def ask(stack: Stack, method: str, path: str, body: object = None, who: str = ADMIN) -> Reply:
    return stack.people(who).call(method, path, body)


def done(reply: Reply) -> Mapping[str, Any]:
    assert reply.status == 200, (reply.status, reply.code, reply.fields.get("message"))
    return reply.fields


@contextmanager
def document(stack: Stack, content: str, name: str = "") -> Iterator[str]:
    """A document for one test; its name."""
    name = name or f"Test-{secrets.token_hex(4)}"
    done(ask(stack, "POST", "/documents", {"Name": name, "Content": content}))
    try:
        yield name
    finally:
        done(ask(stack, "DELETE", f"/documents/{name}"))


@contextmanager
def preferences(stack: Stack, content: str) -> Iterator[None]:
    """The deployment's preferences for one test; afterwards the built-in ones."""
    done(ask(stack, "PUT", f"/documents/{DEFAULT}", {"Content": content}))
    try:
        yield
    finally:
        done(ask(stack, "DELETE", f"/documents/{DEFAULT}"))


def try_start(
    stack: Stack, node: HandmadeNode, who: str | ReadOnlyCredentials = ADMIN, **members: object
) -> Reply:
    return stack.people(who).call("POST", f"/nodes/{node.node}/sessions", members)


def opened(
    stack: Stack, node: HandmadeNode, who: str | ReadOnlyCredentials = ADMIN, **members: object
) -> Mapping[str, Any]:
    """What the node is told of a new session, which is over afterwards."""
    session = str(done(try_start(stack, node, who, **members))["SessionId"])
    try:
        return done(node.open(session))
    finally:
        terminate(stack, session)


def resolved(found: Mapping[str, Any]) -> Document:
    return documents.read(json.dumps(found["Document"]))


# --- versions -------------------------------------------------------------------------------------


def test_the_command_line_writes_lists_and_removes_documents(stack: Stack, tmp_path: Path) -> None:
    name, file = f"Cli-{secrets.token_hex(4)}", tmp_path / "team.yaml"
    said = "schemaVersion: '1.0'\nsessionType: Standard_Stream\ninputs:\n  idleSessionTimeout: "
    file.write_text(f"{said}5\n")

    def run(*arguments: str) -> str:
        answer = cli(stack, *arguments, user=ADMIN)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    run("create-document", "--name", name, "--content", f"file://{file}")
    file.write_text(f"{said}6\n")
    run("update-document", "--name", name, "--content", str(file), "--set-default")
    described = json.loads(run("describe-document", "--name", name, "--output", "json"))
    assert described["Document"]["DefaultVersion"] == "2"
    assert run("get-document", "--name", name) == f"{said}6\n"
    versions = json.loads(run("list-document-versions", "--name", name, "--output", "json"))
    assert [each["DocumentVersion"] for each in versions["DocumentVersions"]] == ["2", "1"]
    run("update-document-default-version", "--name", name, "--document-version", "1")
    assert name in run("list-documents")
    run("delete-document", "--name", name)
    gone = cli(stack, "describe-document", "--name", name, user=ADMIN)
    assert gone.returncode == Exit.USAGE
    assert "InvalidDocument" in gone.stderr


def test_what_is_wrong_is_named_by_its_path(stack: Stack) -> None:
    body = {"Name": "Never", "Content": shell(idleSessionTimeout=61)}
    reply = ask(stack, "POST", "/documents", body)
    assert reply.code == "InvalidDocumentContent"
    assert "inputs.idleSessionTimeout" in str(reply.fields["message"])


def test_the_version_is_pinned_at_the_start(stack: Stack, node: HandmadeNode) -> None:
    with document(stack, shell(idleSessionTimeout=1)) as name:
        session = str(done(try_start(stack, node, DocumentName=name))["SessionId"])
        update = {"Content": shell(idleSessionTimeout=2)}
        done(ask(stack, "PUT", f"/documents/{name}", update))
        default = {"DocumentVersion": "2"}
        done(ask(stack, "PUT", f"/documents/{name}/default-version", default))
        first = resolved(done(node.open(session)))
        terminate(stack, session)
        assert (first.version, first.inputs.idle_session_timeout) == ("1", 1)
        for asked, version in ((name, "2"), (f"{name}:1", "1")):
            assert resolved(opened(stack, node, DocumentName=asked)).version == version


def test_each_operation_is_a_permission_of_its_own_on_the_document(stack: Stack) -> None:
    name = f"Own-{secrets.token_hex(4)}"
    own: Statement = {
        "Effect": "Allow",
        "Action": ["ssm:CreateDocument", "ssm:GetDocument", "ssm:DeleteDocument"],
        "Resource": f"arn:aws:ssm:*:*:document/{name}",
    }
    invoke: Statement = {
        "Effect": "Allow",
        "Action": "execute-api:Invoke",
        "Resource": "arn:aws:execute-api:*:*:*/*/*/documents*",
    }
    with person(stack, "writer", [own, invoke]) as writer:
        people = stack.people(writer.credentials)
        for other in (f"{name}2", DEFAULT):
            made = people.call("POST", "/documents", {"Name": other, "Content": shell()})
            assert (made.status, made.code) == (403, "AccessDeniedException")
        assert people.call("POST", "/documents", {"Name": name, "Content": shell()}).status == 200
        assert people.call("GET", f"/documents/{name}/content").status == 200
        update = people.call("PUT", f"/documents/{name}", {"Content": shell(runAsEnabled=True)})
        assert "ssm:UpdateDocument" in str(update.fields["message"])
        assert people.call("GET", "/documents").status == 403
        assert people.call("DELETE", f"/documents/{name}").status == 200


# --- sessions -------------------------------------------------------------------------------------


def test_parameters_reach_the_node_as_one_quoted_word(stack: Stack, node: HandmadeNode) -> None:
    content = json.dumps(
        {
            "schemaVersion": "1.0",
            "sessionType": "NonInteractiveCommands",
            "parameters": {"file": {"type": "String", "allowedPattern": "[^|]+"}},
            "properties": {"linux": {"commands": "tail -n 5 {{ file }}"}},
        }
    )
    with document(stack, content) as name:
        hostile: dict[str, Any] = {"DocumentName": name, "Parameters": {"file": ["x'; id #"]}}
        command = resolved(opened(stack, node, **hostile)).properties.of(Platform.LINUX)
        assert command is not None
        assert command.commands == "tail -n 5 'x'\"'\"'; id #'"
        refused = try_start(stack, node, DocumentName=name, Parameters={"file": ["a|b"]})
        assert refused.code == "InvalidParameters"
        assert try_start(stack, node, DocumentName=name).code == "InvalidParameters"


def test_a_document_is_used_by_those_who_are_allowed_it(stack: Stack, node: HandmadeNode) -> None:
    with document(stack, shell()) as name:
        own: Statement = {
            "Effect": "Allow",
            "Action": "ssm:StartSession",
            "Resource": f"arn:aws:ssm:*:*:document/{name}",
        }
        with person(stack, "user-of-it", [ON_NODES, own]) as user:
            assert opened(stack, node, user.credentials, DocumentName=f"{name}:1")
            other = try_start(
                stack, node, user.credentials, DocumentName="AWS-StartInteractiveCommand"
            )
            assert other.status == 403
        assert try_start(stack, node, JOHN, DocumentName=name).status == 403


def test_the_preferences_are_there_and_stand_at_once(stack: Stack, node: HandmadeNode) -> None:
    before = resolved(opened(stack, node))
    assert (before.version, before.inputs.hatchway.banner) == ("1", True)
    wanted = {"requireReason": True, "reasonPattern": "INC-[0-9]+"}
    with preferences(stack, shell(maxSessionDuration=30, hatchway=wanted)):
        assert try_start(stack, node).code == "ReasonRequired"
        assert try_start(stack, node, Reason="because").code == "ReasonRequired"
        found = opened(stack, node, Reason="INC-7")
        assert resolved(found).inputs.max_session_duration == 30
        assert (found["Reason"], found["Stage"]) == ("INC-7", "local")
    assert resolved(opened(stack, node)).version == "1"


def test_a_rule_chooses_the_preferences_by_the_callers_tag(
    stack: Stack, node: HandmadeNode
) -> None:
    with document(stack, shell(idleSessionTimeout=7)) as name:
        rule = {"document": name, "principalTags": {"team": ["payments"]}}
        rules = json.dumps({"schemaVersion": "1.0", "rules": [rule]})
        with document(stack, rules, RULES), person(stack, "payer", [EVERYTHING]) as payer:
            tags = [{"Key": "team", "Value": "payments"}]
            stack.emulator.client("iam").tag_user(UserName="payer", Tags=tags)
            assert resolved(opened(stack, node, payer.credentials)).inputs.idle_session_timeout == 7
            assert resolved(opened(stack, node)).inputs.idle_session_timeout == 20


# --- run as ---------------------------------------------------------------------------------------


@contextmanager
def role(stack: Stack, action: list[str], tags: Mapping[str, str]) -> Iterator[ReadOnlyCredentials]:
    """A session of a role with these tags; `action` is what its trust policy allows."""
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": action}
    made = make_role(
        stack.emulator,
        stack.stacks,
        f"run-as-{secrets.token_hex(4)}",
        trust=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )
    iam = stack.emulator.client("iam")
    iam.attach_role_policy(RoleName=made.name, PolicyArn=stack.stacks["UserPolicyArn"])
    iam.tag_role(RoleName=made.name, Tags=[{"Key": k, "Value": v} for k, v in tags.items()])
    policy = json.dumps({"Version": "2012-10-17", "Statement": [EVERYTHING]})
    iam.put_role_policy(RoleName=made.name, PolicyName="sessions", PolicyDocument=policy)
    sts = stack.emulator.client("sts")
    found = sts.assume_role(RoleArn=made.arn, RoleSessionName="ann")["Credentials"]
    keys = ReadOnlyCredentials(
        found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"]
    )
    yield secret_keys(keys, "session ann")


def test_run_as_is_the_users_tag_then_the_documents_user_then_refused(
    stack: Stack, node: HandmadeNode
) -> None:
    with (
        document(stack, shell(runAsEnabled=True)) as bare,
        document(stack, shell(runAsEnabled=True, runAsDefaultUser="app")) as named,
        person(stack, "runner", [EVERYTHING]) as runner,
    ):
        untagged = try_start(stack, node, runner.credentials, DocumentName=bare)
        assert (untagged.status, untagged.code) == (403, "RunAsRefused")
        assert opened(stack, node, runner.credentials, DocumentName=named)["RunAs"] == "app"
        iam = stack.emulator.client("iam")
        for value, user in (("root", ""), ("deploy", "deploy")):
            iam.tag_user(UserName="runner", Tags=[{"Key": "SSMSessionRunAs", "Value": value}])
            if not user:
                refused = _settled(stack, node, runner.credentials, named, "RunAsRefused")
                assert refused.code == "RunAsRefused"
                continue
            _settled(stack, node, runner.credentials, bare, "")
            assert opened(stack, node, runner.credentials, DocumentName=bare)["RunAs"] == user


def _settled(
    stack: Stack, node: HandmadeNode, who: ReadOnlyCredentials, name: str, code: str
) -> Reply:
    """The answer once the tags of ten seconds ago are not remembered any more."""

    def there() -> Reply | None:
        reply = try_start(stack, node, who, DocumentName=name)
        if reply.status == 200:
            terminate(stack, str(reply.fields["SessionId"]))
        return reply if (reply.code if reply.status != 200 else "") == code else None

    return until(there, 20.0, f"StartSession never answered {code or 'with a session'}")


def test_a_roles_tag_counts_only_where_nobody_may_tag_its_sessions(
    stack: Stack, node: HandmadeNode
) -> None:
    tags = {"SSMSessionRunAs": "ops"}
    with document(stack, shell(runAsEnabled=True, runAsDefaultUser="app")) as name:
        with role(stack, ["sts:AssumeRole"], tags) as certain:
            assert opened(stack, node, certain, DocumentName=name)["RunAs"] == "ops"
        with role(stack, ["sts:AssumeRole", "sts:TagSession"], tags) as open_to_tags:
            refused = try_start(stack, node, open_to_tags, DocumentName=name)
            assert (refused.status, refused.code) == (403, "RunAsRefused")
            assert "sts:TagSession" in str(refused.fields["message"])
