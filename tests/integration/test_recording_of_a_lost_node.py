"""A node dies in the middle of a recorded session: what is kept of it, and who says what of it.

The destinations are under a key of their own, and the document demands that. What is stored is
looked at as root; nothing that is tested is asked for as root.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

import pytest

from hatchway.core.transcript.chunks import Kind
from hatchway.core.transcript.evidence import Manifest, read_segment
from lambdas.adapters.sqs import written
from lambdas.ledger import prefix_of
from lambdas.ports import Disconnection
from local import agents, processes
from local.deployment import STAGE
from local.identities import ADMIN
from local.stack import Stack
from local.waiting import until
from tests.integration.edges import another_node
from tests.integration.outside import Outside, outside
from tests.integration.sessions import PATIENCE, connect_quietly, start, wait_status
from tests.integration.terminal import cli
from tests.integration.test_audit import recorded as audited
from tests.integration.test_recording import ARCHIVED, Kept, _final
from tests.integration.written import session_document

pytestmark = pytest.mark.stack

#: Lines that the client has seen when the node dies.
SEEN = 30


@dataclass(frozen=True, slots=True)
class Lost:
    """The session that its node left, and what had reached the client by then."""

    session: str
    node: str
    word: str
    shown: bytes
    manifest: Manifest
    outside: Outside
    recorded: bytes
    ended: dict[str, object]

    def shown_in(self, lines: Sequence[str]) -> bool:
        """Each whole line that is recorded, once and in its order. Behind a gap there may be more:
        of the uploads that were on their way a later one may have come and an earlier not."""
        return self.counted(lines)[: self.last] == [*range(1, self.last + 1)]

    def counted(self, lines: Sequence[str]) -> list[int]:
        """The numbers of the lines that the shell printed."""
        pattern = re.compile(rf"\A{self.word}-(\d+)\Z")
        return [int(found[1]) for line in lines if (found := pattern.match(line.strip()))]

    @property
    def last(self) -> int:
        """The last whole line that is recorded without a gap."""
        return self.counted(self.recorded.decode().split("\n")[:-1])[-1]


@pytest.fixture(scope="module")
def kept(stack: Stack) -> Kept:
    return Kept(stack)


@pytest.fixture(scope="module")
def lost(stack: Stack, kept: Kept) -> Iterator[Lost]:
    with outside(stack) as places:
        yield _lost(stack, kept, places)


def _lost(stack: Stack, kept: Kept, places: Outside) -> Lost:
    """A shell prints and prints; the agent and all it started are killed at one stroke."""
    word = f"tick{secrets.token_hex(4)}"
    with session_document(stack, **places.inputs()) as name, another_node(stack) as node:
        session = start(stack, ADMIN, node, DocumentName=name)
        client = connect_quietly(stack, session)
        client.type(f"n=0; while :; do n=$((n+1)); echo {word}-$n; sleep 0.02; done\n")
        client.until(lambda: b"%s-%d\r\n" % (word.encode(), SEEN) in client.output)
        agent = processes.recorded(agents.record(stack.places, node))
        assert agent is not None
        processes.kill_all(agent)
        _not_waited_for(stack, node)
        client.until(lambda: client.closed is not None or client.lost, 2 * PATIENCE)
        ended = wait_status(stack, session.session_id, "Terminated")
        client.socket.close()
    prefix = prefix_of(session.session_id, float(str(ended["StartDate"])))
    manifest = until(lambda: _final(kept, prefix), ARCHIVED, "no final manifest")
    return Lost(
        session.session_id,
        node,
        word,
        bytes(client.output).partition(b"quiet\r\n")[2],
        manifest,
        places,
        _printed(kept, prefix, manifest).partition(b"quiet\r\n")[2],
        ended,
    )


def _not_waited_for(stack: Stack, node: str) -> None:
    """What the queue of rechecks brings after 55 s: the node has not come back."""
    table, sqs = stack.emulator.client("dynamodb"), stack.emulator.client("sqs")
    key = {"pk": {"S": f"NODE#{node}"}, "sk": {"S": "STATE"}}

    def gone() -> Disconnection | None:
        item = table.get_item(TableName=f"hatchway-{STAGE}", Key=key)["Item"]
        if item["online"]["BOOL"]:
            return None
        return Disconnection(
            node_id=node,
            presence_session=item["presence_session"]["S"],
            presence_version=int(item["presence_version"]["N"]),
        )

    message = written(until(gone, PATIENCE, "the node is not seen to go"))
    url = sqs.get_queue_url(QueueName=f"hatchway-{STAGE}-rechecks")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=message)


def _printed(kept: Kept, prefix: str, manifest: Manifest) -> bytes:
    """What is recorded without a gap."""
    lines = [
        json.loads(line)
        for segment in manifest.segments
        for line in read_segment(kept.object(prefix + segment.name) or b"")
    ]
    whole = takewhile(lambda c: c["kind"] != Kind.GAP, lines)
    return b"".join(base64.b64decode(c["data"]) for c in whole if c["kind"] == Kind.OUTPUT)


def test_all_that_reached_the_client_is_in_the_recording(lost: Lost) -> None:
    assert lost.recorded.startswith(lost.shown)
    assert lost.shown_in(lost.recorded.decode().split("\n"))
    assert lost.last >= SEEN


def test_the_session_ends_for_its_node_and_its_end_is_not_known(stack: Stack, lost: Lost) -> None:
    assert (lost.ended["Status"], lost.ended["EndReason"]) == ("Terminated", "node lost")
    assert lost.manifest.final
    assert not lost.manifest.end_known
    done = cli(stack, "verify", lost.session, user=ADMIN)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "verified" in done.stdout
    assert "the node never said how much there was" in done.stdout


def test_both_destinations_have_all_of_it_under_a_key(stack: Stack, kept: Kept, lost: Lost) -> None:
    key = f"logs/{lost.session}.log"
    stored = until(lambda: lost.outside.object(key), ARCHIVED, "no log in S3")
    text = stored["Body"].read().decode()
    assert lost.shown_in(text.splitlines())
    assert stored["ServerSideEncryption"] == "aws:kms"
    assert stored["SSEKMSKeyId"] == lost.outside.key
    events = [json.loads(event) for event in kept.events(lost.outside.group, lost.session)]
    joined = "".join("\n".join(event["sessionData"]) for event in events)
    assert lost.shown_in(joined.split("\n"))
    groups = kept.logs.describe_log_groups(logGroupNamePrefix=lost.outside.group)["logGroups"]
    keys = {each["logGroupName"]: each.get("kmsKeyId") for each in groups}
    assert keys[lost.outside.group] == lost.outside.key


def test_logs_replay_and_search_show_it_to_the_last_line(stack: Stack, lost: Lost) -> None:
    logs = cli(stack, "logs", lost.session, user=ADMIN)
    assert lost.shown_in(logs.stdout.splitlines())
    replayed = cli(stack, "replay", lost.session, "--speed", "0", user=ADMIN)
    assert lost.shown_in(replayed.stdout.splitlines())
    last = f"{lost.word}-{lost.last}"
    searched = ("search", last, "--session", lost.session, "--output", "json")
    [match] = json.loads(cli(stack, *searched, user=ADMIN).stdout)["Matches"]
    assert (match["SessionId"], match["Text"]) == (lost.session, last)


def test_the_audit_trail_has_the_start_and_each_reading(stack: Stack, lost: Lost) -> None:
    begun = audited(stack, "StartSession", sessionId=lost.session)
    assert begun["userIdentity"]["userName"].endswith(ADMIN)
    assert begun["requestParameters"]["target"] == lost.node
    assert cli(stack, "verify", lost.session, user=ADMIN).returncode == 0
    for reading in ("GetRecordingManifest", "GetSessionRecording"):
        read = audited(stack, reading, sessionId=lost.session)
        assert read["userIdentity"]["userName"].endswith(ADMIN)
        assert read["readOnly"] is True
