"""Other people's words in each field of each answer: what a verb writes works on no terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hatchway.cli import doctor
from hatchway.cli.main import main
from hatchway.cli.report import complain
from hatchway.client.doctor import Finding, State
from hatchway.core.screen import ScreenFilter, printable
from tests.unit.client.world import NODE, SESSION, World
from tests.vectors.hostile import CORPUS, MARK

pytestmark = pytest.mark.timeout(120)
Capture = pytest.CaptureFixture[str]
Members = Mapping[str, Any]
#: Of a corpus entry, what a field of an answer may hold: fields are short.
MOST = 2_000
HOSTILE = [data.decode("utf-8", "replace")[:MOST] for data in CORPUS.values()]


def _records(text: str) -> dict[str, Members]:
    """What an API answers of one thing."""
    session = {
        "SessionId": text or "x",
        "Target": text,
        "Status": text,
        "Owner": text,
        "Reason": text,
        "DocumentName": text,
        "EndReason": text,
        "MaxSessionDuration": text,
        "AccessType": text,
        "StartDate": 1_700_000_000,
        "ExitCode": 3,
    }
    node = {
        "NodeId": text or "x",
        "Name": text,
        "PingStatus": text,
        "AgentVersion": text,
        "Tags": {text: text, "Name": text},
    }
    document = {
        "Name": text or "x",
        "DocumentType": text,
        "DocumentVersion": text,
        "LatestVersion": text,
        "DefaultVersion": text,
        "Owner": text,
        "DocumentFormat": text,
        "Description": text,
        "Hash": text,
        "Author": text,
        "CreatedDate": 1_700_000_000,
        "Status": text,
    }
    record = {
        "userIdentity": {"arn": text, "principalId": text},
        "eventName": text,
        "errorCode": text,
        "sourceIPAddress": text,
        "userAgent": text,
        "requestParameters": {"target": text, "reason": text},
        "responseElements": {"sessionId": text},
    }
    event = {
        "EventId": text,
        "EventName": text,
        "EventTime": 1_700_000_000,
        "Record": json.dumps(record),
    }
    return {"session": session, "node": node, "document": document, "event": event}


def words(texts: Sequence[str]) -> dict[str, tuple[list[str], str, Members]]:
    """For each verb: its arguments, what it asks for, and an answer with the texts wherever
    somebody else has the word; in a list an element for each, elsewhere all in one."""
    every, text = [_records(each) for each in texts], "".join(texts)
    one = _records(text)
    return {
        "sessions": (
            ["describe-sessions"],
            "GET /sessions",
            {"Sessions": [each["session"] for each in every]},
        ),
        "nodes": (["list-nodes"], "GET /nodes", {"Nodes": [each["node"] for each in every]}),
        "audit": (["audit"], "GET /audit/events", {"Events": [each["event"] for each in every]}),
        "documents": (
            ["list-documents"],
            "GET /documents",
            {"DocumentIdentifiers": [each["document"] for each in every]},
        ),
        "versions": (
            ["list-document-versions", "--name", "doc"],
            "GET /documents/doc/versions",
            {
                "DocumentVersions": [
                    {**each["document"], "IsDefaultVersion": True} for each in every
                ]
            },
        ),
        "document": (
            ["describe-document", "--name", "doc"],
            "GET /documents/doc",
            {"Document": one["document"]},
        ),
        "roles": (
            ["nodes", "list-roles"],
            "GET /node-roles",
            {"NodeRoles": [{"RoleId": text or "x", "RoleArn": text or "x"}]},
        ),
        "reset": (
            ["nodes", "reset", "--target", NODE],
            f"POST /nodes/{NODE}/reset",
            {"NodeId": text or "x", "Connections": text, "Terminated": 0, "Failed": 0},
        ),
        "status": (
            ["get-connection-status", "--target", NODE],
            f"GET /nodes/{NODE}/connection",
            {"Target": text, "Status": text},
        ),
        "named status": (
            ["get-connection-status", "--target", "tag:a=b"],
            "GET /nodes",
            {"Nodes": [{**one["node"], "Tags": {"a": "b"}}]},
        ),
        "two nodes": (
            ["get-connection-status", "--target", "tag:a=b"],
            "GET /nodes",
            {"Nodes": [{**one["node"], "Tags": {"a": "b"}}] * 2},
        ),
        "allowed": (
            ["access", "explain", "--target", NODE],
            "POST /access/explain",
            {
                "PrincipalArn": text,
                "Target": text,
                "Decision": text,
                "Checks": [
                    {
                        "Action": text,
                        "Resource": text,
                        "Decision": text,
                        "Reason": text,
                        "Statements": [
                            {
                                "Policy": text,
                                "Statement": text,
                                "Effect": text,
                                "Applies": text,
                                "Why": [text],
                            }
                        ],
                        "Conditions": [{"Key": text, "Values": [text]}],
                    }
                ],
                "Remarks": [text],
            },
        ),
        "who can": (
            ["access", "who-can", "--target", NODE],
            "POST /access/who-can",
            {"Principals": [{"PrincipalArn": text, "Decision": text, "Reason": text}]},
        ),
        "what can": (
            ["access", "what-can"],
            "POST /access/what-can",
            {"Nodes": [{"NodeId": text, "Name": text, "Decision": text, "Reason": text}]},
        ),
        "terminated": (
            ["terminate-session", "--session-id", SESSION],
            f"DELETE /sessions/{SESSION}",
            {"SessionId": text},
        ),
    }


VERBS = list(words([""]))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One service for all: many small questions are asked."""
    with pytest.MonkeyPatch.context() as patch, World(tmp_path_factory.mktemp("world")) as world:
        none = str(world.folder / "none")
        for name in ("AWS_PROFILE", "AWS_REGION", "AWS_CA_BUNDLE", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", none)
        patch.setenv("AWS_CONFIG_FILE", none)
        patch.setenv("HATCHWAY_CONFIG", str(world.configuration()))
        yield world


def ask(world: World, verb: str, texts: Sequence[str], output: str = "table") -> int:
    arguments, asked, members = words(texts)[verb]
    world.answers = {asked: (200, members)}
    return main([*arguments, "--output", output])


def harmless(capsys: Capture) -> str:
    """Standard output and error, of which every line is plain text: no control characters but
    the ends of lines, nothing invisible, nothing that turns text."""
    text = "".join(capsys.readouterr())
    bad = {char for char in text if not (char.isprintable() or char == "\n")}
    assert not bad
    return text


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("output", ["table", "json"])
def test_nothing_hostile_is_written_by_a_verb(
    served: World, verb: str, output: str, capsys: Capture
) -> None:
    ask(served, verb, HOSTILE, output)
    assert len(harmless(capsys)) > 20


@pytest.mark.parametrize("verb", [v for v in VERBS if v not in ("terminated", "status")])
def test_what_is_written_holds_the_words(served: World, verb: str, capsys: Capture) -> None:
    """The fields above are the ones that are shown: each verb shows one at least."""
    ask(served, verb, ["harmless-4711"])
    assert "harmless-4711" in harmless(capsys)


def test_an_error_is_plain_text(served: World, capsys: Capture) -> None:
    said = "".join(HOSTILE)
    served.answers = {"GET /nodes": (400, {"__type": "ValidationException", "message": said})}
    assert main(["list-nodes"]) != 0
    assert harmless(capsys).startswith("hatchway: ValidationException")
    for text in HOSTILE:
        complain(text, text, text)
        assert harmless(capsys).startswith("hatchway: ")


def test_what_the_doctor_saw_is_plain_text(capsys: Capture) -> None:
    for text in HOSTILE:
        doctor._print(Finding(check="node", state=State.FAILED, seen=text, advice=text))
        assert harmless(capsys).count("\n") == (2 if text else 1)


_texts = st.one_of(
    st.binary(max_size=60).map(lambda data: data.decode("latin-1")),
    st.binary(max_size=60).map(lambda data: data.decode("utf-8", "replace")),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
)


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(verb=st.sampled_from(VERBS), texts=st.lists(_texts, min_size=1, max_size=20))
def test_whatever_bytes_are_in_a_field_none_of_them_works_on_a_terminal(
    served: World, verb: str, texts: list[str], capsys: Capture
) -> None:
    ask(served, verb, texts)
    harmless(capsys)


@given(_texts)
def test_a_cell_of_a_table_is_one_line_of_plain_text(text: str) -> None:
    assert printable(text).isprintable()


class Terminal:
    """Standard output that is one."""

    def __init__(self) -> None:
        self.text = ""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        return


def test_a_document_s_content_is_exact_in_a_pipe_and_text_on_a_terminal(
    served: World, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = "".join(f'{{"a":\t"{text}"}}\n' for text in HOSTILE)
    answer = {"Name": "doc", "DocumentVersion": "1", "DocumentFormat": "JSON", "Content": content}
    served.answers = {"GET /documents/doc/content": (200, answer)}
    assert main(["get-document", "--name", "doc"]) == 0
    assert capsys.readouterr().out == content
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    assert main(["get-document", "--name", "doc"]) == 0
    assert '{"a":\t"' in terminal.text
    assert all(char.isprintable() or char in "\n\t" for char in terminal.text)


# --- what is shown while a session goes on ------------------------------------------------------


@pytest.mark.parametrize("name", [n for n in CORPUS if "line feed" not in n])
@pytest.mark.parametrize("piece", [1, 7, 4096])
def test_nothing_hostile_reaches_beyond_the_screen_of_a_session(name: str, piece: int) -> None:
    data = CORPUS[name][: 40 * piece * 256] + b"\x1b\\\r\nend"
    screen = ScreenFilter()
    pieces: Sequence[bytes] = [data[at : at + piece] for at in range(0, len(data), piece)]
    shown = b"".join(map(screen.feed, pieces)) + screen.leave()
    assert MARK not in shown
    assert not [
        s for s in (b"\x1b]", b"\x1bP", b"\x1b_", b"\x1b^", b"\x1bX", b"\x05") if s in shown
    ]


@given(st.binary(max_size=200), st.integers(1, 50))
def test_how_output_is_cut_changes_nothing_of_what_is_shown(data: bytes, piece: int) -> None:
    whole, pieces = ScreenFilter(), ScreenFilter()
    cut = [data[at : at + piece] for at in range(0, len(data), piece)]
    assert b"".join(map(pieces.feed, cut)) == whole.feed(data)
