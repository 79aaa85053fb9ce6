"""TLS of listeners."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dfns_signers.errors import ConfigurationError
from dfns_signers.gateway.configuration.settings import TlsTable
from dfns_signers.sealed import Sealed


def server_context(name: str, table: TlsTable) -> ssl.SSLContext:
    """TLS of a table ``[gateway.tls.NAME]``.

    With ``client_ca``, who connects must have a certificate of that authority.

    Raises:
        ConfigurationError: a file cannot be read, or the key is not that of the certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        with _as_file(Sealed(table.key.reveal())) as key:
            # A password keeps OpenSSL from asking for one at the terminal.
            context.load_cert_chain(table.certificate, key, password="")
        if table.client_ca is not None:
            context.load_verify_locations(table.client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
    except OSError as error:
        reason = error.reason if isinstance(error, ssl.SSLError) else error.strerror
        raise ConfigurationError(
            f"[gateway.tls.{name}]: the certificate {table.certificate} cannot be used with the "
            f"key from {table.key.origin}: {reason or error}"
        ) from error
    return context


def names_of(certificate: Mapping[str, Any]) -> tuple[str, ...]:
    """DNS names and URIs of a certificate that was verified, as ``getpeercert`` returns it."""
    names = certificate.get("subjectAltName", ())
    return tuple(name for kind, name in names if kind in {"DNS", "URI"})


@contextmanager
def _as_file(text: Sealed[str]) -> Iterator[str]:
    """A path at which OpenSSL reads a secret once, which is on no disk."""
    reading, writing = os.pipe()
    try:
        with os.fdopen(writing, "wb") as stream:
            os.set_blocking(writing, False)
            stream.write(text.open().encode())
        yield f"/dev/fd/{reading}"
    finally:
        os.close(reading)
