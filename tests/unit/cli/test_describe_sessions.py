"""`hatchway describe-sessions`: filters, what a row says, and watching."""

from __future__ import annotations

import json

import pytest

from hatchway.cli import describe_sessions
from hatchway.cli.main import main
from hatchway.core.errors import Exit
from tests.unit.client.world import NODE, SESSION, World

pytestmark = pytest.mark.timeout(60)
Capture = pytest.CaptureFixture[str]
SESSIONS = "GET /sessions"
RUNS: dict[str, object] = {
    "SessionId": SESSION,
    "Target": NODE,
    "Status": "Connected",
    "Owner": "arn:aws:iam::123456789012:user/john",
    "StartDate": 1_700_000_000,
}
ENDED = RUNS | {"Status": "Terminated", "EndDate": 1_700_000_060, "EndReason": "exit"}


def test_filters_go_to_the_service_as_they_are(world: World, capsys: Capture) -> None:
    world.answers[SESSIONS] = (200, {"Sessions": []})
    filters = ["--filter", "Owner=arn:aws:iam::1:user/a=b", "--filter", "Status=Connected"]
    assert main(["describe-sessions", *filters]) == 0
    query = world.asked[0].query
    assert "State=Active" in query
    assert "Filter=Owner=arn:aws:iam::1:user/a=b" in query
    assert "Filter=Status=Connected" in query
    assert capsys.readouterr() == ("", "No sessions.\n")


@pytest.mark.parametrize("filters", [["Owner"], ["Owner="], ["=x"], ["Owner=a", "Owner=b"]])
def test_a_filter_is_a_key_and_a_value_and_each_key_once(world: World, filters: list[str]) -> None:
    given = [part for each in filters for part in ("--filter", each)]
    status = main(["describe-sessions", *given])
    if filters == ["=x"]:  # the service knows which keys there are
        assert status != 0
    else:
        assert status == Exit.USAGE
        assert world.asked == []


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"EndReason": "exit", "ExitCode": 3}, "exit (exit code 3)"),
        ({"EndReason": "", "ExitCode": 0}, "(exit code 0)"),
        ({"EndReason": "idle"}, "idle"),
    ],
)
def test_a_row_says_how_it_ended(
    world: World, more: dict[str, object], said: str, capsys: Capture
) -> None:
    world.answers[SESSIONS] = (200, {"Sessions": [ENDED | more]})
    assert main(["describe-sessions", "--state", "History"]) == 0
    out = capsys.readouterr().out
    assert said in out
    assert "user/john" in out
    assert "arn:aws" not in out


class Looks:
    """Stands for the pause between two looks: each brings another answer, the last one Ctrl-C."""

    def __init__(self, world: World, *answers: tuple[int, dict[str, object]]) -> None:
        self._world, self._answers = world, list(answers)
        self.pauses: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.pauses.append(seconds)
        if not self._answers:
            raise KeyboardInterrupt
        self._world.answers[SESSIONS] = self._answers.pop(0)


@pytest.fixture
def looks(world: World, monkeypatch: pytest.MonkeyPatch) -> Looks:
    world.answers[SESSIONS] = (200, {"Sessions": [RUNS]})
    world.answers[f"GET /sessions/{SESSION}"] = (200, ENDED)
    made = Looks(
        world,
        (200, {"Sessions": [RUNS]}),
        (200, {"Sessions": [RUNS | {"Status": "Disconnected"}]}),
        (200, {"Sessions": []}),
        (200, {"Sessions": []}),
    )
    monkeypatch.setattr(describe_sessions, "sleep", made)  # no test waits for its looks
    return made


def test_watching_prints_each_change_once(looks: Looks, capsys: Capture) -> None:
    assert main(["describe-sessions", "--watch", "--interval", "7"]) == 130
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[2] for line in lines] == ["Connected", "Disconnected", "Terminated"]
    assert set(looks.pauses) == {7.0}


def test_watching_prints_a_json_document_a_line(looks: Looks, capsys: Capture) -> None:
    assert main(["describe-sessions", "--watch", "--output", "json"]) == 130
    found = [json.loads(line)["Status"] for line in capsys.readouterr().out.splitlines()]
    assert found == ["Connected", "Disconnected", "Terminated"]


@pytest.mark.parametrize("seconds", ["0.5", "301", "x", "nan"])
def test_an_interval_has_bounds(seconds: str) -> None:
    with pytest.raises(SystemExit):
        main(["describe-sessions", "--watch", "--interval", seconds])
