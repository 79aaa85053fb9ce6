"""A browser with an authenticator, in software: it makes passkeys and signs with them."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from fido2 import cbor
from fido2.cose import ES256, RS256, CoseKey, EdDSA

from tests.emulator.attestation_certificates import attestation_certificate
from tests.emulator.caller import b64url, compact
from tests.emulator.keys import PrivateKey, private_key, sign

Json: TypeAlias = dict[str, Any]
Bytes: TypeAlias = Callable[[bytes], bytes]
Change: TypeAlias = Callable[[Json], None]
Attestation: TypeAlias = Literal["none", "packed-self", "packed-x5c"]

USER_PRESENT, USER_VERIFIED, ATTESTED = 0x01, 0x04, 0x40
AAGUID = bytes(range(16))


def unchanged(_: Json) -> None:
    pass


@dataclass
class Passkey:
    """A key pair of one site.

    Attributes:
        handle: what the site calls the user.
        counter: how often it has signed; stays 0 if the authenticator does not count.
    """

    credential_id: str
    key: PrivateKey
    handle: bytes = b""
    counter: int = 0


@dataclass
class Authenticator:
    """Makes passkeys for the answers to challenges, and answers as ``@dfns/sdk-browser`` does.

    Attributes:
        origin: of the page that asks.
        rp_id: relying party that the page names.
        attestation: how a new passkey is attested.
        key_kind: kind of new keys: ``p256``, ``ed25519`` or ``rsa``.
        flags: user present and user verified.
        counts: whether each signature has a higher counter.
        encodes_challenge: whether the page gives the browser the bytes of the challenge's text, as
            the official SDK does, and not the bytes that the text encodes.
    """

    origin: str = "http://localhost:8000"
    rp_id: str = "localhost"
    attestation: Attestation = "none"
    key_kind: str = "p256"
    flags: int = USER_PRESENT | USER_VERIFIED
    counts: bool = True
    encodes_challenge: bool = True
    passkeys: dict[str, Passkey] = field(default_factory=dict)

    def hold(self, key: PrivateKey, credential_id: str) -> Passkey:
        """Take over a key that was registered by its public key."""
        self.passkeys[credential_id] = Passkey(credential_id, key)
        return self.passkeys[credential_id]

    def create(
        self,
        options: Json,
        *,
        client_data: Change = unchanged,
        authenticator_data: Bytes = bytes,
        statement: Change = unchanged,
    ) -> Json:
        """``credentialInfo`` of a new passkey, for the answer to a challenge of registration.

        The keywords spoil client data and authenticator data before they are signed, and the
        attestation statement afterwards.
        """
        key = private_key(self.key_kind, len(self.passkeys) + 100)
        raw_id = secrets.token_bytes(16)
        passkey = Passkey(b64url(raw_id), key, options["user"]["id"].encode())
        written = self._client_data("webauthn.create", options, client_data)
        attested = AAGUID + len(raw_id).to_bytes(2, "big") + raw_id + cbor.encode(cose_key(key))
        data = authenticator_data(self._authenticator_data(passkey, ATTESTED) + attested)
        made = self._statement(key, data + hashlib.sha256(written).digest())
        statement(made)
        self.passkeys[passkey.credential_id] = passkey
        name = self.attestation.partition("-")[0]
        attestation = cbor.encode({"fmt": name, "attStmt": made, "authData": data})
        return {
            "credId": passkey.credential_id,
            "clientData": b64url(written),
            "attestationData": b64url(attestation),
        }

    def get(
        self,
        options: Json,
        *,
        client_data: Change = unchanged,
        authenticator_data: Bytes = bytes,
    ) -> Json:
        """The factor that signs a challenge, with the first allowed passkey that it has."""
        passkey = self._allowed(options)
        if self.counts:
            passkey.counter += 1
        written = self._client_data("webauthn.get", options, client_data)
        data = authenticator_data(self._authenticator_data(passkey))
        assertion = {
            "credId": passkey.credential_id,
            "clientData": b64url(written),
            "authenticatorData": b64url(data),
            "signature": b64url(sign(passkey.key, data + hashlib.sha256(written).digest())),
            "userHandle": b64url(passkey.handle),
        }
        return {"kind": "Fido2", "credentialAssertion": assertion}

    def _allowed(self, options: Json) -> Passkey:
        listed = [entry["id"] for entry in options["allowCredentials"]["webauthn"]]
        return next(
            self.passkeys[name] for name in listed or self.passkeys if name in self.passkeys
        )

    def _client_data(self, kind: str, options: Json, change: Change) -> bytes:
        challenge = options["challenge"]
        if self.encodes_challenge:
            challenge = b64url(challenge.encode())
        content = {
            "type": kind,
            "challenge": challenge,
            "origin": self.origin,
            "crossOrigin": False,
        }
        change(content)
        return compact(content)

    def _authenticator_data(self, passkey: Passkey, more_flags: int = 0) -> bytes:
        hashed = hashlib.sha256(self.rp_id.encode()).digest()
        return hashed + bytes([self.flags | more_flags]) + passkey.counter.to_bytes(4, "big")

    def _statement(self, key: PrivateKey, message: bytes) -> Json:
        if self.attestation == "none":
            return {}
        if self.attestation == "packed-self":
            return {"alg": cose_key(key).ALGORITHM, "sig": sign(key, message)}
        signer, certificate = attestation_certificate(AAGUID)
        return {"alg": ES256.ALGORITHM, "sig": sign(signer, message), "x5c": [certificate]}


_COSE: dict[type, Any] = {
    ec.EllipticCurvePrivateKey: ES256,
    ed25519.Ed25519PrivateKey: EdDSA,
    rsa.RSAPrivateKey: RS256,
}


def cose_key(key: PrivateKey) -> CoseKey:
    """The public key as authenticators write it."""
    kind = next(kind for known, kind in _COSE.items() if isinstance(key, known))
    made: CoseKey = kind.from_cryptography_key(key.public_key())
    return made


AUTHENTICATOR_DATA = hashlib.sha256(b"localhost").digest() + b"\x05" + b"\0\0\0\1"


def passkey_factor(
    challenge: Json,
    key: PrivateKey,
    credential_id: str,
    *,
    authenticator_data: bytes = AUTHENTICATOR_DATA,
    kind: str = "webauthn.get",
) -> Json:
    """A Fido2 factor as a browser makes it."""
    client_data = compact(
        {"type": kind, "challenge": challenge["challenge"], "origin": "http://localhost"}
    )
    message = authenticator_data + hashlib.sha256(client_data).digest()
    assertion = {
        "credId": credential_id,
        "clientData": b64url(client_data),
        "authenticatorData": b64url(authenticator_data),
        "signature": b64url(sign(key, message)),
    }
    return {"kind": "Fido2", "credentialAssertion": assertion}
