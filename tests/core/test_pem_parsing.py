"""Which PEM is a key, and what is said of the PEM that is none."""

from __future__ import annotations

import base64
import datetime
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, x25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from dfns_signers.backends.pem.key import PemKey
from dfns_signers.backends.pem.parsing import parse_private_key
from dfns_signers.errors import SigningKeyError, UnsupportedKeyError
from tests.core.keys import (
    ALGORITHMS,
    ECDSA,
    private_key,
    private_pem,
    public_der,
    public_key,
    public_pem,
    small_rsa_key,
    stranger,
)

PASSPHRASE = b"correct horse \xf0\x9f\x90\x8e"
TRADITIONAL = PrivateFormat.TraditionalOpenSSL


def same_key(pem: bytes, algorithm: str, passphrase: bytes | None = None) -> bool:
    key = parse_private_key(pem, passphrase, "the test")
    return public_der(key.public_key()) == public_der(public_key(algorithm))


@cache
def certificate_pem() -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "dfns")])
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
    builder = x509.CertificateBuilder(name, name, public_key("ES256"), 1, now, now)
    return builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()).public_bytes(
        Encoding.PEM
    )


def request_pem() -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "dfns")])
    builder = x509.CertificateSigningRequestBuilder(name)
    return builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()).public_bytes(
        Encoding.PEM
    )


def pss_pem() -> bytes:
    """PKCS#8 (RFC 5208) of an RSA key whose algorithm identifier is id-RSASSA-PSS (RFC 4055)."""
    pss = bytes.fromhex("300b06092a864886f70d01010a")
    key = private_key("RS256").private_bytes(Encoding.DER, TRADITIONAL, NoEncryption())
    content = bytes.fromhex("020100") + pss + b"\x04\x82" + len(key).to_bytes(2, "big") + key
    der = b"\x30\x82" + len(content).to_bytes(2, "big") + content
    text = base64.encodebytes(der)
    return b"-----BEGIN PRIVATE KEY-----\n" + text + b"-----END PRIVATE KEY-----\n"


def damaged_pem() -> bytes:
    lines = private_pem(private_key("ES256")).splitlines()
    return b"\n".join([lines[0], lines[1], lines[-1]])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_pkcs8_is_read(algorithm: str) -> None:
    assert same_key(private_pem(private_key(algorithm)), algorithm)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_encrypted_pkcs8_is_read_with_its_passphrase(algorithm: str) -> None:
    assert same_key(private_pem(private_key(algorithm), PASSPHRASE), algorithm, PASSPHRASE)


@pytest.mark.parametrize("algorithm", [*ECDSA, "RS256"])
def test_sec1_and_pkcs1_are_read(algorithm: str) -> None:
    pem = private_pem(private_key(algorithm), form=TRADITIONAL)

    label = b"RSA" if algorithm == "RS256" else b"EC"
    assert pem.startswith(b"-----BEGIN %s PRIVATE KEY-----" % label)
    assert same_key(pem, algorithm)


@pytest.mark.parametrize("algorithm", ["Ed25519", "ES256", "RS256"])
def test_openssh_is_read(algorithm: str) -> None:
    pem = private_pem(private_key(algorithm), form=PrivateFormat.OpenSSH)

    assert pem.startswith(b"-----BEGIN OPENSSH PRIVATE KEY-----")
    assert same_key(pem, algorithm)
    assert same_key(pem.replace(b"\n", b"\\n"), algorithm)
    with pytest.raises(SigningKeyError, match="is not encrypted, though a passphrase"):
        parse_private_key(pem, PASSPHRASE, "the test")


@pytest.mark.parametrize("algorithm", [*ECDSA, "RS256"])
def test_legacy_encrypted_sec1_and_pkcs1_are_read_with_their_passphrase(algorithm: str) -> None:
    pem = private_pem(private_key(algorithm), PASSPHRASE, TRADITIONAL)

    assert b"Proc-Type: 4,ENCRYPTED" in pem
    assert same_key(pem, algorithm, PASSPHRASE)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize(
    "rewrite",
    [
        pytest.param(lambda pem: pem.replace(b"\n", b"\r\n"), id="CRLF"),
        pytest.param(lambda pem: pem.replace(b"\n", rb"\n"), id="literal backslash n"),
        pytest.param(lambda pem: pem.replace(b"\n", rb"\r\n"), id="literal backslash r n"),
        pytest.param(lambda pem: b"# production\nKEY=\n" + pem, id="text before"),
        pytest.param(lambda pem: pem + b"\nkept by ops\n", id="text behind"),
        pytest.param(lambda pem: b"\xef\xbb\xbf" + pem, id="byte order mark"),
        pytest.param(lambda pem: pem.rstrip(), id="no newline at the end"),
        pytest.param(lambda pem: pem.replace(b"\n", b" "), id="spaces for newlines"),
        pytest.param(lambda pem: pem.replace(b"\n", b"\n    "), id="indented"),
        pytest.param(lambda pem: certificate_pem() + pem, id="certificate before"),
        pytest.param(lambda pem: pem + public_pem(public_key("ES256")), id="public key behind"),
    ],
)
def test_key_is_read_however_it_was_written_down(
    algorithm: str, rewrite: Callable[[bytes], bytes]
) -> None:
    assert same_key(rewrite(private_pem(private_key(algorithm))), algorithm)


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "P-384": (lambda: private_pem(ec.generate_private_key(ec.SECP384R1())), "on secp384r1"),
    "P-521 SEC1": (
        lambda: private_pem(ec.generate_private_key(ec.SECP521R1()), form=TRADITIONAL),
        "on secp521r1",
    ),
    "brainpool": (
        lambda: private_pem(ec.generate_private_key(ec.BrainpoolP256R1())),
        "on brainpoolP256r1",
    ),
    "Ed448": (lambda: private_pem(ed448.Ed448PrivateKey.generate()), "an Ed448 key"),
    "X25519": (lambda: private_pem(x25519.X25519PrivateKey.generate()), "an X25519 key"),
    "RSA for PSS alone": (pss_pem, "for RSASSA-PSS alone"),
    "DSA": (lambda: private_pem(dsa.generate_private_key(1024)), "a DSA key of 1024 bits"),
    "RSA-1024": (lambda: private_pem(small_rsa_key(1024)), "an RSA key of 1024 bits"),
    "RSA-2047 PKCS#1": (
        lambda: private_pem(small_rsa_key(2047), form=TRADITIONAL),
        "an RSA key of 2047 bits",
    ),
    "DSA traditional": (
        lambda: private_pem(dsa.generate_private_key(1024), form=TRADITIONAL),
        "of the kind 'DSA PRIVATE KEY'",
    ),
    "certificate": (
        certificate_pem,
        r"'CERTIFICATE' \(the private key that belongs to it is needed\)",
    ),
    "certificate request": (request_pem, "'CERTIFICATE REQUEST'"),
    "public key": (
        lambda: public_pem(public_key("ES256")),
        r"'PUBLIC KEY' \(the private key of the pair",
    ),
    "RSA public key": (
        lambda: small_rsa_key(1024).public_key().public_bytes(Encoding.PEM, PublicFormat.PKCS1),
        r"'RSA PUBLIC KEY' \(the private key of the pair",
    ),
    "OpenSSH, P-384": (
        lambda: private_pem(ec.generate_private_key(ec.SECP384R1()), form=PrivateFormat.OpenSSH),
        "is unusable: ",
    ),
    "OpenSSH, damaged": (
        lambda: (
            private_pem(private_key("Ed25519"), form=PrivateFormat.OpenSSH)[:60]
            + b"\n-----END OPENSSH PRIVATE KEY-----\n"
        ),
        "cannot be read: the PEM is damaged",
    ),
    "two keys": (
        lambda: private_pem(private_key("ES256")) + private_pem(stranger("ES256")),
        "2 private keys.*keep one",
    ),
    "same key twice": (lambda: private_pem(private_key("ES256")) * 2, "2 private keys"),
    "empty": (lambda: b"", "is empty; expected"),
    "white space": (lambda: b" \n\t\r\n", "is empty; expected"),
    "text": (lambda: b"not a key", "holds no complete PEM"),
    "DER": (
        lambda: private_key("ES256").private_bytes(
            Encoding.DER, PrivateFormat.PKCS8, NoEncryption()
        ),
        "holds no complete PEM",
    ),
    "truncated": (lambda: private_pem(private_key("RS256"))[:-40], "holds no complete PEM"),
    "without its head": (lambda: private_pem(private_key("RS256"))[40:], "holds no complete PEM"),
    "labels that differ": (
        lambda: private_pem(private_key("ES256")).replace(b"END PRIVATE", b"END EC PRIVATE"),
        "holds no complete PEM",
    ),
    "lines missing": (damaged_pem, "cannot be read: the PEM is damaged"),
    "empty block": (
        lambda: b"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----",
        "cannot be read: the PEM is damaged",
    ),
}
AMBIGUOUS = ("two keys", "same key twice")


@pytest.mark.parametrize("kind", REFUSED)
def test_anything_else_refused_with_where_it_is_and_what_was_found(kind: str) -> None:
    make, found = REFUSED[kind]

    with pytest.raises(UnsupportedKeyError, match=found) as caught:
        parse_private_key(make(), None, "file /etc/dfns/key.pem")

    assert "file /etc/dfns/key.pem" in str(caught.value)


@pytest.mark.parametrize("kind", [kind for kind in REFUSED if kind not in AMBIGUOUS])
def test_anything_else_refused_with_what_is_supported(kind: str) -> None:
    with pytest.raises(UnsupportedKeyError) as caught:
        parse_private_key(REFUSED[kind][0](), None, "the test")

    message = str(caught.value)
    by_algorithm = all(name in message for name in ("Ed25519", "P-256", "secp256k1", "RSA PKCS#1"))
    by_form = all(name in message for name in ("PKCS#8", "SEC1", "PKCS#1"))
    assert by_algorithm or by_form


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("passphrase", [None, b""])
def test_encrypted_key_without_passphrase_refused_with_how_to_give_one(
    algorithm: str, passphrase: bytes | None
) -> None:
    pem = private_pem(private_key(algorithm), PASSPHRASE)

    with pytest.raises(SigningKeyError, match=r"is encrypted: set .*passphrase = \{ env"):
        parse_private_key(pem, passphrase, "the test")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("wrong", [b"x", PASSPHRASE + b" ", PASSPHRASE.upper(), b"x" * 5000])
def test_encrypted_key_with_another_passphrase_refused(algorithm: str, wrong: bytes) -> None:
    pem = private_pem(private_key(algorithm), PASSPHRASE)

    with pytest.raises(SigningKeyError, match="the passphrase is wrong, or"):
        parse_private_key(pem, wrong, "the test")


def test_legacy_encrypted_key_with_another_passphrase_refused() -> None:
    pem = private_pem(private_key("ES256"), PASSPHRASE, TRADITIONAL)

    with pytest.raises(SigningKeyError, match="the passphrase is wrong, or"):
        parse_private_key(pem, b"x", "the test")
    with pytest.raises(SigningKeyError, match="is encrypted"):
        parse_private_key(pem, None, "the test")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_plain_key_with_a_needless_passphrase_refused(algorithm: str) -> None:
    with pytest.raises(SigningKeyError, match="is not encrypted, though a passphrase"):
        parse_private_key(private_pem(private_key(algorithm)), PASSPHRASE, "the test")


@pytest.mark.parametrize("kind", ["P-384", "DSA", "RSA-1024", "X25519"])
def test_key_object_of_an_unsupported_kind_cannot_become_a_signing_key(kind: str) -> None:
    keys: dict[str, Callable[[], Any]] = {
        "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
        "DSA": lambda: dsa.generate_private_key(1024),
        "RSA-1024": lambda: small_rsa_key(1024),
        "X25519": x25519.X25519PrivateKey.generate,
    }

    with pytest.raises(UnsupportedKeyError):
        PemKey(keys[kind](), reference="the test")
