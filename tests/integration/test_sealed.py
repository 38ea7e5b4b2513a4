"""What passed stands sealed in its log group: what is withheld and masked cannot be read there."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator, Sequence

import pytest

from hatchway.core import envelope
from hatchway.core.keys import record_key
from lambdas.adapters.archive import KmsUnwrapper
from lambdas.adapters.crypto import cipher
from lambdas.ledger import prefix_of
from local.deployment import STAGE
from local.identities import ADMIN
from local.stack import Stack
from local.waiting import until
from tests.integration.ledger import secret
from tests.integration.sessions import QUIET, connect, described, start, terminate
from tests.integration.test_recording import ARCHIVED, PASSED, Kept, _final
from tests.integration.written import session_document

pytestmark = pytest.mark.stack


def test_the_log_group_of_what_passed_holds_neither_typed_nor_masked_text(stack: Stack) -> None:
    kept = Kept(stack)
    typed, masked = f"typed{secrets.token_hex(8)}", f"token-{secrets.token_hex(8)}"
    own = {"recordInput": True, "maskPatterns": ["token-[0-9a-f]+"]}
    with session_document(stack, own=own) as name:
        started = start(stack, ADMIN, DocumentName=name)
        client = connect(stack, started)
        client.greet()
        client.run(QUIET + "echo qu''iet", "quiet")
        client.run("stty -echo; echo rea''dy; read -r x; stty echo; echo th''anks", "ready")
        client.run(secret(typed, "typed text"), "thanks")
        client.run(f"echo {secret(masked, 'masked text')}; echo e''nd", "end")
        client.socket.close()
        terminate(stack, started.session_id)
    events = kept.events(PASSED, started.session_id)
    assert events
    for text in (typed, masked):
        assert not _holds(events, text)
    opened = list(_opened(stack, started.session_id, events))
    for text in (typed, masked):  # it was there, for whoever has the key
        assert any(text in each for each in opened), "this proves nothing"
    began = float(str(described(stack, started.session_id)["StartDate"]))
    prefix = prefix_of(started.session_id, began)
    until(lambda: _final(kept, prefix), ARCHIVED, "the archive could not open it")


def _holds(events: Sequence[str], text: str) -> bool:
    """As it is, or in base64 at any offset, once or twice."""
    needles = {text}
    for _ in range(2):
        needles |= {
            base64.b64encode(bytes(n) + needle.encode())[8:-4].decode()
            for needle in needles
            for n in range(3)
        }
    return any(needle in event for event in events for needle in needles if len(needle) > 8)


def _opened(stack: Stack, session: str, events: Sequence[str]) -> Iterator[str]:
    """The frames' bytes, by the deployment's own key, as root."""
    client = stack.emulator.client("kms")
    [key] = [
        each["KeyId"]
        for each in client.list_keys()["Keys"]
        if client.describe_key(KeyId=each["KeyId"])["KeyMetadata"]["Description"]
        == f"Hatchway {STAGE}: seals recordings until they are archived"
    ]
    unwrapper = KmsUnwrapper(key, client)
    for event in events:
        found = envelope.peek(event)
        assert found is not None, "an event in clear"
        data = unwrapper.unwrap(found.wrapped)
        passed = found.open(cipher(record_key(data, session=session)), session)
        yield b"".join(passed.frames).decode("latin-1")
