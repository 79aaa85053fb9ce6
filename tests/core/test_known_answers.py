"""Keys, fingerprints and signatures that openssl made: read them, never regenerate them."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

import pytest

from dfns_signers.algorithms import algorithm_of, verify
from dfns_signers.errors import ConfigurationError
from dfns_signers.public_keys import fingerprint, load_public_key, parse_fingerprint, public_key_pem
from dfns_signers.signing_key import SigningKey
from tests.core.keys import ALGORITHMS, AnsweringKey, public_der, public_key

MESSAGE = b"hello dfns"


@dataclass(frozen=True)
class Known:
    """One key pair of openssl 3.0.

    openssl pkey -in KEY -pubout
    openssl pkey -in KEY -pubout -outform DER | sha256sum
    openssl dgst -sha256 -sign KEY MESSAGE | base64    (Ed25519: openssl pkeyutl -sign -rawin)
    """

    algorithm: str
    pem: str
    digest: str
    signature: str


KNOWN = [
    Known(
        "Ed25519",
        """\
-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAhFHfOvAEPC+59J1QkBoFpUKIes9SDKrswcNwC5gILL0=
-----END PUBLIC KEY-----
""",
        "42cb8f23b79b9608e1cba7d43513e7a336640b66c86db5bbe2de8fc6b882dca4",
        "Lc9Ho3uLZ1vz243JDsCBVAWLxWKXKYav1XsXu8oR1IzYAUz42HNNr991VZe83E7fW1fG8BY1hsLk/ZzgXxdaDg==",
    ),
    Known(
        "ES256",
        """\
-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEgvkHERB6gmLVmaSO2N6yZev7ddqD
GoMYf6YT61WM1iy93lW29FlZ7+uSUyuD3yfB/ryiD+AIsDtgGhO59cbRaQ==
-----END PUBLIC KEY-----
""",
        "c40e87f8b43a9453eb2e966404cf088dd15870facb81b6dfd087c466b4d1a7d8",
        "MEYCIQD/zXaNI4kUsI7ocpopF7splegzkzUZFiGW5Bj5aluMmwIhAKZetalb/KYN"
        "nDYNfCzXIqVm9Sx6jiLxLfXjCjG9R9G4",
    ),
    Known(
        "ES256K",
        """\
-----BEGIN PUBLIC KEY-----
MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAEDNGlsx9krPh7ieRFv3kONbKk+p2pFFCt
ND7j2BfmJT7T1mZa92VBoWKEDSJi7Tz/ZK+EqBsSPkbBLbsWIl+Hvg==
-----END PUBLIC KEY-----
""",
        "1de1b175a06cf2bdd5303ee4727c7aca9bbd2f9f00433b54f7eb09383c1a0018",
        "MEUCIQCX7jeWanL8KPp16EgXz7gc+qpA6ZMHUciY1fV05V8e9wIgYHemJZiosiGt"
        "OG7LZciIWR0if7P9LDJbKXmeK1YcOzw=",
    ),
    Known(
        "RS256",
        """\
-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA4hpwR3J3yMZwWPyfTKpV
lD9JOEj+dACiJBtH9dxSL62rk6JtLqQ65j/5dMQhKdqlTOJATcyWOiOtZjfmATzG
xuUs4fUD6+isk73QTXfFiKWTmaTO/gU8aK2ombxTM23Q7FJoSASlBphqm9rLMgGs
xup9w2FEjsjxM0QE3z8nx8y8GJBzhZJWHFD0yo2Uo2zbPLkHjMQ//CgcsgwRmwm1
cUXGo34ZUkM4yr/H8MneW38Qm/1OUr7YoX+1oe3WjypvyNNhqpTZ2MHyYjwIQJ0q
zTHoq8j7Uw8VjUKOUheLy0FuAinieKhFgjU0LU6XSIgw9M4O8YJIxX4bvlhGI0vb
FwIDAQAB
-----END PUBLIC KEY-----
""",
        "dbe7a4c6af4e5ae7aa4b0e9715acc6d3926f8e24b7b586c3c5e0810c22c3997e",
        "OXjyageTqQimuOb0eNMy3a4IZkSmgjF7duQY+WgpPgTnHCGzvIOh6RLRooZLXeAd"
        "ehjn7grbCGJpDVpmIwwEah2RLCi8182iHOEy3exqwEfHxEOhnsao00acK4ZNVJGq"
        "mEHv2MXSm2ziSONerbWtltKy2q4gz/wCjIpe7B5tWSmdNw19GX/KBf7L06lbOmcm"
        "FjDU7Ww1fk7Ls4uHHChiViDl+xsCvMR0gY/6KtafCjegYDSy7ahZntJzxMwXnce6"
        "JO0c8QU8TwoOAgoOs5sNypagEAL6ZxOyeLBtH4fBeM9M+Jn/uogl/2b6cLGmJ7j1"
        "oFRRNCKBd+K9drJsXd8L3A==",
    ),
]

DIGEST = KNOWN[0].digest
SPELLINGS = [
    "sha256:" + DIGEST,
    DIGEST,
    DIGEST.upper(),
    "SHA256:" + DIGEST.upper(),
    f"  sha256:{DIGEST}\n",
    ":".join(DIGEST[at : at + 2] for at in range(0, 64, 2)),
]
NO_FINGERPRINTS = [
    "",
    "sha256:",
    DIGEST[:-1],
    DIGEST + "0",
    "g" + DIGEST[1:],
    "md5:" + DIGEST,
    "sha1:" + DIGEST[:40],
    DIGEST + "\n" + DIGEST,
    "sha256:" + "٣" * 64,
    DIGEST[:32] + " " + DIGEST[32:],
]


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.algorithm)
def test_openssl_key_is_read_with_its_algorithm_and_written_back_unchanged(known: Known) -> None:
    key = load_public_key(known.pem)

    assert algorithm_of(key) == known.algorithm
    assert public_key_pem(key) == known.pem


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.algorithm)
def test_openssl_key_fingerprint_is_the_sha256_that_openssl_shows(known: Known) -> None:
    assert fingerprint(load_public_key(known.pem)) == "sha256:" + known.digest


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.algorithm)
def test_openssl_signature_is_accepted(known: Known) -> None:
    verify(load_public_key(known.pem), MESSAGE, base64.b64decode(known.signature))


def test_rfc_8032_signature_is_accepted() -> None:
    # RFC 8032, 7.1, TEST 2; the prefix is the SubjectPublicKeyInfo header of RFC 8410.
    public = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    signature = (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )

    key = load_public_key(bytes.fromhex("302a300506032b6570032100" + public))

    verify(key, b"\x72", bytes.fromhex(signature))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_fingerprint_is_the_sha256_of_the_der(algorithm: str) -> None:
    digest = hashlib.sha256(public_der(public_key(algorithm))).hexdigest()

    assert fingerprint(public_key(algorithm)) == "sha256:" + digest


@pytest.mark.parametrize("text", SPELLINGS)
def test_parse_fingerprint_every_spelling_gives_one(text: str) -> None:
    assert parse_fingerprint(text) == "sha256:" + DIGEST


@pytest.mark.parametrize("text", NO_FINGERPRINTS)
def test_parse_fingerprint_anything_else_refused_with_the_form_and_the_command(text: str) -> None:
    with pytest.raises(ConfigurationError, match="64 hex digits") as caught:
        parse_fingerprint(text)
    assert "dfns-signers public-key" in str(caught.value)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_fingerprint_of_an_opened_key_is_that_of_its_public_key(algorithm: str) -> None:
    key: SigningKey = AnsweringKey(algorithm)

    digest = hashlib.sha256(public_der(public_key(algorithm))).hexdigest()
    assert key.fingerprint == "sha256:" + digest
