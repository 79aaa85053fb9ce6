from __future__ import annotations

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from dfns_signers.emulator import Emulator
from tests.emulator.caller import Caller, answered, compact, refused
from tests.emulator.keys import KINDS, PrivateKey, pem, private_key, sign

CURVES = {"p256": 32, "secp256k1": 32, "p384": 48, "p521": 66}


class Signer:
    """Sends one signature over one challenge."""

    def __init__(self, emulator: Emulator, caller: Caller, kind: str) -> None:
        self.key = private_key(kind)
        caller.credential_id = emulator.register(pem(self.key))
        self._caller = caller
        self._challenge = caller.challenge()
        self.client_data = compact({"type": "key.get", "challenge": self._challenge["challenge"]})

    def send(self, signature: bytes) -> object:
        factor = self._caller.signed_factor(self.client_data, signature)
        return answered(self._caller.complete(self._challenge, factor))

    def refused(self, signature: bytes, check: str, words: str, found: str | None = None) -> None:
        factor = self._caller.signed_factor(self.client_data, signature)
        response = self._caller.complete(self._challenge, factor)
        error = refused(response, 401, check, words)
        assert error["message"].startswith("Not Authorized.")
        if found is not None:
            assert error["details"]["found"] == found


def ecdsa(key: PrivateKey) -> ec.EllipticCurvePrivateKey:
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def rsa_key(key: PrivateKey) -> rsa.RSAPrivateKey:
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


@pytest.mark.parametrize("kind", KINDS)
def test_signature_by_the_registered_key_is_accepted(
    emulator: Emulator, caller: Caller, kind: str
) -> None:
    signer = Signer(emulator, caller, kind)

    signer.send(sign(signer.key, signer.client_data))


SCHEMES = {
    "ed25519": "Ed25519 without hashing them first",
    "rsa": "RSA PKCS#1 v1.5 with SHA-256",
    **dict.fromkeys(CURVES, "ECDSA with SHA-256"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("number", "more"), [(1, b""), (0, b" ")], ids=["key", "bytes"])
def test_signature_by_another_key_or_over_other_bytes_is_refused_with_what_is_expected(
    emulator: Emulator, caller: Caller, kind: str, number: int, more: bytes
) -> None:
    signer = Signer(emulator, caller, kind)

    signature = sign(private_key(kind, number), signer.client_data + more)

    words = f"{SCHEMES[kind]}; found: by another key, or over other bytes"
    signer.refused(signature, "signature.value", words, "")


@pytest.mark.parametrize("kind", KINDS)
def test_signature_over_a_digest_is_refused_and_named(
    emulator: Emulator, caller: Caller, kind: str
) -> None:
    signer = Signer(emulator, caller, kind)

    signature = sign(signer.key, hashlib.sha256(signer.client_data).digest())

    signer.refused(signature, "signature.value", "hashed once too often")


@pytest.mark.parametrize("kind", KINDS)
def test_signature_over_base64url_text_is_refused_and_named(
    emulator: Emulator, caller: Caller, kind: str
) -> None:
    signer = Signer(emulator, caller, kind)
    encoded = base64.urlsafe_b64encode(signer.client_data).rstrip(b"=")

    signer.refused(sign(signer.key, encoded), "signature.value", "base64url text")


@pytest.mark.parametrize("kind", CURVES)
@pytest.mark.parametrize("digest", [hashes.SHA384(), hashes.SHA512()], ids=["384", "512"])
def test_ecdsa_with_another_hash_is_refused_and_named(
    emulator: Emulator, caller: Caller, kind: str, digest: hashes.HashAlgorithm
) -> None:
    signer = Signer(emulator, caller, kind)

    signature = ecdsa(signer.key).sign(signer.client_data, ec.ECDSA(digest))

    signer.refused(
        signature, "signature.value", "ECDSA with SHA-256", f"with SHA-{digest.digest_size * 8}"
    )


@pytest.mark.parametrize("kind", CURVES)
def test_ecdsa_as_r_and_s_side_by_side_is_refused_and_named(
    emulator: Emulator, caller: Caller, kind: str
) -> None:
    signer = Signer(emulator, caller, kind)
    r, s = decode_dss_signature(sign(signer.key, signer.client_data))
    size = CURVES[kind]

    signer.refused(
        r.to_bytes(size, "big") + s.to_bytes(size, "big"), "signature.encoding", "IEEE P1363"
    )


def test_ecdsa_with_trailing_bytes_is_refused(emulator: Emulator, caller: Caller) -> None:
    signer = Signer(emulator, caller, "p256")

    signature = sign(signer.key, signer.client_data) + b"\0"

    signer.refused(signature, "signature.encoding", "ASN.1 DER of r and s")


def test_ecdsa_with_a_superfluous_zero_is_refused(emulator: Emulator, caller: Caller) -> None:
    signer = Signer(emulator, caller, "p256")
    r, s = decode_dss_signature(sign(signer.key, signer.client_data))

    integers = b"".join(
        bytes([2, len(content), *content])
        for content in (b"\0" * 2 + r.to_bytes(32, "big"), b"\0" + s.to_bytes(32, "big"))
    )

    signer.refused(
        bytes([0x30, len(integers)]) + integers, "signature.encoding", "ASN.1 DER of r and s"
    )


def test_ecdsa_with_a_long_form_length_is_refused(emulator: Emulator, caller: Caller) -> None:
    signer = Signer(emulator, caller, "p256")
    signature = sign(signer.key, signer.client_data)

    signer.refused(
        bytes([0x30, 0x81, *signature[1:]]), "signature.encoding", "ASN.1 DER of r and s"
    )


def test_ecdsa_with_both_numbers_zero_is_refused(emulator: Emulator, caller: Caller) -> None:
    signer = Signer(emulator, caller, "p256")

    signer.refused(bytes.fromhex("3006020100020100"), "signature.value", "by another key", "")


@pytest.mark.parametrize("spoil", [lambda text: text[:-1], lambda text: text + b"\0"])
def test_ed25519_of_another_length_is_refused(
    emulator: Emulator, caller: Caller, spoil: object
) -> None:
    signer = Signer(emulator, caller, "ed25519")
    assert callable(spoil)

    signature = spoil(sign(signer.key, signer.client_data))

    signer.refused(signature, "signature.encoding", "an Ed25519 signature has 64 bytes")


@pytest.mark.parametrize("spoil", [lambda text: text[:-1], lambda text: b"\0" + text])
def test_rsa_of_another_length_is_refused(
    emulator: Emulator, caller: Caller, spoil: object
) -> None:
    signer = Signer(emulator, caller, "rsa")
    assert callable(spoil)

    signature = spoil(sign(signer.key, signer.client_data))

    signer.refused(signature, "signature.encoding", "this RSA key has 256 bytes")


@pytest.mark.parametrize("salt", [padding.PSS.DIGEST_LENGTH, padding.PSS.MAX_LENGTH])
def test_rsa_pss_is_refused_and_named(emulator: Emulator, caller: Caller, salt: object) -> None:
    signer = Signer(emulator, caller, "rsa")
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), salt)  # type: ignore[arg-type]

    signature = rsa_key(signer.key).sign(signer.client_data, pss, hashes.SHA256())

    signer.refused(signature, "signature.value", "RSA PKCS#1 v1.5", "with RSA PSS padding")


@pytest.mark.parametrize("digest", [hashes.SHA384(), hashes.SHA512()], ids=["384", "512"])
def test_rsa_with_another_hash_is_refused_and_named(
    emulator: Emulator, caller: Caller, digest: hashes.HashAlgorithm
) -> None:
    signer = Signer(emulator, caller, "rsa")

    signature = rsa_key(signer.key).sign(signer.client_data, padding.PKCS1v15(), digest)

    signer.refused(
        signature, "signature.value", "RSA PKCS#1 v1.5", f"with SHA-{digest.digest_size * 8}"
    )


@pytest.mark.parametrize(
    ("registered", "signing"), [("ed25519", "p256"), ("p256", "ed25519"), ("rsa", "p256")]
)
def test_signature_of_another_algorithm_is_refused(
    emulator: Emulator, caller: Caller, registered: str, signing: str
) -> None:
    signer = Signer(emulator, caller, registered)

    signer.refused(
        sign(private_key(signing), signer.client_data), "signature.encoding", "signature"
    )


def test_high_s_is_accepted(emulator: Emulator, caller: Caller) -> None:
    """The Dfns docs know no low-S rule."""
    signer = Signer(emulator, caller, "secp256k1")
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    r, s = decode_dss_signature(sign(signer.key, signer.client_data))
    content = b"".join(
        bytes([2, len(data), *data])
        for data in (
            number.to_bytes(number.bit_length() // 8 + 1, "big")
            for number in (r, max(s, order - s))
        )
    )

    signer.send(bytes([0x30, len(content)]) + content)


def test_rsa_key_whose_bits_do_not_fill_whole_bytes_is_accepted(
    emulator: Emulator, caller: Caller
) -> None:
    signer = Signer(emulator, caller, "rsa-2052")

    assert signer.send(sign(signer.key, signer.client_data))
