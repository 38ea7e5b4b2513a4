"""Checking a signature of the archive's with `cryptography`: KMS is not asked each time."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key


def signed_by(key: bytes, digest: bytes, signature: bytes) -> bool:
    """Whether the P-256 key (SubjectPublicKeyInfo, DER) signed this SHA-256 digest."""
    checker = load_der_public_key(key)
    if not isinstance(checker, ec.EllipticCurvePublicKey):
        return False
    try:
        checker.verify(signature, digest, ec.ECDSA(utils.Prehashed(SHA256())))
    except InvalidSignature:
        return False
    return True
