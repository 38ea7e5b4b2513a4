"""Signed HTTPS over a kept connection: what is sent, what answers mean, and what is tried again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from hatchway.core.errors import ClientGone, InternalServerError, ThrottlingException
from lambdas.adapters import signed
from lambdas.adapters.calls import Expected, Patience
from lambdas.adapters.signed import Service, Signed
from tests.unit.adapters.scripted_aws import (
    HANG_UP,
    SILENCE,
    Says,
    ScriptedAws,
    refusal,
    scripted_aws,
)
from tests.unit.net.authority import Authority

SERVICE = Service("The thing", "execute-api", "thing", "THING")
ENVIRON = {
    "AWS_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "ASIAEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "example",
    "AWS_SESSION_TOKEN": "first token",
}
TWICE = Patience(connect=5.0, read=5.0, attempts=2)


@pytest.fixture
def aws() -> Iterator[ScriptedAws]:
    with scripted_aws() as script:
        yield script


class Caller:
    """A client of the scripted AWS, and the pauses that it made."""

    def __init__(self, aws: ScriptedAws, patience: Patience = TWICE, path: str = "") -> None:
        self.pauses: list[float] = []
        self.environ = dict(ENVIRON)
        self.calls = Signed(
            SERVICE,
            patience,
            aws.url + path,
            environ=self.environ,
            clock=lambda: 1_800_000_000.0,
            pause=self.pauses.append,
        )


def test_a_request_is_sent_as_it_was_signed(aws: ScriptedAws) -> None:
    calls = Caller(aws, path="/stage").calls
    assert calls.call("POST", "/@connections/AbC%3D", b"\x00\xff", query=(("qos", "1"),)) == b"{}"
    [got] = aws.got
    assert (got.method, got.target) == ("POST", "/stage/@connections/AbC%3D?qos=1")
    assert got.body == b"\x00\xff"
    assert got.headers["host"] == aws.url.removeprefix("http://")
    assert got.headers["x-amz-date"] == "20270115T080000Z"
    assert got.headers["x-amz-security-token"] == "first token"
    scope = "ASIAEXAMPLE/20270115/eu-central-1/execute-api/aws4_request"
    assert f"Credential={scope}, SignedHeaders=host;" in got.headers["authorization"]


def test_calls_share_one_connection(aws: ScriptedAws) -> None:
    calls = Caller(aws).calls
    for _ in range(3):
        calls.call("POST", "/")
    assert (len(aws.got), aws.connections) == (3, 1)


def test_credentials_are_those_that_the_environment_holds_now(aws: ScriptedAws) -> None:
    caller = Caller(aws)
    caller.calls.call("POST", "/")
    caller.environ |= {"AWS_ACCESS_KEY_ID": "ASIASECOND", "AWS_SESSION_TOKEN": "second token"}
    caller.calls.call("POST", "/")
    assert [got.headers["x-amz-security-token"] for got in aws.got] == [
        "first token",
        "second token",
    ]
    assert "Credential=ASIASECOND/" in aws.got[1].headers["authorization"]


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_nothing_is_sent_without_credentials(aws: ScriptedAws, name: str) -> None:
    caller = Caller(aws)
    del caller.environ[name]
    with pytest.raises(InternalServerError):
        caller.calls.call("POST", "/")
    assert aws.got == []


def test_a_connection_that_the_other_end_closed_costs_no_attempt(aws: ScriptedAws) -> None:
    caller = Caller(aws, Patience(connect=5.0, read=5.0, attempts=1))
    aws.answers[:] = [Says(hushed=True)]
    caller.calls.call("POST", "/")
    assert aws.hung_up.wait(5)
    caller.calls.call("POST", "/")
    assert aws.connections == 2
    assert caller.pauses == []


def test_a_kept_connection_that_breaks_under_a_request_is_made_anew_at_once(
    aws: ScriptedAws,
) -> None:
    caller = Caller(aws, Patience(connect=5.0, read=5.0, attempts=1))
    aws.answers[:] = [Says(), HANG_UP, Says(body=b"second")]
    caller.calls.call("POST", "/")
    assert caller.calls.call("POST", "/") == b"second"
    assert caller.pauses == []


def test_a_connection_is_not_used_again_after_an_answer_that_closes_it(aws: ScriptedAws) -> None:
    calls = Caller(aws).calls
    aws.answers[:] = [Says(last=True)]
    calls.call("POST", "/")
    calls.call("POST", "/")
    assert aws.connections == 2


def test_a_connection_left_alone_for_long_is_not_used_again(
    aws: ScriptedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = Caller(aws).calls
    calls.call("POST", "/")
    monkeypatch.setattr(signed, "MAX_IDLE", -1.0)
    calls.call("POST", "/")
    assert aws.connections == 2


@pytest.mark.parametrize(
    "passing",
    [
        *(Says(status) for status in sorted(signed.TRANSIENT)),
        Says(429),
        refusal("ThrottlingException"),
        refusal("RequestTimeoutException"),
        Says(400, code="TooManyRequestsException:http://internal.amazon.com/"),
        HANG_UP,
    ],
)
def test_what_may_pass_is_tried_again_after_a_pause(aws: ScriptedAws, passing: Says | str) -> None:
    caller = Caller(aws)
    aws.answers[:] = [passing, Says(body=b"second")]
    assert caller.calls.call("POST", "/") == b"second"
    assert [0 <= pause <= 1 for pause in caller.pauses] == [True]


def test_it_is_tried_no_more_often_than_patience_says(aws: ScriptedAws) -> None:
    caller = Caller(aws)
    aws.answers[:] = [Says(503)] * 3
    with pytest.raises(InternalServerError):
        caller.calls.call("POST", "/")
    assert len(aws.got) == 2
    with pytest.raises(InternalServerError):
        Caller(aws, Patience(1.0, 5.0, attempts=1)).calls.call("POST", "/")
    assert len(aws.got) == 3


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Says(410), ClientGone),
        (refusal("Known", 400), ClientGone),
        (Says(403, b"<html>", code="AccessDenied"), InternalServerError),
        (Says(400, b"[1]"), InternalServerError),
        (Says(302), InternalServerError),
    ],
)
def test_a_refusal_is_not_tried_again(
    aws: ScriptedAws, answer: Says, error: type[Exception]
) -> None:
    aws.answers[:] = [answer]
    expected: Expected = {410: ClientGone, "Known": ClientGone}
    with pytest.raises(error) as raised:
        Caller(aws).calls.call("POST", "/", expected=expected)
    assert len(aws.got) == 1
    assert "secret text" not in str(raised.value)


def test_throttling_that_lasts_is_throttling(aws: ScriptedAws) -> None:
    aws.answers[:] = [Says(429), refusal("Throttling")]
    with pytest.raises(ThrottlingException):
        Caller(aws).calls.call("POST", "/")


def test_no_answer_in_time_is_the_service_s_own_fault(aws: ScriptedAws) -> None:
    aws.answers[:] = [SILENCE]
    with pytest.raises(InternalServerError) as raised:
        Caller(aws, Patience(connect=5.0, read=0.05, attempts=1)).calls.call("POST", "/")
    assert "127.0.0.1" not in raised.value.message
    assert isinstance(raised.value.__cause__, TimeoutError)


def test_nobody_there_is_the_service_s_own_fault(aws: ScriptedAws) -> None:
    caller = Caller(ScriptedAws("http://127.0.0.1:1"))
    with pytest.raises(InternalServerError):
        caller.calls.call("POST", "/")
    assert len(caller.pauses) == 1


@pytest.mark.parametrize(("over", "fits"), [(0, True), (1, False)])
def test_an_answer_is_read_up_to_its_limit(aws: ScriptedAws, over: int, fits: bool) -> None:
    aws.answers[:] = [Says(body=bytes(signed.MAX_ANSWER + over))]
    calls = Caller(aws, Patience(5.0, 5.0, attempts=1)).calls
    if fits:
        assert len(calls.call("POST", "/")) == signed.MAX_ANSWER
        return
    with pytest.raises(InternalServerError):
        calls.call("POST", "/")


def test_an_operation_in_json_names_its_target(aws: ScriptedAws) -> None:
    aws.answers[:] = [Says(body=b'{"a": 1}')]
    assert Caller(aws).calls.json("Logs_20140328.PutLogEvents", {"logGroupName": "ü"}) == {"a": 1}
    [got] = aws.got
    assert got.headers["x-amz-target"] == "Logs_20140328.PutLogEvents"
    assert got.headers["content-type"] == "application/x-amz-json-1.1"
    assert json.loads(got.body) == {"logGroupName": "ü"}
    assert "content-type;host;x-amz-date;" in got.headers["authorization"]


@pytest.mark.parametrize("body", [b"[]", b"{", b"\xff"])
def test_an_answer_that_is_no_json_object_is_none(aws: ScriptedAws, body: bytes) -> None:
    aws.answers[:] = [Says(body=body)]
    with pytest.raises(InternalServerError):
        Caller(aws).calls.json("X.Y", {})


@pytest.mark.parametrize(
    ("more", "url"),
    [
        ({}, "https://thing.eu-central-1.amazonaws.com"),
        ({"AWS_REGION": "cn-north-1"}, "https://thing.cn-north-1.amazonaws.com.cn"),
        ({"AWS_ENDPOINT_URL": "https://a"}, "https://a"),
        ({"AWS_ENDPOINT_URL": "https://a", "AWS_ENDPOINT_URL_THING": "https://b"}, "https://b"),
    ],
)
def test_a_service_is_in_its_region_unless_the_sdk_s_variables_say_otherwise(
    more: dict[str, str], url: str
) -> None:
    assert SERVICE.url(ENVIRON | more) == url


def test_without_a_region_there_is_no_client() -> None:
    with pytest.raises(InternalServerError):
        Signed(SERVICE, TWICE, environ={})
    assert signed.region_of({"AWS_DEFAULT_REGION": "eu-west-1"}) == "eu-west-1"


class TestTls:
    @pytest.fixture
    def authority(self, tmp_path: Path) -> Authority:
        return Authority(tmp_path)

    def test_a_server_is_trusted_by_the_bundle_that_the_environment_names(
        self, authority: Authority
    ) -> None:
        with scripted_aws(authority.server("127.0.0.1")) as aws:
            caller = Caller(aws)
            caller.environ["AWS_CA_BUNDLE"] = str(authority.bundle)
            assert caller.calls.call("POST", "/") == b"{}"

    @pytest.mark.parametrize("address", ["127.0.0.2", "127.0.0.1"])
    def test_no_other_server_is(self, authority: Authority, address: str, tmp_path: Path) -> None:
        """A name that is not the certificate's; and authorities that did not sign it."""
        stranger = Authority(tmp_path, "stranger")
        bundle = authority.bundle if address == "127.0.0.2" else stranger.bundle
        with scripted_aws(authority.server(address)) as aws:
            caller = Caller(aws, Patience(5.0, 5.0, attempts=1))
            caller.environ["AWS_CA_BUNDLE"] = str(bundle)
            with pytest.raises(InternalServerError):
                caller.calls.call("POST", "/")
            assert aws.got == []
