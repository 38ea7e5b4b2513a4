"""The verbs of recordings, over the family itself: what arrives in the investigator's terminal."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from hatchway.cli import export, logs, replay, search, verify
from hatchway.cli.main import main
from hatchway.client.records import SessionRecord
from hatchway.core.lifecycle import Status
from hatchway.core.transcript.stated import Stated
from lambdas.notify.handler import subject
from lambdas.ports import Session
from tests.unit.recordings.world import Recorded
from tests.unit.sessions.world import Person
from tests.vectors.hostile import CORPUS, MARK

Capture = pytest.CaptureFixture[str]


class Service:
    """As much of the SDK's client as the verbs use."""

    def __init__(self, recorded: Recorded, person: Person) -> None:
        self.recordings = recorded.reader(person)
        self._recorded = recorded

    def sessions(self, state: str, filters: object = None) -> list[SessionRecord]:
        return [s for s in self._recorded.records() if (s.end_date is None) == (state == "Active")]

    def session(self, session_id: str) -> SessionRecord:
        return next(s for s in self._recorded.records() if s.session_id == session_id)

    def resolve(self, target: str) -> str:
        return target

    def audit(self, **asked: object) -> list[object]:
        return []


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Recorded:
    made = Recorded()
    for verb in (export, logs, replay, search, verify):
        # The verbs make their client themselves, from options and files.
        monkeypatch.setattr(verb, "service", lambda args: Service(made, made.ann))
    monkeypatch.setattr("hatchway.client.terminal.open_terminal", _pipe)
    return made


def _pipe() -> object:
    from tests.unit.client.test_playback import Keyboard

    class Pipe(Keyboard):
        async def write(self, data: bytes) -> None:
            sys.stdout.write(data.decode("utf-8", "backslashreplace"))

    return Pipe(keyboard=False, screen=False)


@pytest.fixture
def session(recorded: Recorded) -> Session:
    return recorded.world.connected(recorded.ann)


def over(recorded: Recorded, session: Session, stated: Stated | None = None) -> None:
    """It is over; the node said how much there was, or did not."""
    read, now = recorded.world.session(session.session_id), recorded.world.clock()
    ended = recorded.world.sessions.update(
        read, replace(read, status=Status.TERMINATED, ended=now, stated=stated)
    )
    recorded.keep(ended, final=True)


def shown(capsys: Capture) -> str:
    """What the verb wrote; the handler's own lines, which go to its log, left out."""
    out, err = capsys.readouterr()
    return "\n".join(
        line for line in (out + err).split("\n") if not line.startswith('{"hatchwayAudit"')
    )


def test_logs_are_lines_with_their_times_where_asked_for(
    recorded: Recorded, session: Session, capsys: Capture
) -> None:
    recorded.prints(session, b"$ ls\r\nno", b"tes\r\n")
    assert main(["logs", session.session_id]) == 0
    assert shown(capsys).split() == ["$", "ls", "notes"]
    assert main(["logs", session.session_id, "--timestamps"]) == 0
    assert shown(capsys).rstrip().endswith("  notes")


def test_logs_follow_to_the_end(recorded: Recorded, session: Session, capsys: Capture) -> None:
    recorded.prints(session, b"one\r\n")
    over(recorded, session)
    assert main(["logs", session.session_id, "--follow"]) == 0
    assert "one" in capsys.readouterr().out.splitlines()


def test_an_export_is_the_readers_own_file(
    recorded: Recorded, session: Session, tmp_path: Path
) -> None:
    recorded.prints(session, b"one\r\n")
    file = tmp_path / "x.cast"
    assert main(["export", session.session_id, "-o", str(file)]) == 0
    header, event = [json.loads(line) for line in file.read_text().splitlines()]
    assert header["title"] == session.session_id
    assert event[1:] == ["o", "one\r\n"]
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_search_prints_session_line_and_second(
    recorded: Recorded, session: Session, capsys: Capture
) -> None:
    recorded.prints(session, b"$ ls\r\n", b"notes\r\n")
    assert main(["search", "notes"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"{session.session_id}:2:1.0s: notes"
    assert main(["search", "nothing of the kind"]) == 1
    assert main(["search", "notes", "--output", "json", "--session", session.session_id]) == 0
    out = capsys.readouterr().out
    found = json.loads(out[out.rindex('{\n  "Matches"') :])
    assert found["Matches"] == [
        {"SessionId": session.session_id, "Line": 2, "Second": 1.0, "Text": "notes"}
    ]


def test_verify_says_what_it_found(recorded: Recorded, session: Session, capsys: Capture) -> None:
    recorded.prints(session, b"one\r\n", b"two\r\n")
    over(recorded, session, Stated(sent=2))
    assert main(["verify", session.session_id]) == 0
    said = shown(capsys)
    assert "verified, 2 chunks, complete" in said
    assert "missing" not in said
    del recorded.archive.objects[recorded.stored(session) + "000000.jsonl.gz"]
    assert main(["verify", "--all"]) == 1
    out = capsys.readouterr().out
    assert "NOT as it was stored" in out
    assert "segment missing: 000000.jsonl.gz" in out


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        (None, "the node never said how much there was: a missing end would not show"),
        (Stated(sent=5), "the last 3 messages are not there yet"),
    ],
)
def test_verify_says_what_is_known_of_the_end(
    recorded: Recorded, session: Session, stated: Stated | None, said: str, capsys: Capture
) -> None:
    recorded.prints(session, b"one\r\n", b"two\r\n")
    over(recorded, session, stated)
    assert main(["verify", session.session_id]) == 0
    assert said in shown(capsys)
    assert main(["verify", session.session_id, "--output", "json"]) == 0
    assert f'"EndKnown": {str(stated is not None).lower()}' in shown(capsys)


def test_verify_takes_a_key_as_pem_or_der(
    recorded: Recorded, session: Session, tmp_path: Path, capsys: Capture
) -> None:
    import base64

    recorded.prints(session, b"one\r\n")
    over(recorded, session)
    der = recorded.signer.public_key("arn:aws:kms:us-east-1:123456789012:key/signing")
    pem = b"-----BEGIN PUBLIC KEY-----\n" + base64.encodebytes(der) + b"-----END PUBLIC KEY-----\n"
    for name, data in (("key.der", der), ("key.pem", pem)):
        file = tmp_path / name
        file.write_bytes(data)
        assert main(["verify", session.session_id, "--key", str(file)]) == 0
    file.write_bytes(b"-----BEGIN PUBLIC KEY-----\n!\n-----END")
    assert main(["verify", session.session_id, "--key", str(file)]) == 2


# --- hostile content ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", CORPUS)
def test_nothing_hostile_reaches_the_terminal_through_logs(
    recorded: Recorded, session: Session, name: str, capsys: Capture
) -> None:
    recorded.prints(session, CORPUS[name], b"\x1b\\\r\nend\r\n")
    capsys.readouterr()
    assert main(["logs", session.session_id]) == 0
    text = shown(capsys)
    assert all(line.isprintable() for line in text.split("\n"))
    if MARK in CORPUS[name] and "line feed" not in name:
        assert MARK.decode() not in text


@pytest.mark.parametrize("name", CORPUS)
def test_nothing_hostile_reaches_the_terminal_through_search(
    recorded: Recorded, session: Session, name: str, capsys: Capture
) -> None:
    recorded.prints(session, b"needle " + CORPUS[name] + b" needle\r\n", b"\x1b\\\r\n")
    capsys.readouterr()
    for output in ("table", "json"):
        main(["search", "needle", "--output", output])
        assert all(line.isprintable() for line in shown(capsys).split("\n"))


@pytest.mark.parametrize("name", [n for n in CORPUS if "line feed" not in n])
def test_nothing_hostile_reaches_beyond_the_screen_through_replay(
    recorded: Recorded, session: Session, name: str, capsys: Capture
) -> None:
    recorded.prints(session, CORPUS[name], b"\x1b\\\r\nend")
    capsys.readouterr()
    assert main(["replay", session.session_id, "--speed", "0"]) == 0
    text = shown(capsys)
    assert MARK.decode() not in text
    assert not [start for start in ("\x1b]", "\x1bP", "\x1b_", "\x05", "\x9d") if start in text]


@pytest.mark.parametrize("name", CORPUS)
def test_a_text_on_a_phone_is_one_plain_line(name: str) -> None:
    said = subject("Hatchway prod: " + CORPUS[name].decode("utf-8", "replace"))
    assert len(said) < 100
    assert said.isascii()
