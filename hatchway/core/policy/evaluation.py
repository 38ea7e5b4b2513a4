"""The decision: IAM's evaluation logic over parsed policies and a three-valued context.

Source: IAM User Guide, "Policy evaluation logic": an explicit Deny in any policy denies; else
every layer that is there has to allow; else it is implicitly denied.
"""

from __future__ import annotations

from collections.abc import Iterator

from hatchway.core.policy.context import View
from hatchway.core.policy.model import (
    AccessRequest,
    Decision,
    Layer,
    Outcome,
    PolicySet,
    Reason,
    StatementRef,
)
from hatchway.core.policy.parsing import Policy


def decide(policies: PolicySet, request: AccessRequest) -> Decision:
    """IAM's answer to `request`. Never raises."""
    view = View(request)
    matched: list[StatementRef] = []
    doubts: list[str] = []
    denying: list[Layer] = []
    silent: list[Layer] = []
    for layer, level, group in groups(policies):
        allowed = denied = False
        for policy in group:
            for statement in policy.with_action(view.action):
                applies = statement.evaluate(view)
                if applies is False:
                    continue
                if applies is None:
                    doubts += statement.doubts(view)
                    if statement.allows:
                        continue
                matched.append(policy.refs(layer, level)[statement.index])
                if statement.allows:
                    allowed = True
                else:
                    denied = True
        if denied:
            denying.append(layer)
        elif not allowed:
            silent.append(layer)
    return Decision(_outcome(denying, silent), tuple(matched), _reason(denying, silent, doubts))


def groups(policies: PolicySet) -> Iterator[tuple[Layer, int, tuple[Policy, ...]]]:
    """What has to allow, each on its own: layer, level within it, policies of which one does."""
    yield Layer.IDENTITY, 0, policies.identity
    for level, boundary in enumerate(policies.boundaries):
        yield Layer.BOUNDARY, level, (boundary,)
    if policies.session:
        yield Layer.SESSION, 0, policies.session
    for level, scps in enumerate(policies.scps):
        yield Layer.SCP, level, scps


def _outcome(denying: list[Layer], silent: list[Layer]) -> Outcome:
    if denying:
        return Outcome.EXPLICITLY_DENIED
    return Outcome.IMPLICITLY_DENIED if silent else Outcome.ALLOWED


def _reason(denying: list[Layer], silent: list[Layer], doubts: list[str]) -> Reason:
    layers = tuple(dict.fromkeys(denying or silent))
    names = {name.lower(): name for name in doubts}
    return Reason(layers[0] if layers else None, tuple(names[key] for key in sorted(names)))
