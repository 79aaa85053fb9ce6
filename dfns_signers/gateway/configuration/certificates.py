"""Certificates of listeners: read and checked before anything listens."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from dfns_signers.errors import ConfigurationError
from dfns_signers.gateway.configuration.settings import TlsTable
from dfns_signers.private_files import MAX_BYTES, open_to_read, read_private_file, reason_of
from dfns_signers.sealed import Sealed


def check_certificates(table: TlsTable) -> None:
    """Check the files of a table ``[gateway.tls.NAME]``.

    Raises:
        ConfigurationError: a file cannot be read, or others can write it; a certificate is not in
            PEM, not valid yet or any more; the key is of another certificate.
    """
    certificates = _read(table.certificate, "the certificate")
    if _public_key(Sealed(table.key.reveal())) != _encoded(certificates[0].public_key()):
        raise ConfigurationError(
            f"the private key from {table.key.origin} is not that of the first certificate in "
            f"{table.certificate}: the chain begins with the certificate of the server"
        )
    if table.client_ca is not None:
        for authority in _read(table.client_ca, "the authority of client certificates"):
            _require_authority(authority, table.client_ca)


def expiry_of(file: Path) -> float:
    """When the first certificate of a chain ends, in seconds since 1970.

    Raises:
        OSError: the file cannot be read.
        ValueError: it has no certificate in PEM.
    """
    with open_to_read(file) as stream:
        certificate = x509.load_pem_x509_certificate(stream.read(MAX_BYTES))
    return certificate.not_valid_after_utc.timestamp()


def read_trusted_file(path: Path, what: str) -> Sealed[bytes]:
    """A file that nobody else can write, since those who can write it are trusted.

    It should have no secret; sealed, for it may be the private key that somebody gave by mistake.

    Raises:
        ConfigurationError: it cannot be read, or others can write it.
    """
    try:
        content, _ = read_private_file(path, what, ConfigurationError)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{what} {path} cannot be read: {reason_of(error)}") from error
    return content


def _read(path: Path, what: str) -> Sequence[x509.Certificate]:
    content = read_trusted_file(path, what)
    try:
        certificates = x509.load_pem_x509_certificates(content.open())
    except ValueError as error:
        raise ConfigurationError(
            f"{what} {path} is not a certificate in PEM: expected '-----BEGIN CERTIFICATE-----'"
        ) from error
    now = datetime.now(timezone.utc)
    for certificate in certificates:
        begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        if end < now:
            raise ConfigurationError(f"{what} {path} expired at {end.isoformat()}: renew it")
        if begin > now:
            raise ConfigurationError(
                f"{what} {path} is not valid before {begin.isoformat()}: check the clock of this "
                "machine"
            )
    return certificates


def _require_authority(certificate: x509.Certificate, path: Path) -> None:
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
        is_authority = constraints.value.ca
    except x509.ExtensionNotFound:
        is_authority = False
    if not is_authority:
        raise ConfigurationError(
            f"{path} has a certificate that is not an authority (CA:TRUE): 'client_ca' takes the "
            "authority that issues the certificates of callers"
        )


def _public_key(key: Sealed[str]) -> bytes:
    problem = "is not a private key in PEM"
    try:
        private = serialization.load_pem_private_key(key.open().encode("utf-8"), None)
        return _encoded(private.public_key())
    except TypeError:
        problem = "needs a passphrase: write it without one, for its owner alone (openssl pkey)"
    except (ValueError, UnsupportedAlgorithm):  # not chained: their frames have the key
        pass
    raise ConfigurationError(f"the private key {problem}")


def _encoded(public_key: object) -> bytes:
    encoded: bytes = public_key.public_bytes(  # type: ignore[attr-defined]  # of any kind of key
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return encoded
