"""What `make shell` says when the session is over, and how it exits."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from botocore.credentials import ReadOnlyCredentials

from local import identities, shell
from local.identities import ADMIN, JOHN, MARY, STATEMENTS, User
from local.places import Places
from local.progress import Progress
from local.shell import Outcome

ENDED = Outcome(3, "john-0123", 4.25, 3, ("john-0123 is Connected\nat noon", "it is Terminated"))


def _told(outcome: Outcome) -> str:
    stream = io.StringIO()
    shell.tell(outcome, Progress(stream))
    return stream.getvalue()


def test_session_duration_exit_code_and_notifications_are_told() -> None:
    assert _told(ENDED).splitlines() == [
        "",
        "Session    john-0123",
        "Duration   4.2 s",
        "Exit code  3",
        "Notifications (2):",
        "  john-0123 is Connected",
        "  at noon",
        "  it is Terminated",
    ]


def test_what_is_not_known_is_said_to_be_unknown() -> None:
    told = _told(Outcome(1, "john-0123"))
    assert "Duration   unknown" in told
    assert "Exit code  unknown" in told
    assert _told(Outcome(4)) == "No session was started.\n"


class _Input:
    def __init__(self, terminal: bool) -> None:
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


@pytest.mark.parametrize(
    ("outcome", "terminal", "code"),
    [
        (ENDED, True, 0),
        (ENDED, False, 3),
        (Outcome(5, "john-0123"), False, 5),
        (Outcome(4), True, 4),
        (Outcome(0), False, 1),
    ],
)
def test_a_script_gets_its_own_exit_code_and_a_person_none(
    monkeypatch: pytest.MonkeyPatch, outcome: Outcome, terminal: bool, code: int
) -> None:
    monkeypatch.setattr("sys.stdin", _Input(terminal))
    assert shell.exit_code(outcome) == code


def test_only_john_and_admin_may_start_sessions_and_john_on_tagged_nodes_only() -> None:
    may_start = {
        name: [
            s
            for s in statements
            if "ssm:StartSession" in str(s["Action"]) or s["Action"] == "ssm:*"
        ]
        for name, statements in STATEMENTS.items()
    }
    assert len(may_start[ADMIN]) == 1
    assert may_start[MARY] == []
    on_nodes, on_documents = may_start[JOHN]
    assert on_nodes["Condition"] == {"StringEquals": {"ssm:resourceTag/team": "web"}}
    resources = on_documents["Resource"]
    assert isinstance(resources, list)
    names = {str(arn).partition(":document/")[2] for arn in resources}
    assert names == {
        "SSM-SessionManagerRunShell",
        "AWS-StartInteractiveCommand",
        "AWS-StartNonInteractiveCommand",
    }
    json.loads(identities.policy(STATEMENTS[JOHN]))


def test_the_credentials_file_has_one_private_profile_for_each_user(tmp_path: Path) -> None:
    here = Places(tmp_path)
    users = [
        User(name, f"arn:{name}", ReadOnlyCredentials(f"AKIA{name}", "a%s=/+b", None))
        for name in STATEMENTS
    ]
    identities.write_credentials(here, users)
    assert here.credentials.stat().st_mode & 0o777 == 0o600
    assert identities.read_credentials(here, JOHN)[:2] == ("AKIAjohn", "a%s=/+b")
