"""An archive, a signer and the log of what passed, in memory."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hatchway.core.errors import DoesNotExistException, HatchwayError, MalformedRecording
from lambdas.memory.recordings import MemoryRecordings
from lambdas.ports import MAX_NAMES, MAX_OBJECT, NamePage, PassedPage, Signature

KEY = "arn:aws:kms:us-east-1:123456789012:key/signing"


class MemoryArchive:
    """The port Archive: `objects` are the newest versions. Set `failure` to refuse."""

    def __init__(self, page: int = MAX_NAMES) -> None:
        self.objects: dict[str, bytes] = {}
        self.failure: HatchwayError | None = None
        self._page = page

    def put(self, name: str, data: bytes) -> None:
        self._fail()
        self.objects[name] = data

    def get(self, name: str) -> bytes | None:
        self._fail()
        data = self.objects.get(name)
        if data is not None and len(data) > MAX_OBJECT:
            raise MalformedRecording("An object of the archive is too large.")
        return data

    def names(self, prefix: str, next_token: str = "") -> NamePage:
        self._fail()
        found = sorted(n for n in self.objects if n.startswith(prefix) and n > next_token)
        page = found[: self._page]
        return NamePage(names=page, next_token=page[-1] if len(found) > len(page) else "")

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure


class MemorySigner:
    """The ports Signer and PublicKeys, with a key of its own. Set `failure` to have none signed."""

    def __init__(self, key: str = KEY) -> None:
        self._key = key
        self._pair = ec.generate_private_key(ec.SECP256R1())
        self.failure: HatchwayError | None = None

    def sign(self, digest: bytes) -> Signature:
        if self.failure is not None:
            raise self.failure
        value = self._pair.sign(digest, ec.ECDSA(utils.Prehashed(SHA256())))
        return Signature(key=self._key, algorithm="ECDSA_SHA_256", value=value)

    def made(self, digest: bytes, signature: Signature) -> bool:
        if signature.key != self._key:
            return False
        try:
            algorithm = ec.ECDSA(utils.Prehashed(SHA256()))
            self._pair.public_key().verify(signature.value, digest, algorithm)
        except InvalidSignature:
            return False
        return True

    def public_key(self, key: str) -> bytes:
        if key != self._key:
            raise DoesNotExistException("The recording is signed with a key that is none of ours.")
        return self._pair.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


class MemoryPassedLog:
    """The port PassedLog, over what MemoryRecordings holds; a page has `page` events."""

    def __init__(self, recordings: MemoryRecordings, page: int = 100) -> None:
        self._recordings, self._page = recordings, page

    def read(self, session_id: str, since: int, next_token: str = "") -> PassedPage:
        events = sorted(
            (e for e in self._recordings.streams.get(session_id, []) if e[0] >= since),
            key=lambda event: event[0],
        )
        first = int(next_token or 0)
        page = events[first : first + self._page]
        return PassedPage(events=page, next_token=str(first + len(page)) if page else "")
