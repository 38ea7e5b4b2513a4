"""The ports Wrapper and Unwrapper: the memory twin and AWS alike."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from benchmarks.fake_aws import PUBLIC_KEY
from hatchway.core.errors import HatchwayError, InternalServerError, MalformedRecording
from lambdas.adapters.archive import KmsUnwrapper
from lambdas.adapters.calls import Expected
from lambdas.adapters.signed import Signed
from lambdas.adapters.wrapping import PATIENCE, SERVICE, KmsWrapper
from lambdas.memory.wrapping import MemoryWrapping
from lambdas.ports import Unwrapper, Wrapper
from tests.contract.cloud import Cloud

KEY = bytes(range(32))


@dataclass
class Halves:
    wrapper: Wrapper
    unwrapper: Unwrapper


@pytest.fixture
def halves(cloud: Cloud | None) -> Halves:
    if cloud is None:
        both = MemoryWrapping()
        return Halves(both, both)
    if not cloud.endpoint:
        pytest.skip("moto does not encrypt with asymmetric keys")
    client = cloud.client("kms")
    key = client.create_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["Arn"]
    signed = Signed(SERVICE, PATIENCE, cloud.endpoint)
    return Halves(KmsWrapper(key, signed), KmsUnwrapper(key, client))


def test_what_is_wrapped_is_unwrapped_and_never_wrapped_alike(halves: Halves) -> None:
    first, second = halves.wrapper.wrap(KEY), halves.wrapper.wrap(KEY)
    assert first != second
    assert KEY not in first
    assert len(first) == 256
    assert halves.unwrapper.unwrap(first) == halves.unwrapper.unwrap(second) == KEY


@pytest.mark.parametrize("wrapped", [bytes(256), b"short", bytes(300)])
def test_what_nobody_wrapped_is_malformed(halves: Halves, wrapped: bytes) -> None:
    with pytest.raises(MalformedRecording):
        halves.unwrapper.unwrap(wrapped)


def test_a_key_that_waits_for_its_deletion_unwraps_nothing_and_is_not_said_to_be_wrong(
    cloud: Cloud | None,
) -> None:
    """What it wrapped is readable again when the deletion is cancelled."""
    if cloud is None or not cloud.endpoint:
        pytest.skip("a key's states are AWS's")
    client = cloud.client("kms")
    key = client.create_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["Arn"]
    signed = Signed(SERVICE, PATIENCE, cloud.endpoint)
    wrapped = KmsWrapper(key, signed).wrap(KEY)
    client.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    with pytest.raises(InternalServerError):
        KmsUnwrapper(key, client).unwrap(wrapped)
    client.cancel_key_deletion(KeyId=key)
    client.enable_key(KeyId=key)
    assert KmsUnwrapper(key, client).unwrap(wrapped) == KEY


class _Answers:
    """A KMS that gives what it is told to."""

    def __init__(self, answer: Mapping[str, object]) -> None:
        self.answer, self.asked = answer, list[str]()

    def json(
        self, target: str, members: Mapping[str, object], expected: Expected | None = None
    ) -> Mapping[str, object]:
        self.asked.append(target)
        return self.answer


_ELLIPTIC = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpZP40Li"
    "/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q=="
)


@pytest.mark.parametrize("answer", [{}, {"PublicKey": "AAAA"}, {"PublicKey": _ELLIPTIC}])
def test_a_public_half_that_is_none_wraps_nothing(answer: dict[str, Any]) -> None:
    wrapper = KmsWrapper("key", _Answers(answer))
    with pytest.raises(HatchwayError) as caught:
        wrapper.wrap(KEY)
    assert caught.value.code == "InternalServerError"


def test_the_public_half_is_fetched_once() -> None:
    kms = _Answers({"PublicKey": PUBLIC_KEY})
    wrapper = KmsWrapper("key", kms)
    assert len(base64.b64decode(PUBLIC_KEY)) > 256
    wrapper.wrap(KEY)
    wrapper.wrap(KEY)
    assert kms.asked == ["TrentService.GetPublicKey"]
