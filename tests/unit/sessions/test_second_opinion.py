"""ACCESS_DECISION: either may deny, neither is asked in vain, disagreement is counted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hatchway.core.errors import ThrottlingException
from hatchway.core.policy import Outcome
from lambdas.environment import EnvironmentIncomplete
from lambdas.memory.simulator import MemorySimulator
from lambdas.opinion import Mode, SecondOpinion
from lambdas.sessions.deps import build
from lambdas.sessions.handler import make_handler
from tests.unit.sessions.test_wiring import ENVIRONMENT
from tests.unit.sessions.world import ACCOUNT, EVERYTHING, World, allow

NAMES_ONLY = allow("ssm:*", on="arn:aws:ssm:*:*:session/${aws:username}-*")


def asking(world: World, mode: Mode, outcome: Outcome = Outcome.ALLOWED) -> MemorySimulator:
    simulator = MemorySimulator(outcome)
    second = SecondOpinion(simulator, mode)
    world.handler = make_handler(replace(world.service, second=second), world.lines)
    return simulator


@pytest.mark.parametrize("mode", [Mode.BOTH, Mode.SIMULATOR])
@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (Outcome.IMPLICITLY_DENIED, "because no identity-based policy allows"),
        (Outcome.EXPLICITLY_DENIED, "with an explicit deny"),
    ],
)
def test_the_simulator_denies_what_the_evaluator_allows(
    world: World, mode: Mode, outcome: Outcome, words: str
) -> None:
    asking(world, mode, outcome)
    answer = world.start(world.user("john", EVERYTHING))
    assert answer.denied
    assert words in answer.message
    assert world.lines.written[-1][1]["secondOpinion"] == outcome.value
    assert world.downlink.hints == []


def test_the_evaluator_denies_and_the_simulator_is_not_asked(world: World) -> None:
    simulator = asking(world, Mode.BOTH)
    assert world.start(world.user("mary")).denied
    assert simulator.asked == []
    assert "secondOpinion" not in world.lines.written[-1][1]


def test_alone_the_simulator_decides(world: World) -> None:
    simulator = asking(world, Mode.SIMULATOR)
    assert world.start(world.user("mary")).status == 200
    assert simulator.asked


def test_of_somebody_elses_session_the_evaluators_word_counts_as_well(world: World) -> None:
    theirs = world.started(world.user("bob-admin", EVERYTHING))
    asking(world, Mode.SIMULATOR)
    assert world.terminate(world.user("bob", NAMES_ONLY), theirs.session_id).denied


def test_both_allow(world: World) -> None:
    simulator = asking(world, Mode.BOTH)
    john = world.user("john", EVERYTHING)
    assert world.start(john).status == 200
    assert [source for source, _ in simulator.asked] == [john.arn]


def test_a_role_session_is_asked_about_as_its_role_with_the_path(world: World) -> None:
    simulator = asking(world, Mode.BOTH)
    assert world.start(world.role("Ops", "jane", EVERYTHING)).status == 200
    assert simulator.asked[0][0] == f"arn:aws:iam::{ACCOUNT}:role/ops/Ops"


def test_a_simulator_that_does_not_answer_allows_nothing(world: World) -> None:
    asking(world, Mode.BOTH).failure = ThrottlingException("IAM does not answer; try again later.")
    answer = world.start(world.user("john", EVERYTHING))
    assert (answer.status, answer.code) == (429, "ThrottlingException")


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("mode", Mode)
def test_the_setting_is_read_from_the_environment(mode: Mode) -> None:
    second = build({**ENVIRONMENT, "ACCESS_DECISION": mode.value}).second
    assert (second.mode if second is not None else Mode.EVALUATOR) is mode


@pytest.mark.usefixtures("aws")
def test_a_setting_that_is_none_is_refused_at_init() -> None:
    with pytest.raises(EnvironmentIncomplete, match="ACCESS_DECISION"):
        build({**ENVIRONMENT, "ACCESS_DECISION": "perhaps"})
