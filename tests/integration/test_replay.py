"""A recording over the deployed stacks, as an investigator reads it: told, searched and checked.

What is tampered with is tampered with as root: no role of Hatchway could.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hatchway.core.transcript.evidence import read_segment
from lambdas.ledger import prefix_of
from local.identities import ADMIN, JOHN
from local.stack import Stack
from local.waiting import until
from tests.integration.ledger import secret
from tests.integration.sessions import connect, start, terminate, wait_status
from tests.integration.terminal import cli
from tests.integration.test_recording import ARCHIVED, Kept
from tests.integration.written import session_document

pytestmark = pytest.mark.stack


@dataclass(frozen=True, slots=True)
class Recording:
    """A session that is over, and what was typed and printed in it."""

    session: str
    started: float
    prefix: str
    printed: str
    typed: str
    password: str


@pytest.fixture(scope="module")
def kept(stack: Stack) -> Kept:
    return Kept(stack)


@pytest.fixture(scope="module")
def recording(stack: Stack, kept: Kept) -> Recording:
    """Somebody types a command, and a password where a program asks for one."""
    printed, typed = secrets.token_hex(8), f"x{secrets.token_hex(6)}"
    password = secret(secrets.token_hex(10), "typed password")
    hatchway = {"recordInput": True, "maskPatterns": [r"AKIA[0-9A-Z]{16}"]}
    with session_document(stack, own=hatchway) as name:
        started = start(stack, ADMIN, DocumentName=name)
        session, client = started.session_id, connect(stack, started)
        client.greet()
        client.resize(100, 30)
        client.run(f"{typed}=1; echo {printed[:8]}''{printed[8:]}", printed)
        client.run("stty -echo; echo rea''dy; read -r x; stty echo; echo th''anks", "ready")
        client.run(password, "thanks")
        client.run("printf 'key AKIA%s end\\n' IOSFODNN7EXAMPLE; echo do''ne", "done")
        client.run("printf '\\033]0;ow''ned\\007ti''tle\\n'", "title")
        client.socket.close()
        terminate(stack, session)
        ended = wait_status(stack, session, "Terminated")
    began = float(str(ended["StartDate"]))
    prefix = prefix_of(session, began)
    until(lambda: _final(kept, prefix), ARCHIVED, "no final manifest")
    return Recording(session, began, prefix, printed, typed, password)


def _final(kept: Kept, prefix: str) -> bool:
    data = kept.object(prefix + "manifest.json")
    return data is not None and json.loads(base64.b64decode(json.loads(data)["manifest"]))["final"]


def test_the_log_says_what_was_on_the_screen_and_nothing_that_works_on_one(
    stack: Stack, recording: Recording
) -> None:
    done = cli(stack, "logs", recording.session, user=ADMIN)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert recording.printed in lines
    assert "title" in lines
    assert all(line.isprintable() for line in lines)
    assert "owned" not in done.stdout


def test_a_password_is_withheld_with_its_length_and_a_pattern_is_masked(
    stack: Stack, kept: Kept, recording: Recording
) -> None:
    everything = b"".join(_lines(kept, recording))
    plain = b"".join(base64.b64decode(json.loads(x)["data"]) for x in _lines(kept, recording))
    assert recording.password.encode() not in plain
    assert recording.typed.encode() in plain  # what was typed with echo is there
    withheld = re.findall(rb"(\d+) bytes withheld", everything)
    assert sum(map(int, withheld)) >= len(recording.password)
    assert b"AKIAIOSFODNN7EXAMPLE" not in plain
    assert b"key ******************** end" in plain


def test_a_replay_in_a_pipe_shows_the_screen_and_reaches_no_further(
    stack: Stack, recording: Recording
) -> None:
    done = cli(stack, "replay", recording.session, "--speed", "0", user=ADMIN)
    assert done.returncode == 0, done.stderr
    assert recording.printed in done.stdout
    assert "\x1b]" not in done.stdout
    assert "owned" not in done.stdout


def test_an_export_is_an_asciicast(stack: Stack, recording: Recording, tmp_path: Path) -> None:
    file = tmp_path / "session.cast"
    done = cli(stack, "export", recording.session, "-o", str(file), user=ADMIN)
    assert done.returncode == 0, done.stderr
    header, *events = [json.loads(line) for line in file.read_text().splitlines()]
    assert header["version"] == 3
    assert (header["term"]["cols"], header["term"]["rows"]) == (100, 30)
    assert recording.printed in "".join(data for _, code, data in events if code == "o")
    assert {"o", "i"} <= {code for _, code, _ in events}
    assert file.stat().st_mode & 0o077 == 0


def test_a_search_gives_session_line_and_second(stack: Stack, recording: Recording) -> None:
    """Among the sessions since this one: how many ran on these stacks before is not its matter."""
    began = datetime.fromtimestamp(int(recording.started), UTC)
    since = ("--since", f"{began:%Y-%m-%dT%H:%M:%SZ}")
    done = cli(stack, "search", recording.printed, *since, "--output", "json", user=ADMIN)
    assert done.returncode == 0, done.stderr
    matches = json.loads(done.stdout)["Matches"]
    assert {match["SessionId"] for match in matches} == {recording.session}
    assert any(match["Text"] == recording.printed for match in matches)
    assert all(match["Line"] > 0 and match["Second"] >= 0 for match in matches)
    assert cli(stack, "search", secrets.token_hex(12), *since, user=ADMIN).returncode == 1


def test_who_may_open_sessions_may_not_therefore_read_them(
    stack: Stack, recording: Recording
) -> None:
    for verb in ("logs", "replay", "verify"):
        assert cli(stack, verb, recording.session, user=JOHN).returncode != 0


def test_a_live_session_is_followed_to_its_end(stack: Stack) -> None:
    started = start(stack, ADMIN)
    client = connect(stack, started)
    client.greet()
    client.resize(80, 24)
    word = secrets.token_hex(8)
    client.run(f"echo {word[:8]}''{word[8:]}", word)

    def told() -> bool:
        return word in cli(stack, "logs", started.session_id, user=ADMIN).stdout

    until(told, ARCHIVED, "the live log does not show it")
    client.socket.close()
    terminate(stack, started.session_id)
    followed = cli(stack, "logs", started.session_id, "--follow", user=ADMIN)
    assert followed.returncode == 0, followed.stderr
    assert word in followed.stdout


# --- checking -----------------------------------------------------------------------------------


def test_an_untouched_recording_is_verified_and_names_the_code(
    stack: Stack, recording: Recording
) -> None:
    (found,) = _verify(stack, recording)
    assert found["Findings"] == []
    assert found["Verified"] is True
    assert found["Final"] is True
    assert found["WrittenBy"]
    assert str(found["KeyId"]).startswith("arn:aws:kms:")


Change = Callable[[list[bytes]], list[bytes]]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (
            lambda lines: [*lines[:2], lines[2].replace(b'"gen":', b'"gen":1'), *lines[3:]],
            "changed",
        ),
        (lambda lines: [*lines[:2], *lines[3:]], "removed"),
        (lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]], "reordered"),
        (lambda lines: lines[:2], "removed"),
        (lambda lines: [*lines[:2], lines[0], *lines[2:]], "added"),
    ],
)
def test_the_first_chunk_that_was_tampered_with_is_named(
    stack: Stack, kept: Kept, recording: Recording, change: Change, fault: str
) -> None:
    with _tampered(kept, recording, "000000.jsonl.gz", change):
        found = _verify(stack, recording)[0]["Findings"][0]
    assert (found["Fault"], found["Chunk"]) == (fault, 2)


def test_a_removed_segment_and_a_changed_manifest_or_signature_are_found(
    stack: Stack, kept: Kept, recording: Recording
) -> None:
    segment, manifest = recording.prefix + "000000.jsonl.gz", recording.prefix + "manifest.json"
    with _replaced(kept, segment, None):
        assert _verify(stack, recording)[0]["Findings"][0]["Fault"] == "segment missing"
    data = json.loads(kept.object(manifest) or b"")
    text = base64.b64decode(data["manifest"]).replace(b'"final":true', b'"final":false')
    signature = bytes(reversed(base64.b64decode(data["signature"])))
    for name, changed in (("manifest", text), ("signature", signature)):
        other = json.dumps(data | {name: base64.b64encode(changed).decode()}).encode()
        with _replaced(kept, manifest, other):
            assert _verify(stack, recording)[0]["Findings"][0]["Fault"] == "signature"
    assert _verify(stack, recording)[0]["Verified"] is True


def test_no_role_of_ours_may_take_anything_away(stack: Stack) -> None:
    """Of what passed, and of the archive; told by the deployed roles' own policies."""
    iam = stack.emulator.client("iam")
    taking = ("logs:Delete", "logs:PutRetentionPolicy", "s3:Delete", "s3:PutLifecycle", "s3:Bypass")
    for role in iam.get_paginator("list_roles").paginate().search("Roles[].RoleName"):
        if not role.startswith("Hatchway-local"):
            continue
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            text = json.dumps(document)
            assert not any(action in text for action in taking), role
            assert '"s3:*"' not in text
            assert '"logs:*"' not in text


def _verify(stack: Stack, recording: Recording) -> list[dict[str, Any]]:
    done = cli(stack, "verify", recording.session, "--output", "json", user=ADMIN)
    found: list[dict[str, Any]] = json.loads(done.stdout)["Recordings"]
    assert done.returncode == (1 if found[0]["Findings"] else 0), done.stderr
    return found


def _lines(kept: Kept, recording: Recording) -> list[bytes]:
    data = json.loads(kept.object(recording.prefix + "manifest.json") or b"")
    segments = json.loads(base64.b64decode(data["manifest"]))["segments"]
    names = [recording.prefix + segment[0] for segment in segments]
    return [line for name in names for line in read_segment(kept.object(name) or b"")]


@contextmanager
def _replaced(kept: Kept, key: str, data: bytes | None) -> Iterator[None]:
    """Another object in its place, or none, for a while."""
    before = kept.object(key)
    assert before is not None
    if data is None:
        kept.s3.delete_object(Bucket=kept.bucket, Key=key)
    else:
        kept.s3.put_object(Bucket=kept.bucket, Key=key, Body=data)
    try:
        yield
    finally:
        kept.s3.put_object(Bucket=kept.bucket, Key=key, Body=before)


def _tampered(
    kept: Kept, recording: Recording, name: str, change: Change
) -> AbstractContextManager[None]:
    key = recording.prefix + name
    lines = change(read_segment(kept.object(key) or b""))
    return _replaced(kept, key, gzip.compress(b"".join(line + b"\n" for line in lines)))
