"""base64url without padding, and the two encodings of an ECDSA signature."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from dfns_signers.errors import EncodingError

_RAW_BYTES: Final = 64  # r‖s on the two 256-bit curves that Dfns accepts
_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
# DER of r and s that take 32 bytes, or 33 where the first would look like a minus sign.
_SHORT: Final = rb"\x02\x20[\x01-\x7f].{31}"
_LONG: Final = rb"\x02\x21\x00[\x80-\xff].{31}"
_USUAL_DER: Final = re.compile(
    rb"\x30(?:\x44%(short)b%(short)b|\x45(?:%(short)b%(long)b|%(long)b%(short)b)|\x46%(long)b%(long)b)"
    % {b"short": _SHORT, b"long": _LONG},
    re.DOTALL,
)
_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]*\Z")


def sha256_hex(data: bytes) -> str:
    """The lower-case hex SHA-256."""
    # Not hashlib, which would load a second OpenSSL.
    digest = hashes.Hash(hashes.SHA256())
    digest.update(data)
    return digest.finalize().hex()


def base64url_encode(data: bytes) -> str:
    """Encode as base64url without ``=``, the form of every binary member in the Dfns API."""
    return binascii.b2a_base64(data).translate(_TO_URL, b"=\n").decode()


def base64url_decode(text: str) -> bytes:
    """Decode base64url without ``=``.

    Raises:
        EncodingError: padding, a character outside the alphabet, or a length that encodes no bytes.
    """
    if not _BASE64URL.match(text):
        raise EncodingError("expected base64url without padding: letters, digits, '-' and '_'")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as error:
        raise EncodingError(f"not base64url: {len(text)} characters encode no bytes") from error
    if base64url_encode(data) != text:
        raise EncodingError("not base64url: its last character has bits set that encode nothing")
    return data


def ecdsa_der_from_raw(raw: bytes) -> bytes:
    """Convert an ECDSA signature from r‖s to DER.

    Args:
        raw: r and s as unsigned big-endian integers of equal length (32 bytes each on the curves
            that Dfns accepts), as PKCS#11, Azure Key Vault and JOSE write them.

    Returns:
        The ASN.1 DER ``SEQUENCE { INTEGER r, INTEGER s }`` that Dfns expects.

    Raises:
        EncodingError: the length is odd or zero, or r or s is zero.
    """
    if not raw or len(raw) % 2:
        raise EncodingError(f"expected r‖s as two integers of equal length, found {len(raw)} bytes")
    half = len(raw) // 2
    r, s = int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big")
    if not (r and s):
        raise EncodingError("r and s of an ECDSA signature are never zero")
    return encode_dss_signature(r, s)


def ecdsa_raw_from_der(der: bytes, *, size: int = 32) -> bytes:
    """Convert an ECDSA signature from DER to r‖s.

    Args:
        der: ASN.1 DER ``SEQUENCE { INTEGER r, INTEGER s }``.
        size: length in bytes of each integer in the result.

    Raises:
        EncodingError: not canonical DER, or r or s is out of range for that size.
    """
    r, s = ecdsa_integers(der)
    try:
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")
    except OverflowError as error:
        raise EncodingError(f"r or s does not fit into {size} bytes") from error


def check_ecdsa_form(der: bytes) -> None:
    """Refuse what is not canonical DER of an ECDSA signature on a curve of 256 bits.

    Raises:
        EncodingError: as ``ecdsa_integers``.
    """
    # Nearly all signatures are of a form that is seen five times as fast as it is parsed.
    if not _USUAL_DER.fullmatch(der):
        ecdsa_integers(der, bits=256)


def ecdsa_integers(der: bytes, bits: int | None = None) -> tuple[int, int]:
    """Read r and s from canonical DER.

    Args:
        der: ASN.1 DER ``SEQUENCE { INTEGER r, INTEGER s }``.
        bits: size of the curve, which r and s must fit.

    Raises:
        EncodingError: not DER, bytes behind it, or integers that are padded, zero, negative or too
            large for the curve.
    """
    try:
        r, s = decode_dss_signature(der)
    except ValueError as error:
        hint = "; this looks like r‖s, which must be converted" if len(der) == _RAW_BYTES else ""
        raise EncodingError(
            f"expected ECDSA r and s in ASN.1 DER, found {len(der)} other bytes{hint}"
        ) from error
    if r <= 0 or s <= 0:
        raise EncodingError("r and s of an ECDSA signature are positive")
    if bits is not None and (r | s).bit_length() > bits:
        raise EncodingError(f"r or s does not fit the {bits}-bit curve of the key")
    return r, s
