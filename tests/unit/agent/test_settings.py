"""Settings, the enrolment secret, the clock, waiting, and the log."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import config, enrolment
from agent.api import Throttled
from agent.backoff import UNREACHED, Backoff, fraction
from agent.clock import ServiceClock
from agent.config import Address, ConfigError
from agent.enrolment import EnrolmentError
from agent.log import MAX_VALUE, Level, Log
from agent.pausing import pause
from agent.ports import Unreachable
from hatchway.core.errors import InternalServerError

GOOD: dict[str, object] = {"region": "eu-central-1", "agent_api_url": "https://api.example/stage/"}


def test_the_least_that_must_be_said_is_region_and_url() -> None:
    found = config.parse(GOOD)
    assert found.agent_api_url == "https://api.example/stage"
    assert (found.node_id, found.iot_connect, found.session_user) == ("", None, "")
    assert found.log_level is Level.INFO


def test_every_key_is_taken() -> None:
    found = config.parse(
        GOOD
        | {
            "node_id": "i-0123456789abcdef0",
            "ca_bundle": "/ca.pem",
            "iot_connect": "127.0.0.1:4566",
            "state_dir": "/var/lib/x",
            "session_user": "ssm-user",
            "log_level": "debug",
        }
    )
    assert found.iot_connect == Address("127.0.0.1", 4566)
    assert found.state_dir == Path("/var/lib/x")
    assert found.log_level is Level.DEBUG


@pytest.mark.parametrize(
    "wrong",
    [
        {"region": ""},
        {"region": "Nowhere"},
        {"region": 7},
        {"agent_api_url": "http://api.example"},
        {"agent_api_url": "https://user@api.example"},
        {"agent_api_url": "https://api.example/?x=1"},
        {"agent_api_url": "https://"},
        {"agent_api_url": "https://api.example:0"},
        {"node_id": "mi-0123456789abcdef0"},
        {"node_id": "../../etc"},
        {"iot_connect": "a b"},
        {"iot_connect": "host:99999"},
        {"iot_connect": "host:"},
        {"state_dir": "relative"},
        {"session_user": "bad user"},
        {"log_level": "loud"},
        {"no_such_key": 1},
    ],
)
def test_anything_else_is_a_typed_error(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        config.parse(GOOD | wrong)


def test_the_file_is_named_by_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text('region = "us-east-1"\nagent_api_url = "https://127.0.0.1:4566/_aws/x"\n')
    found = config.load({"HATCHWAY_AGENT_CONFIG": str(file)})
    assert found.agent_api_url == "https://127.0.0.1:4566/_aws/x"


@pytest.mark.parametrize("text", [None, "not = = toml", "#" * (config.MAX_FILE + 1)])
def test_a_file_that_is_missing_wrong_or_huge_is_a_typed_error(
    tmp_path: Path, text: str | None
) -> None:
    file = tmp_path / "agent.toml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ConfigError):
        config.load({"HATCHWAY_AGENT_CONFIG": str(file)})


# --- enrolment ----------------------------------------------------------------------------------


def test_the_secret_is_made_once_and_is_for_its_owner_only(tmp_path: Path) -> None:
    directory = tmp_path / "state"
    first = enrolment.secret(directory, os.urandom)
    assert len(first) == 43
    assert enrolment.secret(directory, os.urandom) == first
    assert stat.S_IMODE((directory / enrolment.FILE).stat().st_mode) == 0o600
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert [entry.name for entry in directory.iterdir()] == [enrolment.FILE]


def test_an_agent_that_lost_the_race_takes_the_winners_secret(tmp_path: Path) -> None:
    directory = tmp_path / "state"

    def slow(size: int) -> bytes:
        enrolment.secret(directory, os.urandom)
        return os.urandom(size)

    made = enrolment.secret(directory, slow)
    assert enrolment.secret(directory, os.urandom) == made


@pytest.mark.parametrize("mode", [0o644, 0o660, 0o604])
def test_a_secret_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    directory = tmp_path / "state"
    enrolment.secret(directory, os.urandom)
    (directory / enrolment.FILE).chmod(mode)
    with pytest.raises(EnrolmentError):
        enrolment.secret(directory, os.urandom)


def test_a_directory_that_others_may_enter_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with pytest.raises(EnrolmentError):
        enrolment.secret(tmp_path, os.urandom)


def test_a_link_in_the_secrets_place_is_refused(tmp_path: Path) -> None:
    directory = tmp_path / "state"
    directory.mkdir(mode=0o700)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("x")
    (directory / enrolment.FILE).symlink_to(elsewhere)
    with pytest.raises(EnrolmentError):
        enrolment.secret(directory, os.urandom)


@pytest.mark.parametrize("text", ["", "short", "*" * 43, "A" * 44])
def test_a_file_that_holds_no_secret_is_refused_and_kept(tmp_path: Path, text: str) -> None:
    directory = tmp_path / "state"
    enrolment.secret(directory, os.urandom)
    (directory / enrolment.FILE).write_text(text)
    with pytest.raises(EnrolmentError):
        enrolment.secret(directory, os.urandom)
    assert (directory / enrolment.FILE).read_text() == text


# --- time and log -------------------------------------------------------------------------------


def test_the_services_clock_is_taken_from_the_middle_of_a_call() -> None:
    clock = ServiceClock(lambda: 50.0, lambda: 1000.0)
    assert clock.unix() == 1000.0
    clock.observe(5000.0, sent=40.0, received=44.0)
    assert clock.unix() == 5008.0
    assert clock.epoch + clock.now() == clock.unix()


@given(st.binary(min_size=7, max_size=7))
def test_waits_double_up_to_a_bound_with_jitter_below(seed: bytes) -> None:
    backoff = Backoff(lambda size: seed[:size], 1.0, 10.0)
    for bound in (1.0, 2.0, 4.0, 8.0, 10.0, 10.0):
        assert bound / 2 <= backoff.next() <= bound
    assert 7.0 <= backoff.next(at_least=7.0) <= 10.0
    assert backoff.next(at_least=3600.0) == 10.0
    backoff.reset()
    assert backoff.next() <= 1.0
    assert 0 <= fraction(lambda size: seed[:size]) < 1


def test_the_log_is_one_json_object_a_line_and_values_are_cut() -> None:
    lines: list[str] = []
    log = Log(Level.WARNING, lines.append, lambda: 12.34567)
    log.info("quiet")
    log.warning("odd", text="a\nb" * MAX_VALUE, nothing=None, count=3)
    (line,) = lines
    assert line.count("\n") == 1
    found = json.loads(line)
    assert len(found.pop("text")) == MAX_VALUE
    assert found == {"time": 12.346, "level": "warning", "event": "odd", "count": 3}


def test_where_nothing_answers_the_next_attempt_for_a_session_is_soon() -> None:
    backoff = Backoff(lambda size: b"\xff" * size, 0.2, 10.0)
    waits = [pause(backoff, Unreachable()) for _ in range(10)]
    assert waits == sorted(waits)
    assert max(waits) <= UNREACHED == 1.0
    # What answers, and fails, is asked less and less; what asks for time gets it.
    assert pause(backoff, InternalServerError()) > 5.0
    backoff.reset()
    assert pause(backoff, Throttled(3.0)) == 3.0
