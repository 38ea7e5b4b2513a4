"""The edge of the REST families: API Gateway's proxy event in, a typed call out; errors to answers.

Nothing beyond this module sees the raw event. What is odd about a request is refused here, once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from hatchway.core import names
from hatchway.core.errors import (
    HatchwayError,
    InternalServerError,
    PayloadTooLarge,
    ThrottlingException,
    ValidationException,
)
from hatchway.core.names import Owner
from lambdas import trail
from lambdas.logline import Line, Write, line

#: Bytes of a JSON body.
MAX_BODY = 64 * 1024
#: Seconds after which a throttled caller may try again; callers add jitter of their own.
RETRY_AFTER = 2

_ESCAPE = re.compile(r"%(..?)?")
#: All that a session id may hold and RFC 3986 has escaped in a path.
_ESCAPED = {"%2B": "+", "%3D": "=", "%2C": ",", "%40": "@"}

Response = dict[str, object]


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom API Gateway authenticated: account, whole `aws:userid`, ARN."""

    account: str
    userid: str
    arn: str

    @property
    def owner(self) -> Owner:
        return Owner(self.account, self.userid)

    @property
    def role_id(self) -> str:
        """The role's id (AROA…) of a role session, "" for anyone else."""
        role, colon, _session = self.userid.partition(":")
        return role if colon else ""

    @property
    def role_session(self) -> str:
        """The name of a role session, "" for anyone else. It proves nothing by itself."""
        return self.userid.partition(":")[2]


@dataclass(frozen=True, slots=True)
class Members:
    """The members of a JSON body, each read with its type and limit."""

    values: Mapping[str, object]

    def has(self, name: str) -> bool:
        return self.values.get(name) is not None

    def text(self, name: str, limit: int, default: str | None = None) -> str:
        """A text of 1 to `limit` characters; `default` where it is absent, if there is one."""
        value = self.values.get(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or not 1 <= len(value) <= limit:
            raise ValidationException(f"{name} is a text of 1 to {limit} characters.")
        return value

    def integer(self, name: str, low: int, high: int, default: int | None = None) -> int:
        value = self.values.get(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ValidationException(f"{name} is a whole number from {low} to {high}.")
        return value

    def number(self, name: str, low: float, high: float) -> float:
        value = self.values.get(name)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise ValidationException(f"{name} is a number.")
        if not low <= value <= high:
            raise ValidationException(f"{name} is a number from {low} to {high}.")
        return float(value)


@dataclass(frozen=True, slots=True)
class Call:
    """One request, as far as it is the same for every route. Header names are lower case."""

    method: str
    resource: str
    path: Mapping[str, str]
    query: Mapping[str, Sequence[str]]
    headers: Mapping[str, Sequence[str]]
    body: str
    caller: Caller
    request_id: str
    api: str = ""  # API Gateway's id of the API

    @property
    def route(self) -> str:
        """Method and resource, as in `POST /agent/{nodeId}/channel`."""
        return f"{self.method} {self.resource}"

    @property
    def node_id(self) -> str:
        """The path's node; it has no character that anyone need escape."""
        return names.node_id(self.path.get("nodeId"))

    @property
    def session_id(self) -> str:
        return names.session_id(unescape(self.path.get("sessionId", "")))

    def header(self, name: str) -> str:
        """A header that may be there once; "" where it is absent."""
        values = self.headers.get(name.lower(), ())
        if len(values) > 1:
            raise ValidationException(f"The header {name} is there more than once.")
        return values[0] if values else ""

    def members(self, known: Collection[str]) -> Members:
        """The JSON object in the body; an empty body is an empty object."""
        members = json_object(self.body)
        for name in members:
            if name not in known:
                raise ValidationException(f"The request has an unknown member: {name[:64]!a}.")
        return Members(members)


def unescape(text: str, *, decoded: bool = True) -> str:
    """A path parameter with RFC 3986's escapes resolved; `decoded` says that the gateway may have
    done it already.

    Only what has to be escaped may be, and where the gateway passes on what was sent it must be:
    any other spelling of a name could pass by a policy that is written for this one.
    """
    if not decoded and any(plain in text for plain in _ESCAPED.values()):
        raise ValidationException("In a path, + = , and @ are escaped: %2B %3D %2C %40.")
    for escape in _ESCAPE.finditer(text):
        if escape.group() not in _ESCAPED:
            raise ValidationException("The path is escaped in an odd way.")
    return unquote(text)


def json_object(body: str) -> dict[str, object]:
    """A JSON object, strictly: no member twice, no NaN, nothing else at the top."""
    if not body.strip():
        return {}
    try:
        value = json.loads(body, object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise ValidationException("The body is not JSON.") from None
    if not isinstance(value, dict):
        raise ValidationException("The body is not a JSON object.")
    return value


def _once(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValidationException("A member is there twice.")
    return members


def _no_constant(name: str) -> object:
    raise ValidationException(f"{name} is not JSON.")


# --- the proxy event ----------------------------------------------------------------------------
# https://docs.aws.amazon.com/apigateway/latest/developerguide/
# set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-input-format


def call_of(event: Mapping[str, object], max_body: int = MAX_BODY) -> Call:
    """The call in a proxy event; ValidationException or PayloadTooLarge for an odd one."""
    context = _mapping(event.get("requestContext"))
    return Call(
        method=_text(event.get("httpMethod")),
        resource=_text(event.get("resource")),
        path={name: _text(value) for name, value in _mapping(event.get("pathParameters")).items()},
        query=_lists(event, "multiValueQueryStringParameters", "queryStringParameters"),
        headers=_lowered(_lists(event, "multiValueHeaders", "headers")),
        body=_body(event, max_body),
        caller=_caller(_mapping(context.get("identity"))),
        request_id=request_id_of(event),
        api=_text(context.get("apiId")),
    )


def request_id_of(event: Mapping[str, object]) -> str:
    return _text(_mapping(event.get("requestContext")).get("requestId"))


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _caller(identity: Mapping[str, object]) -> Caller:
    return Caller(
        account=_text(identity.get("accountId")),
        userid=_text(identity.get("user")),
        arn=_text(identity.get("userArn")),
    )


def _body(event: Mapping[str, object], max_body: int) -> str:
    if event.get("isBase64Encoded"):
        raise ValidationException("The body is not text.")
    body = _text(event.get("body"))
    try:
        size = len(body.encode())
    except UnicodeEncodeError:
        raise ValidationException("The body is not UTF-8.") from None
    if size > max_body:
        raise PayloadTooLarge(f"A body is at most {max_body} bytes.")
    return body


def _lists(event: Mapping[str, object], many: str, single: str) -> dict[str, Sequence[str]]:
    """Names with all their values; a gateway that has one value only gives the single form."""
    if isinstance(event.get(many), dict):
        items = _mapping(event.get(many)).items()
        return {k: tuple(_text(one) for one in v) for k, v in items if isinstance(v, list)}
    return {k: (_text(v),) for k, v in _mapping(event.get(single)).items()}


def _lowered(headers: Mapping[str, Sequence[str]]) -> dict[str, Sequence[str]]:
    """Header names in lower case; the same name in two spellings is the same header twice."""
    found: dict[str, Sequence[str]] = {}
    for name, values in headers.items():
        found[name.lower()] = (*found.get(name.lower(), ()), *values)
    return found


# --- answers ------------------------------------------------------------------------------------


def answer(members: Mapping[str, object]) -> Response:
    """200 with a JSON object. `Cache-Control` because tokens and credentials may be in it."""
    return _response(200, members, {})


def refusal(error: HatchwayError, request_id: str) -> Response:
    """What the peer gets to see of an error: its code and its safe text."""
    members = {"__type": error.code, "message": error.message, "RequestId": request_id}
    headers = {"x-amzn-errortype": error.code}
    if error.status == ThrottlingException.status:
        headers["Retry-After"] = str(RETRY_AFTER)
    return _response(error.status, members, headers)


def _response(status: int, members: Mapping[str, object], headers: Mapping[str, str]) -> Response:
    return {
        "statusCode": status,
        "headers": {
            "Content-Type": "application/json",
            "Cache-Control": "no-store",
            **headers,
        },
        "body": json.dumps(members, separators=(",", ":")),
        "isBase64Encoded": False,
    }


def _trace(call: Call) -> dict[str, str]:
    """The trace that the caller names, if any: uploads name none, there are too many."""
    found = names.trace_in(next(iter(call.headers.get(names.TRACE_HEADER.lower(), ())), ""))
    return {"trace": found} if found else {}


Act = Callable[[Call, Line], Mapping[str, object]]


def serve(
    family: str,
    event: Mapping[str, object],
    act: Act,
    write: Write,
    max_body: int = MAX_BODY,
    *,
    record: trail.Sink = trail.emit,
) -> Response:
    """The answer to one REST event: `act`'s, or the refusal it raised. Writes one log line, and
    the call's record for the audit trail."""
    with line(family, write) as log:
        outcome = _outcome(event, act, log, max_body)
        text = trail.rest_call(event, outcome)
        if text:
            record(text)
        if isinstance(outcome, HatchwayError):
            return refusal(outcome, request_id_of(event))
        return answer(outcome)


def _outcome(
    event: Mapping[str, object], act: Act, log: Line, max_body: int
) -> Mapping[str, object] | HatchwayError:
    """What `act` answers, or what the caller is refused with."""
    log.note(requestId=request_id_of(event))
    try:
        call = call_of(event, max_body)
        log.note(route=call.route, caller=call.caller.userid, **_trace(call))
        return act(call, log)
    except HatchwayError as error:
        log.refused(error)
        return error
    except Exception as error:  # whatever it is, the peer learns nothing of it
        log.failed(error)
        return InternalServerError()
