"""No log holds a token, a key, a secret or what was typed. It comes last, and looks at all of it:
what the other tests had in their hands is in the ledger."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.deployment import STAGE
from local.identities import ADMIN, JOHN, MARY
from local.stack import Stack
from tests.integration.archived import archived
from tests.integration.bare_client import pack
from tests.integration.handmade_node import enrolled, online
from tests.integration.ledger import kept, secret, secret_keys
from tests.integration.logs import lines, messages
from tests.integration.sessions import connect, path_of, quiet_shell, start, terminate
from tests.integration.terminal import terminal

pytestmark = pytest.mark.stack

#: What API Gateway hands to the relay.
_EVENT = Path(__file__).parent.parent / "events" / "ws_message.json"
#: `relay` is invoked by hand too: so there is a bad message as well.
FAMILIES = (
    "agents",
    "archive",
    "audit",
    "connect",
    "documents",
    "events",
    "nodes",
    "notify",
    "recordings",
    "relay",
    "review",
    "sessions",
    "sweep",
    "uplink",
)
#: Those of a schedule, which are not waited for.
CLOCKS = ("archive", "review", "sweep")
#: What was printed is kept there, and for that alone. What passed is sealed, and looked at.
RECORDINGS = (f"/hatchway/{STAGE}/sessions",)


def test_no_log_holds_a_secret_or_what_was_typed(stack: Stack, tmp_path: Path) -> None:
    _use_everything(stack, tmp_path)
    _relay_by_hand(stack)
    _note_standing_secrets(stack)
    needles = {needle: what for needle, what in kept().items() if what}
    found = {
        (needles[needle], where)
        for where, text in _texts(stack)
        for needle in needles
        if needle in text
    }
    assert not found
    for family in FAMILIES:
        assert any(lines(stack, family)), f"{family} logs nothing, so this proves nothing"


def _use_everything(stack: Stack, directory: Path) -> None:
    """Each kind of secret once, whatever ran before."""
    typed = secret(f"typed{secrets.token_hex(8)}", "typed text")
    with terminal(stack, directory) as shell:
        shell.run(f"echo {typed}")
        shell.leave("exit")
    with quiet_shell(stack) as (_, client):
        client.run(f"printf %s {secret(secrets.token_hex(8), 'typed text')}; echo so''", "so")
        client.ask("resumeSession")
    made = enrolled(stack)
    with online(made):
        started = start(stack, node=made.node)
        connect(stack, started)
        made.open(started.session_id)
        terminate(stack, started.session_id)
    _read_back(stack, started.session_id)
    for family in CLOCKS:
        name = f"hatchway-{STAGE}-{family}"
        stack.emulator.client("lambda").invoke(FunctionName=name, Payload="{}")


def _read_back(stack: Stack, session: str) -> None:
    """What others look at: documents, recordings, calls; and what is searched for."""
    people = stack.people(ADMIN)
    for path in ("/documents", path_of(session, "/recording"), "/audit/events"):
        assert people.call("GET", path).status == 200
    wanted = {"Text": secret(f"sought{secrets.token_hex(8)}", "what was searched for")}
    found = people.call("POST", path_of(session, "/recording/search"), wanted)
    assert (found.status, found.fields["Matches"]) == (200, [])


def _relay_by_hand(stack: Stack) -> None:
    """The deployed function, with a message that carries something typed, and with a bad one."""
    event = json.loads(_EVENT.read_text())
    typed = secret(f"typed{secrets.token_hex(8)}", "typed text").encode()
    for body in (pack("input_stream_data", 0, typed, 1), typed.decode()):
        secret(body, "a frame")
        answer = stack.emulator.client("lambda").invoke(
            FunctionName=f"hatchway-{STAGE}-relay", Payload=json.dumps(event | {"body": body})
        )
        assert json.loads(answer["Payload"].read()) == {"statusCode": 200}


def _note_standing_secrets(stack: Stack) -> None:
    for name in (ADMIN, JOHN, MARY):
        secret_keys(stack.credentials(name), name)
    secret(stack.emulator.secret_access_key, "the root key")
    manager = stack.emulator.client("secretsmanager")
    for name in ("seal", "ticket"):
        value = manager.get_secret_value(SecretId=f"hatchway-{STAGE}/{name}")["SecretString"]
        secret(str(value), f"the {name} secret")
    for file in stack.places.nodes.glob("*/state/*"):
        text = file.read_text(errors="replace").strip() if file.is_file() else ""
        if len(text) >= 8:
            secret(text, f"an agent's {file.name}")


def _texts(stack: Stack) -> Iterator[tuple[str, str]]:
    """Every log group but recordings, the archived trail, what agents and clients wrote."""
    for prefix in ("/aws/", "/hatchway/"):
        for message in messages(stack, prefix, but=RECORDINGS):
            yield prefix, message
    for key, records in archived(stack):
        yield key, json.dumps(records)
    for file in sorted(stack.places.logs.glob("*.log")):
        yield file.name, file.read_text(errors="replace")
