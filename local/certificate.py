"""The embedded AWS's TLS certificate, made on the spot.

A certificate authority that signs this one certificate and whose key is thrown away: what trusts it
trusts nothing else.
"""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from local.places import Places
from local.records import write_private

LIFE = timedelta(days=365)
#: A certificate with less than this left is made anew.
MARGIN = timedelta(days=1)
#: Names and addresses it is for. The wildcard covers IoT's data endpoint.
NAMES = ("localhost", "*.iot.us-east-1.localhost")
ADDRESSES = ("127.0.0.1",)


def valid(places: Places, now: datetime) -> bool:
    """Whether there is a certificate for these names with enough of its life left."""
    try:
        certificate = x509.load_pem_x509_certificate(places.certificate.read_bytes())
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (FileNotFoundError, ValueError, x509.ExtensionNotFound):
        return False
    return (
        places.key.exists()
        and places.ca_bundle.exists()
        and certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc - MARGIN
        and list(names) == list(_alternative_names())
    )


def make(places: Places, now: datetime) -> None:
    """Writes authority, certificate and key."""
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority_name = _name("Hatchway local authority")
    authority = (
        _builder(authority_name, authority_name, authority_key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(certificates=True), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    certificate = (
        _builder(_name("Hatchway local"), authority_name, key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(_alternative_names(), critical=False)
        .add_extension(issuer, critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    write_private(places.ca_bundle, _pem(authority))
    # Whoever runs as another user of this machine, the demo's shell too, may read the authority.
    places.ca_bundle.chmod(0o644)
    write_private(places.certificate, _pem(certificate))
    write_private(places.key, _key_pem(key))


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + LIFE)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificates,
        key_cert_sign=certificates,
        crl_sign=certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative_names() -> x509.SubjectAlternativeName:
    addresses = [x509.IPAddress(ipaddress.ip_address(address)) for address in ADDRESSES]
    return x509.SubjectAlternativeName([*(x509.DNSName(name) for name in NAMES), *addresses])


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def ensure(places: Places) -> bool:
    """Makes a certificate where there is no valid one; whether it did."""
    now = datetime.now(UTC)
    if valid(places, now):
        return False
    make(places, now)
    return True
