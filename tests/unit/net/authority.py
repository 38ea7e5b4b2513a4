"""A certificate authority for tests, and servers' TLS contexts made from it."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_PEM = serialization.Encoding.PEM


class Authority:
    """Signs certificates; `bundle` is what a client has to trust."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder = folder
        self._name = name
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._certificate = self._sign(name, self._key.public_key(), authority=True)
        self.bundle = folder / f"{name}.pem"
        self.bundle.write_bytes(self._certificate.public_bytes(_PEM))

    def server(self, address: str = "127.0.0.1", expired: bool = False) -> ssl.SSLContext:
        """A server's context with a certificate for this address."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file(address, expired))
        return context

    def file(self, address: str = "127.0.0.1", expired: bool = False) -> Path:
        """Key and certificate for this address, in one file."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._sign(address, key.public_key(), address=address, expired=expired)
        file = self._folder / f"{self._name}-{address}-{expired}.pem"
        file.write_bytes(
            key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            + certificate.public_bytes(_PEM)
        )
        return file

    def _sign(
        self,
        name: str,
        key: ec.EllipticCurvePublicKey,
        *,
        authority: bool = False,
        address: str | None = None,
        expired: bool = False,
    ) -> x509.Certificate:
        day = datetime.timedelta(days=1)
        end = datetime.datetime.now(datetime.UTC) + (-day if expired else day)
        builder = (
            x509.CertificateBuilder()
            .subject_name(_named(name))
            .issuer_name(_named(self._name))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(end - 3 * day)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if address is not None:
            names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self._key, hashes.SHA256())


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
