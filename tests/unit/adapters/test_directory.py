"""IAM's lists of users and roles: pages of ours in pages of IAM's, errors that are typed."""

from __future__ import annotations

import pytest
from botocore.exceptions import ReadTimeoutError

from hatchway.core.errors import InvalidNextToken, ThrottlingException
from lambdas.adapters import paging
from lambdas.adapters.iam import IamDirectory
from lambdas.ports import Unreadable
from tests.unit.adapters.stubs import Answer, Scripted, refused

ACCOUNT = "arn:aws:iam::000000000000"


def user(name: str) -> dict[str, str]:
    return {"Arn": f"{ACCOUNT}:user/{name}", "UserName": name, "UserId": f"AIDA{name}"}


def role(name: str) -> dict[str, str]:
    return {"Arn": f"{ACCOUNT}:role/{name}", "RoleName": name, "RoleId": f"AROA{name}"}


def directory(*answers: Answer) -> tuple[IamDirectory, Scripted]:
    client = Scripted(*answers)
    return IamDirectory(client=client), client  # type: ignore[arg-type]


def names(made: IamDirectory, size: int, token: str) -> tuple[list[str], str]:
    page = made.list(size, token)
    return [known.name for known in page.principals], page.next_token


def test_the_lists_are_read_by_iams_marker_users_first() -> None:
    made, client = directory(
        {"Users": [user("a")], "IsTruncated": True, "Marker": "m1"},
        {"Users": [user("b")], "IsTruncated": False},
        {"Roles": [role("c")], "IsTruncated": False},
    )
    found, token = names(made, 1, "")
    assert found == ["a"]
    found, token = names(made, 1, token)
    assert found == ["b"]
    assert names(made, 1, token) == (["c"], "")
    assert client.calls == [
        ("list_users", {"MaxItems": 1}),
        ("list_users", {"MaxItems": 1, "Marker": "m1"}),
        ("list_roles", {"MaxItems": 1}),
    ]


def test_a_page_of_iams_that_is_larger_than_asked_for_is_cut() -> None:
    page = {"Users": [user(name) for name in "abc"], "IsTruncated": False}
    made, _ = directory(page, page)
    found, token = names(made, 2, "")
    assert found == ["a", "b"]
    assert names(made, 2, token)[0] == ["c"]


def test_the_longest_marker_of_iams_fits_a_token() -> None:
    made, _ = directory({"Users": [user("a")], "IsTruncated": True, "Marker": "m" * 320})
    assert len(made.list(1).next_token) <= paging.MAX_TOKEN


@pytest.mark.parametrize("place", ["groups 0 m", "users x m", "users 99999 m", "users"])
def test_a_token_that_nobody_issued_is_refused(place: str) -> None:
    made, client = directory()
    with pytest.raises(InvalidNextToken):
        made.list(1, paging.issue("principals", place))
    assert client.calls == []


@pytest.mark.parametrize(
    "failure",
    [refused("Throttling"), refused("ServiceFailure", 500), ReadTimeoutError(endpoint_url="x")],
    ids=["throttled", "failing", "silent"],
)
def test_iam_that_does_not_answer_makes_the_caller_wait(failure: Exception) -> None:
    made, _ = directory(failure, failure)
    with pytest.raises(ThrottlingException):
        made.list(1)
    with pytest.raises(ThrottlingException):
        made.find(f"{ACCOUNT}:user/a")


def test_one_principal_that_cannot_be_read_is_told_from_iam_being_throttled() -> None:
    for failure, unreadable in (
        (refused("Throttling"), False),
        (refused("ServiceFailure", 500), True),
    ):
        made, _ = directory(failure)
        with pytest.raises(ThrottlingException) as raised:
            made.find(f"{ACCOUNT}:user/a")
        assert isinstance(raised.value, Unreadable) is unreadable


def test_what_is_neither_user_nor_role_is_nobody() -> None:
    made, client = directory()
    assert made.find(f"{ACCOUNT}:root") is None
    assert made.find(f"{ACCOUNT}:group/x") is None
    assert client.calls == []
