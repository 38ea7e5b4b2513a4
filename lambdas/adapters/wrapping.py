"""KMS: the recordings' key. Its public half wraps here, without the SDK and without a call for each
key; its private half stays in KMS, which unwraps for those who may."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Final, Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from hatchway.core.errors import InternalServerError
from lambdas.adapters.calls import Expected, Patience
from lambdas.adapters.signed import Service, Signed

SERVICE = Service("KMS", "kms", "kms", "KMS")
#: As for what is recorded: two short attempts.
PATIENCE = Patience(connect=1.0, read=1.5, attempts=2)
#: KMS's name for it; `padding` is the same thing.
ALGORITHM: Final = "RSAES_OAEP_SHA_256"


class Calls(Protocol):
    """As much of `Signed` as is used here."""

    def json(
        self, target: str, members: Mapping[str, object], expected: Expected = ...
    ) -> Mapping[str, object]: ...


def padding() -> OAEP:
    return OAEP(mgf=MGF1(SHA256()), algorithm=SHA256(), label=None)


class KmsWrapper:
    """The port Wrapper; `key` is a key's id or ARN. The public half is fetched when it is first
    needed, and kept: it never changes."""

    def __init__(self, key: str, calls: Calls | None = None) -> None:
        self._key = key
        self._calls = calls or Signed(SERVICE, PATIENCE)
        self._public: RSAPublicKey | None = None

    def wrap(self, key: bytes) -> bytes:
        if self._public is None:
            self._public = self._fetched()
        return self._public.encrypt(key, padding())

    def _fetched(self) -> RSAPublicKey:
        answer = self._calls.json("TrentService.GetPublicKey", {"KeyId": self._key})
        try:
            public = load_der_public_key(base64.b64decode(str(answer["PublicKey"])))
        except (KeyError, ValueError, UnsupportedAlgorithm):
            raise InternalServerError("KMS gives no public key for the recordings.") from None
        if not isinstance(public, RSAPublicKey):
            raise InternalServerError("The recordings' key is of another kind.")
        return public
