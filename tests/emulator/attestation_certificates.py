"""Attestation certificates of a maker of authenticators."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from tests.emulator.keys import PrivateKey, private_key

AAGUID_EXTENSION = x509.ObjectIdentifier("1.3.6.1.4.1.45724.1.1.4")
SUBJECT = {
    NameOID.COUNTRY_NAME: "FR",
    NameOID.ORGANIZATION_NAME: "Maker",
    NameOID.ORGANIZATIONAL_UNIT_NAME: "Authenticator Attestation",
    NameOID.COMMON_NAME: "Batch 1",
}


def attestation_certificate(
    aaguid: bytes, subject: dict[Any, str] = SUBJECT, key: PrivateKey | None = None
) -> tuple[PrivateKey, bytes]:
    """A key and its certificate in DER, as WebAuthn wants them for the format "packed"."""
    key = key or private_key("p256", 50)
    name = x509.Name([x509.NameAttribute(oid, value) for oid, value in subject.items()])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=timezone.utc))
        .not_valid_after(datetime(2100, 1, 1, tzinfo=timezone.utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.UnrecognizedExtension(AAGUID_EXTENSION, b"\x04\x10" + aaguid), critical=False
        )
        .sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())
    )
    return key, certificate.public_bytes(Encoding.DER)
