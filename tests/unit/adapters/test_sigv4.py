"""Signature Version 4: AWS's own test suite, and the SDK's signer beside ours."""

from __future__ import annotations

from datetime import UTC, datetime
from unittest import mock
from urllib.parse import quote

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from lambdas.adapters.sigv4 import Keys, Request, Signer

#: "AKIDEXAMPLE" and the time of AWS's Signature Version 4 test suite.
KEYS = Keys("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
MOMENT = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
HOST = "example.amazonaws.com"
TOKEN = (
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfI"
    "eoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0"
    "wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDry"
    "pNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="
)
UNRESERVED = "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
#: From AWS's test suite by name: the request, and the signature that its .authz file ends with.
SUITE = {
    "post-vanilla": (
        Request("POST", HOST, "/"),
        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    ),
    "get-unreserved": (
        Request("GET", HOST, UNRESERVED),
        "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
    ),
    "get-vanilla-query-order-key-case": (
        Request("GET", HOST, "/", query=(("Param2", "value2"), ("Param1", "value1"))),
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ),
    "get-vanilla-utf8-query": (
        Request("GET", HOST, "/", query=(("\u1234", "bar"),)),
        "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
    ),
    "get-header-value-trim": (
        Request("GET", HOST, "/", headers={"My-Header1": " value1", "My-Header2": ' "a   b   c"'}),
        "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
    ),
    "post-x-www-form-urlencoded": (
        Request("POST", HOST, "/", b"Param1=value1", headers=FORM),
        "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
    ),
}


def authorization(request: Request, keys: Keys = KEYS) -> str:
    signer = Signer("us-east-1", "service")
    return signer.headers(request, keys, MOMENT.timestamp())["authorization"]


@pytest.mark.parametrize("name", SUITE)
def test_the_signatures_are_those_of_aws_s_test_suite(name: str) -> None:
    request, signature = SUITE[name]
    assert authorization(request).endswith(f", Signature={signature}")


def test_a_session_token_is_signed() -> None:
    keys = Keys(KEYS.access_key_id, KEYS.secret_access_key, TOKEN)
    assert authorization(Request("POST", HOST, "/"), keys) == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        "SignedHeaders=host;x-amz-date;x-amz-security-token, "
        "Signature=85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"
    )


def test_another_day_or_another_secret_takes_another_key() -> None:
    signer, request = Signer("us-east-1", "service"), Request("POST", HOST, "/")
    other = Keys(KEYS.access_key_id, "another secret")
    now = MOMENT.timestamp()
    found = [
        signer.headers(request, keys, at)["authorization"].rpartition("=")[2]
        for keys, at in ((KEYS, now), (KEYS, now + 86_400), (other, now), (KEYS, now))
    ]
    assert len(set(found)) == 3
    assert found[0] == found[3] == SUITE["post-vanilla"][1]


def test_secrets_are_not_shown() -> None:
    shown = repr(Keys("AKID", "the secret", "the token"))
    assert "the secret" not in shown
    assert "the token" not in shown


@given(
    segments=st.lists(st.text(min_size=1), min_size=1, max_size=3),
    query=st.dictionaries(st.text(min_size=1), st.text(), max_size=3),
    body=st.binary(max_size=64),
)
def test_the_sdk_signs_the_same(segments: list[str], query: dict[str, str], body: bytes) -> None:
    # A path that is all dots would be shortened; nothing that we address is named so.
    path = "/" + "/".join(quote(segment, safe="").replace(".", "%2E") for segment in segments)
    request = Request("POST", HOST, path, body, tuple(query.items()))
    theirs = AWSRequest("POST", f"https://{HOST}{path}?{request.query_string}", data=body)
    credentials = Credentials(KEYS.access_key_id, KEYS.secret_access_key, "token")
    # The SDK takes the time from its own module, and has no other way to be told it.
    with mock.patch("botocore.auth.get_current_datetime", return_value=MOMENT.replace(tzinfo=None)):
        SigV4Auth(credentials, "service", "us-east-1").add_auth(theirs)
    keys = Keys(KEYS.access_key_id, KEYS.secret_access_key, "token")
    assert authorization(request, keys) == theirs.headers["Authorization"]
