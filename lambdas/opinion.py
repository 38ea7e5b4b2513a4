"""The setting ACCESS_DECISION: whether IAM's own simulator has a say beside our evaluator."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hatchway.core.policy import AccessRequest, Decision, Outcome, Reason
from lambdas.ports import Simulator


class Mode(StrEnum):
    """BOTH denies if either denies."""

    EVALUATOR = "evaluator"
    SIMULATOR = "simulator"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class SecondOpinion:
    """IAM's simulator, and how much it counts."""

    simulator: Simulator
    mode: Mode

    def on(self, ours: Decision, request: AccessRequest, source_arn: str) -> Decision:
        """The decision; one that the simulator alone denied has no layer in its reason.

        It is not asked where our denial stands anyway: it is slow, and IAM throttles it. Of
        somebody else's session it cannot be told that a name proves nothing, so ours counts too.
        """
        alone = self.mode is Mode.SIMULATOR and not request.resource_variables
        if not ours.allowed and not alone:
            return ours
        outcome = self.simulator.simulate(source_arn, request)
        if (outcome is Outcome.ALLOWED) is ours.allowed:
            return ours
        return Decision(outcome, ours.matched, Reason())
