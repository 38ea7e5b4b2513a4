"""The people API, as each of its families serves it: who calls, which operation it is, what the
caller's policies say, what it answers.

Routing goes by API Gateway's resource, not by the path as it was typed: the gateway matched it,
its IAM check was made for it, and neither a base path nor an odd spelling can change it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from hatchway.core import api
from hatchway.core.errors import ValidationException
from hatchway.core.shapes import Operation
from lambdas import edge
from lambdas.access import Access, access_of
from lambdas.edge import Call
from lambdas.logline import Line, Write
from lambdas.principal import Principal, admit, circumstances
from lambdas.request import Request, read
from lambdas.resuming import Asking

S = TypeVar("S", bound=Asking)
Perform = Callable[[S, Access, Request], Mapping[str, object]]

_BY_ROUTE = {f"{each.method} {each.path}": each for each in api.OPERATIONS}


def _nothing(*_: object) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleApi(Generic[S]):
    """The Lambda handler of one family: the operations that it has a function for, by their names.

    `noted` are the members, of request and answer, that are worth finding a log line by, with their
    names there. `admitted` is called before any policy is read, `done` after a call that succeeded.
    `decoded` says that the gateway resolves a path's escapes, as API Gateway does not.
    """

    family: str
    service: S
    performed: Mapping[str, Perform[S]]
    write: Write
    noted: Mapping[str, str]
    decoded: bool = False
    admitted: Callable[[S, Operation, Principal], None] = _nothing
    done: Callable[[S, Operation, Line], None] = _nothing

    def __call__(self, event: Mapping[str, Any], context: object) -> edge.Response:
        about = event.get("requestContext") or {}
        return edge.serve(
            self.family, event, lambda call, line: self._act(call, line, about), self.write
        )

    def _act(self, call: Call, line: Line, about: Mapping[str, Any]) -> Mapping[str, object]:
        operation = _BY_ROUTE.get(call.route)
        perform = self.performed.get(operation.name) if operation is not None else None
        if operation is None or perform is None:
            raise ValidationException("There is no such operation.")
        service = self.service
        line.note(operation=operation.name, **self._names(call.path))
        principal = admit(
            call.caller, about.get("accountId", ""), service.nodes, service.channel_role_id
        )
        request = read(operation, call, decoded=self.decoded)
        line.note(**self._names(request.values))
        self.admitted(service, operation, principal)
        access = access_of(service, principal, circumstances(about["identity"]), service.second)
        answer = perform(service, access, request)
        line.note(**self._names(answer))
        self.done(service, operation, line)
        return answer

    def _names(self, members: Mapping[str, object]) -> dict[str, str]:
        found = {name: members.get(member) for member, name in self.noted.items()}
        return {name: value for name, value in found.items() if isinstance(value, str) and value}
