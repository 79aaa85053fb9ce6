"""What an authenticator writes: authenticator data and attestation objects (WebAuthn, level 2).

CBOR, COSE and attestation statements are read by the library ``fido2``, which is imported when the
first passkey is seen.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from dfns_signers.emulator.credentials.relying_party import RelyingParty
from dfns_signers.emulator.credentials.signatures import PublicKey, load_public_key
from dfns_signers.emulator.requests.messages import CheckName, Refusal, bad_request, unauthorized
from dfns_signers.emulator.requests.wire import kind_of, to_base64url

if TYPE_CHECKING:
    from fido2.webauthn import AttestationObject, AuthenticatorData

# COSE (RFC 9053): members of a key, and values of them that are accepted.
_KTY, _ALG, _CRV, _X, _Y, _N, _E = 1, 3, -1, -2, -3, -1, -2
_OKP, _EC2, _RSA = 1, 2, 3
_EDDSA, _ES256, _RS256 = -8, -7, -257
_P256, _ED25519 = 1, 6
_COORDINATE_BYTES: Final = 32
_MAXIMUM_ID_BYTES: Final = 1023  # WebAuthn, level 2, section 7.1
ALGORITHMS: Final = (_EDDSA, _ES256, _RS256)
"""COSE algorithms of passkeys, as challenges offer them."""

_MALFORMED: Final = (ValueError, LookupError, TypeError, AttributeError, struct.error)
_MALFORMED_CBOR: Final = (*_MALFORMED, RecursionError, OverflowError)


def read_authenticator_data(where: str, data: bytes, site: RelyingParty) -> AuthenticatorData:
    """Parsed authenticator data; refused unless it is of the site and of a verified user."""
    from fido2.webauthn import AuthenticatorData  # noqa: PLC0415 - optional package

    try:
        parsed = AuthenticatorData(data)
    except _MALFORMED_CBOR as error:
        raise bad_request(
            "authenticatorData", f"{where} is not valid authenticator data: {error}."
        ) from None
    check_authenticator_data(where, parsed, site)
    return parsed


def check_authenticator_data(where: str, data: AuthenticatorData, site: RelyingParty) -> None:
    """Refuse data of another relying party, or without the user's presence and verification."""
    if not isinstance(data.extensions, (dict, type(None))):
        raise bad_request(
            "authenticatorData", f"Extension data in {where} is not a CBOR map of them."
        )
    if data.rp_id_hash != site.id_hash:
        raise _refused(
            "authenticatorData.rpId",
            f"{where} has the hash of another relying party id than {site.rp_id}",
            "the page passes another rp.id or rpId, or the emulator needs another rp_id",
        )
    if not data.is_user_present():
        raise _refused(
            "authenticatorData.userPresent", f"{where} lacks the flag UP", "the user was absent"
        )
    if not data.is_user_verified():
        raise _refused(
            "authenticatorData.userVerified",
            f"{where} lacks the flag UV, and userVerification is required",
            "the user did not enter a PIN or the like",
        )
    if data.is_backed_up() and not data.is_backup_eligible():
        raise _refused(
            "authenticatorData.backup", f"{where} has the flag BS without BE", "that cannot be"
        )


def check_counter(where: str, last: int, found: int) -> None:
    """Refuse a signature counter that did not grow, unless the authenticator does not count."""
    if (last or found) and found <= last:
        raise _refused(
            "authenticatorData.counter",
            f"{where} has the signature counter {found}, and the last was {last}",
            "the assertion is repeated, or the authenticator was cloned",
        )


def read_attestation(
    where: str, encoded: bytes, client_data: bytes, site: RelyingParty
) -> tuple[str, str, int]:
    """Credential id, PEM of the public key, and counter of an attestation object.

    Refused unless the attestation is right; attestation certificates may be of any maker.
    """
    attestation = _attestation_object(where, encoded)
    data = attestation.auth_data
    check_authenticator_data(f"authData in {where}", data, site)
    if data.credential_data is None:
        raise bad_request(
            "attestation.object", f"authData in {where} lacks the flag AT: it has no new key."
        )
    raw_id = data.credential_data.credential_id
    if not 1 <= len(raw_id) <= _MAXIMUM_ID_BYTES:
        raise bad_request(
            "attestation.object",
            f"authData in {where} has a credential id of {len(raw_id)} bytes: expected 1 to"
            f" {_MAXIMUM_ID_BYTES}.",
        )
    _check_statement(where, attestation, client_data)
    pem = _pem(where, data.credential_data.public_key)
    return to_base64url(raw_id), pem, data.counter


def _attestation_object(where: str, encoded: bytes) -> AttestationObject:
    from fido2 import cbor  # noqa: PLC0415 - optional package
    from fido2.webauthn import AttestationObject  # noqa: PLC0415 - optional package

    try:
        # The library takes a string that ends too early for what there is of it: here it would
        # take the byte that follows, too.
        content, rest = cbor.decode_from(encoded + b"\0")
        if rest != b"\0":
            raise ValueError("it ends too early or too late")
        _require_members(content)
        return AttestationObject(encoded)
    except _MALFORMED_CBOR as error:
        raise bad_request(
            "attestation.object",
            f"{where} is not an attestation object, CBOR with fmt, authData and attStmt: {error}.",
        ) from None


def _require_members(content: Any) -> None:
    for name, kind in (("fmt", str), ("authData", bytes), ("attStmt", dict)):
        if not isinstance(content[name], kind):
            raise TypeError(f"{name} is {kind_of(content[name])}")


def _check_statement(where: str, attestation: AttestationObject, client_data: bytes) -> None:
    import fido2.attestation  # noqa: PLC0415 - optional package; registers every format
    from fido2.attestation.base import UnsupportedType  # noqa: PLC0415

    digest = hashlib.sha256(client_data).digest()
    try:
        verifier = fido2.attestation.base.Attestation.for_type(attestation.fmt)()
        verifier.verify(attestation.att_stmt, attestation.auth_data, digest)
    except UnsupportedType:
        raise bad_request(
            "attestation.format", f'The format "{attestation.fmt}" of {where} is not known.'
        ) from None
    except Exception as error:  # noqa: BLE001 - it lets through what the libraries below it raise
        raise bad_request(
            "attestation.statement",
            f"attStmt in {where} does not attest the key: {str(error) or type(error).__name__}.",
        ) from None


def _pem(where: str, key: Mapping[int, Any]) -> str:
    try:
        made = _public_key(key)
        encoded = made.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        pem = encoded.decode("ascii").rstrip("\n")
        load_public_key(pem)
    except _MALFORMED as error:
        raise bad_request("publicKey", f"The public key in {where}: {error}.") from None
    return pem


def _public_key(key: Mapping[int, Any]) -> PublicKey:
    """The key of a COSE map.

    Raises:
        ValueError: it is of another algorithm than challenges offer, or not on its curve.
        LookupError: a member is missing.
    """
    kind = (key[_KTY], key[_ALG])
    if kind == (_EC2, _ES256) and key[_CRV] == _P256:
        x, y = key[_X], key[_Y]
        if len(x) == len(y) == _COORDINATE_BYTES:
            curve = ec.SECP256R1()
            return ec.EllipticCurvePublicKey.from_encoded_point(curve, b"\x04" + x + y)
    if kind == (_OKP, _EDDSA) and key[_CRV] == _ED25519:
        return ed25519.Ed25519PublicKey.from_public_bytes(key[_X])
    if kind == (_RSA, _RS256):
        n, e = (int.from_bytes(key[member], "big") for member in (_N, _E))
        return rsa.RSAPublicNumbers(e, n).public_key()
    raise ValueError("expected ES256 on P-256, EdDSA on Ed25519 or RS256 in COSE")


def _refused(check: CheckName, what: str, hint: str) -> Refusal:
    return unauthorized(check, f"Not Authorized. {what}: {hint}.")
