"""IAM: the policies of a caller, and roles for the allow list.

It fails closed: whatever cannot be read whole is an error, never an empty list. The answer is
kept for CACHE seconds, so a change of policies shows at most that much later.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hatchway.core.errors import (
    AccessDeniedException,
    HatchwayError,
    InternalServerError,
    InvalidNextToken,
    ThrottlingException,
    ValidationException,
)
from lambdas.adapters import aws, paging
from lambdas.adapters.cache import Cache
from lambdas.adapters.trust import only_ec2, tags_nobody
from lambdas.ports import (
    Clock,
    Guardrails,
    KnownPrincipal,
    NodeRole,
    PolicyDocument,
    PrincipalPage,
    PrincipalPolicies,
    Unreadable,
)

if TYPE_CHECKING:
    from mypy_boto3_iam.client import IAMClient

PATIENCE = aws.Patience(connect=1.0, read=3.0, attempts=2)
#: Seconds and number of callers for which policies are kept; managed policies' texts kept.
CACHE = 10.0
MAX_CALLERS = 500
MAX_TEXTS = 500
#: Pages of one list, and policies of one caller, beyond which the caller is refused.
MAX_PAGES = 20
MAX_POLICIES = 200
#: IAM calls made at once.
PARALLEL = 8

_NAME = r"[\w+=,.@-]{1,64}"
_USER = re.compile(rf"arn:[a-z-]+:iam::[0-9]{{12}}:user/(?:[!-~]+/)?({_NAME})\Z", re.ASCII)
_ROLE = re.compile(rf"arn:[a-z-]+:iam::[0-9]{{12}}:role/(?:[!-~]+/)?({_NAME})\Z", re.ASCII)
_SESSION = re.compile(
    rf"arn:[a-z-]+:sts::([0-9]{{12}}):assumed-role/({_NAME})/({_NAME})\Z", re.ASCII
)

Page = dict[str, Any]


class _Absent(HatchwayError):
    """IAM does not know what was asked for."""


def _call(method: Callable[..., Any], **arguments: str | int) -> Page:
    """One IAM call; ThrottlingException where IAM does not answer: nothing is assumed."""
    try:
        with aws.calling("IAM", {"NoSuchEntity": _Absent}):
            answer: Page = method(**arguments)
    except (_Absent, ThrottlingException):
        raise
    except HatchwayError as error:
        raise Unreadable("IAM does not answer; try again later.") from error
    return answer


def _principal(method: Callable[..., Any], member: str, **arguments: str) -> Page:
    """A user or role as IAM describes it; empty where there is none of that name."""
    try:
        found: Page = _call(method, **arguments)[member]
    except _Absent:
        return {}
    return found


def _list(method: Callable[..., Any], member: str, **arguments: str) -> list[Any]:
    """All of a paginated list; AccessDeniedException where it has more than MAX_PAGES pages."""
    found: list[Any] = []
    for _ in range(MAX_PAGES):
        answer = _call(method, **arguments)
        found += answer[member]
        if not answer.get("IsTruncated"):
            return found
        arguments["Marker"] = answer["Marker"]
    raise AccessDeniedException("The caller has more policies than can be evaluated.")


class IamPolicies:
    """The port Policies; `life` is how many seconds a caller's policies are kept. Service control
    policies are among them where `guardrails` are given."""

    def __init__(
        self,
        clock: Clock = time.monotonic,
        client: IAMClient | None = None,
        life: float = CACHE,
        guardrails: Guardrails | None = None,
    ) -> None:
        self._iam: IAMClient = client or aws.client("iam", PATIENCE)
        self._guardrails = guardrails
        self._callers: Cache[tuple[str, str], PrincipalPolicies] = Cache(MAX_CALLERS, life, clock)
        # A version of a managed policy never changes, and its policy's id is never used again.
        self._texts: Cache[tuple[str, str], str] = Cache(MAX_TEXTS, 3600.0, clock)
        self._pool = ThreadPoolExecutor(PARALLEL, "iam")

    def of(self, principal_arn: str, userid: str) -> PrincipalPolicies:
        try:
            found = self._callers.get(
                _kept_as(principal_arn, userid), lambda: self._gather(principal_arn, userid)
            )
        except _Absent as error:
            raise ThrottlingException("The caller's policies change; try again.") from error
        if self._guardrails is None:
            return found
        return replace(found, scps=self._guardrails.of(principal_arn.split(":")[4]))

    def _gather(self, arn: str, userid: str) -> PrincipalPolicies:
        if user := _USER.match(arn):
            return self._user(arn, user[1], userid)
        if session := _SESSION.match(arn):
            return self._role(session[1], session[2], session[3], userid)
        # The account's root and federated users have no policies that could be read here.
        raise AccessDeniedException("Only IAM users and roles can use Hatchway.")

    def _user(self, arn: str, name: str, userid: str) -> PrincipalPolicies:
        user = _principal(self._iam.get_user, "User", UserName=name)
        if user.get("Arn") != arn or user.get("UserId") != userid:
            raise AccessDeniedException()
        groups, tags = self._together(
            lambda: _list(self._iam.list_groups_for_user, "Groups", UserName=name),
            lambda: _list(self._iam.list_user_tags, "Tags", UserName=name),
        )
        owners = [("user", name), *(("group", group["GroupName"]) for group in groups)]
        return PrincipalPolicies(
            identity=self._identity(owners),
            boundaries=self._boundaries(user),
            tags={tag["Key"]: tag["Value"] for tag in tags},
        )

    def _role(self, account: str, name: str, session: str, userid: str) -> PrincipalPolicies:
        role = _principal(self._iam.get_role, "Role", RoleName=name)
        if not role or role["Arn"].split(":")[4] != account:
            raise AccessDeniedException()
        if f"{role['RoleId']}:{session}" != userid:
            raise AccessDeniedException()
        return PrincipalPolicies(
            identity=self._identity([("role", name)]),
            boundaries=self._boundaries(role),
            role_tags=_own_tags(role),
            role_arn=role["Arn"],
        )

    def _identity(self, owners: list[tuple[str, str]]) -> list[PolicyDocument]:
        """Inline and attached policies of a user or role and the user's groups."""
        lists = [lambda o=owner: self._names(*o) for owner in owners]
        reads = [read for found in self._together(*lists) for read in found]
        if len(reads) > MAX_POLICIES:
            raise AccessDeniedException("The caller has more policies than can be evaluated.")
        return self._together(*reads)

    def _names(self, kind: str, name: str) -> list[Callable[[], PolicyDocument]]:
        """What is to be read for one owner of policies."""
        owner = {f"{kind.capitalize()}Name": name}
        inline = _list(getattr(self._iam, f"list_{kind}_policies"), "PolicyNames", **owner)
        attached = _list(
            getattr(self._iam, f"list_attached_{kind}_policies"), "AttachedPolicies", **owner
        )
        return [
            *(lambda n=policy: self._inline(kind, owner, n) for policy in inline),
            *(
                lambda a=policy["PolicyArn"]: self._managed(f"{kind} {name}", a)
                for policy in attached
            ),
        ]

    def _inline(self, kind: str, owner: dict[str, str], policy: str) -> PolicyDocument:
        method = getattr(self._iam, f"get_{kind}_policy")
        answer = _call(method, PolicyName=policy, **owner)
        source = f"{kind} {next(iter(owner.values()))}"
        return PolicyDocument(source=source, name=policy, text=_text(answer["PolicyDocument"]))

    def _boundaries(self, principal: Page) -> list[PolicyDocument]:
        boundary = principal.get("PermissionsBoundary")
        if not boundary:
            return []
        return [self._managed("boundary", boundary["PermissionsBoundaryArn"])]

    def _managed(self, source: str, arn: str) -> PolicyDocument:
        policy = _call(self._iam.get_policy, PolicyArn=arn)["Policy"]
        version = policy["DefaultVersionId"]

        def read() -> str:
            answer = _call(self._iam.get_policy_version, PolicyArn=arn, VersionId=version)
            return _text(answer["PolicyVersion"]["Document"])

        text = self._texts.get((policy["PolicyId"], version), read)
        return PolicyDocument(source=source, name=arn, text=text)

    def _together(self, *calls: Callable[[], Any]) -> list[Any]:
        """The answers of several calls made at once; the first error where there is one."""
        return [future.result() for future in [self._pool.submit(call) for call in calls]]


def _kept_as(arn: str, userid: str) -> tuple[str, str]:
    """All sessions of a role have the role's policies: under new names they ask IAM nothing new.
    A session whose name is not that of its `userid` stands for itself, and is refused."""
    session, (role_id, _, name) = _SESSION.match(arn), userid.partition(":")
    if session is None or session[3] != name:
        return arn, userid
    return arn.rpartition("/")[0], role_id


class IamDirectory:
    """The port Directory. A page of ours begins anywhere in a page of IAM's, which may be larger
    than it was asked to be: a token says which list, IAM's marker, and how far in."""

    def __init__(self, client: IAMClient | None = None) -> None:
        self._iam: IAMClient = client or aws.client("iam", PATIENCE)

    def find(self, arn: str) -> KnownPrincipal | None:
        if user := _USER.match(arn):
            found = _known(_principal(self._iam.get_user, "User", UserName=user[1]))
            return found if found is not None and found.arn == arn else None
        if role := _ROLE.match(arn):
            found = _known(_principal(self._iam.get_role, "Role", RoleName=role[1]))
            return found if found is not None and found.arn == arn else None
        if session := _SESSION.match(arn):
            found = _known(_principal(self._iam.get_role, "Role", RoleName=session[2]))
            if found is None or found.account != session[1]:
                return None
            return replace(found, session=session[3])
        return None

    def list(self, max_results: int, next_token: str = "") -> PrincipalPage:
        paging.check_size(max_results)
        kind, skip, marker = _place(paging.place(next_token, _LISTED))
        method, member = (
            (self._iam.list_users, "Users") if kind == _USERS else (self._iam.list_roles, "Roles")
        )
        page = _call(method, MaxItems=max_results, **({"Marker": marker} if marker else {}))
        rest = page[member][skip:]
        found = [known for one in rest[:max_results] if (known := _known(one)) is not None]
        if len(rest) > max_results:
            place = f"{kind} {skip + max_results} {marker}"
        elif page.get("IsTruncated"):
            place = f"{kind} 0 {page['Marker']}"
        else:
            place = f"{_ROLES} 0 " if kind == _USERS else ""
        return PrincipalPage(
            principals=found, next_token=paging.issue(_LISTED, place) if place else ""
        )


_LISTED, _USERS, _ROLES = "principals", "users", "roles"


def _place(text: str) -> tuple[str, int, str]:
    """Which list, how many of IAM's page to leave out, and IAM's marker."""
    kind, _, rest = (text or f"{_USERS} 0 ").partition(" ")
    skip, _, marker = rest.partition(" ")
    if kind not in (_USERS, _ROLES) or not skip.isdecimal() or len(skip) > 4:
        raise InvalidNextToken()
    return kind, int(skip), marker


def _known(found: Page) -> KnownPrincipal | None:
    """A user or role as IAM describes it."""
    if "UserId" in found:
        return KnownPrincipal(arn=found["Arn"], name=found["UserName"], user_id=found["UserId"])
    if "RoleId" in found:
        return KnownPrincipal(arn=found["Arn"], name=found["RoleName"], role_id=found["RoleId"])
    return None


class IamRoles:
    """The port Roles."""

    def __init__(self, client: IAMClient | None = None) -> None:
        self._iam: IAMClient = client or aws.client("iam", PATIENCE)

    def ec2_only(self, role_arn: str) -> NodeRole:
        name = _ROLE.match(role_arn)
        if name is None:
            raise ValidationException("RoleArn is not the ARN of an IAM role.")
        role = _principal(self._iam.get_role, "Role", RoleName=name[1])
        if role.get("Arn") != role_arn:
            raise ValidationException("There is no such role in this account.")
        if not only_ec2(_text(role["AssumeRolePolicyDocument"])):
            raise ValidationException("Others than ec2.amazonaws.com may assume the role.")
        return NodeRole(role_id=role["RoleId"], role_arn=role_arn)


def _own_tags(role: Page) -> dict[str, str] | None:
    """The role's tags, None where its sessions may have others in their place."""
    if not tags_nobody(_text(role["AssumeRolePolicyDocument"])):
        return None
    return {tag["Key"]: tag["Value"] for tag in role.get("Tags", [])}


def _text(document: object) -> str:
    """A policy's JSON text; botocore has decoded it already, from what IAM sends."""
    if isinstance(document, str):
        return document
    if not isinstance(document, dict):
        raise InternalServerError("IAM sent a policy that is none.")
    return json.dumps(document)
