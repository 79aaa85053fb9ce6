"""A certificate for listeners on this machine, of an authority that can make no other one."""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from dfns_signers.sealed import Sealed

LOCAL_TLS: Final = "localhost:8788"
"""Where a listener with the certificate is suggested."""

_AUTHORITY: Final = "dfns-signers gateway, local authority"
_DAY: Final = datetime.timedelta(days=1)
_VALIDITY: Final = 397 * _DAY
"""Apple's platforms refuse certificates of servers that are valid for longer."""
_SIGNS_NOTHING: Final = {
    "content_commitment": False,
    "key_encipherment": False,
    "data_encipherment": False,
    "key_agreement": False,
    "encipher_only": False,
    "decipher_only": False,
}


@dataclass(frozen=True, slots=True)
class LocalCertificate:
    """All in PEM.

    Attributes:
        authority: certificate that clients trust.
        certificate: for ``localhost``, 127.0.0.1 and ::1.
        key: its private key, PKCS #8.
    """

    authority: bytes
    certificate: bytes
    key: Sealed[bytes]


def new_local_certificate() -> LocalCertificate:
    """A certificate that is valid from yesterday for 397 days; the key of its authority is gone."""
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return LocalCertificate(
        _authority(authority_key).public_bytes(serialization.Encoding.PEM),
        _certificate(key.public_key(), authority_key).public_bytes(serialization.Encoding.PEM),
        Sealed(private),
    )


def _authority(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    usage = x509.KeyUsage(
        digital_signature=False, key_cert_sign=True, crl_sign=True, **_SIGNS_NOTHING
    )
    return (
        _begun(_AUTHORITY, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )


def _certificate(
    public_key: ec.EllipticCurvePublicKey, authority_key: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=False, crl_sign=False, **_SIGNS_NOTHING
    )
    names = [
        x509.DNSName("localhost"),
        *(x509.IPAddress(ipaddress.ip_address(one)) for one in ("127.0.0.1", "::1")),
    ]
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    return (
        _begun("dfns-signers gateway", public_key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(issuer, critical=False)
        .sign(authority_key, hashes.SHA256())
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _begun(subject: str, public_key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    """What both certificates have, of the authority."""
    begin = datetime.datetime.now(datetime.timezone.utc) - _DAY
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(_AUTHORITY))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + _VALIDITY)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )
