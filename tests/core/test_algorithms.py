"""The four signature schemes: which keys they accept, and what a signature must be."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import (
    dsa,
    ec,
    ed448,
    padding,
    rsa,
    x448,
    x25519,
)
from hypothesis import given
from hypothesis import strategies as st

from dfns_signers.algorithms import SCHEMES, Algorithm, algorithm_of, check_form, describe, verify
from dfns_signers.encodings import ecdsa_der_from_raw, ecdsa_integers, ecdsa_raw_from_der
from dfns_signers.errors import EncodingError, InvalidSignatureError, UnsupportedKeyError
from dfns_signers.public_keys import load_public_key, public_key_der, public_key_pem
from tests.core.keys import (
    ALGORITHMS,
    ECDSA,
    make_signature,
    private_key,
    public_der,
    public_key,
    public_pem,
    small_rsa_key,
    stranger,
)

MESSAGE = b'{"type":"key.get","challenge":"Y2g"}'

# Dfns documentation, request schemas of /auth/service-accounts and /auth/pats.
DFNS_PUBLIC_KEY = (
    r"^-----BEGIN (RSA )?PUBLIC KEY-----[A-Za-z0-9+/=\n\r\\]+-----END (RSA )?PUBLIC KEY-----\s?$"
)

REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "P-384": (lambda: ec.generate_private_key(ec.SECP384R1()), "curve key on secp384r1"),
    "P-521": (lambda: ec.generate_private_key(ec.SECP521R1()), "curve key on secp521r1"),
    "P-224": (lambda: ec.generate_private_key(ec.SECP224R1()), "curve key on secp224r1"),
    "brainpool": (lambda: ec.generate_private_key(ec.BrainpoolP256R1()), "on brainpoolP256r1"),
    "Ed448": (ed448.Ed448PrivateKey.generate, "an Ed448 key"),
    "X25519": (x25519.X25519PrivateKey.generate, "an X25519 key"),
    "X448": (x448.X448PrivateKey.generate, "an X448 key"),
    "DSA": (lambda: dsa.generate_private_key(1024), "a DSA key of 1024 bits"),
    "RSA-1024": (lambda: small_rsa_key(1024), "an RSA key of 1024 bits"),
    "RSA-2047": (lambda: small_rsa_key(2047), "an RSA key of 2047 bits"),
}


def test_table_holds_exactly_what_dfns_accepts() -> None:
    assert [str(algorithm) for algorithm in SCHEMES] == ["Ed25519", "ES256", "ES256K", "RS256"]
    assert set(SCHEMES) == set(Algorithm)


def test_algorithm_is_its_jose_name_wherever_text_is_expected() -> None:
    assert [f"{name}" for name in Algorithm] == list(ALGORITHMS)
    assert Algorithm("ES256K") == "ES256K"


@pytest.mark.parametrize("owner", ALGORITHMS)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_scheme_accepts_its_own_key_and_no_other(algorithm: str, owner: str) -> None:
    assert SCHEMES[Algorithm(algorithm)].accepts(public_key(owner)) is (algorithm == owner)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_algorithm_of_supported_key_is_found(algorithm: str) -> None:
    assert algorithm_of(public_key(algorithm)) == algorithm


@pytest.mark.parametrize("kind", REFUSED)
def test_algorithm_of_other_key_refused_with_what_was_found_and_what_is_supported(
    kind: str,
) -> None:
    generate, found = REFUSED[kind]

    with pytest.raises(UnsupportedKeyError, match=found) as caught:
        algorithm_of(generate().public_key())

    for supported in ("Ed25519", "P-256", "secp256k1", "RSA PKCS#1 v1.5, 2048"):
        assert supported in str(caught.value)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_algorithm_of_private_key_refused(algorithm: str) -> None:
    with pytest.raises(UnsupportedKeyError):
        algorithm_of(private_key(algorithm))


@pytest.mark.parametrize("kind", REFUSED)
def test_describe_private_key_same_as_its_public_key(kind: str) -> None:
    key = REFUSED[kind][0]()
    assert describe(key) == describe(key.public_key())


@pytest.mark.parametrize("thing", [None, b"key", 7])
def test_algorithm_of_no_key_refused(thing: object) -> None:
    with pytest.raises(UnsupportedKeyError, match=type(thing).__name__):
        algorithm_of(thing)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@given(message=st.binary(max_size=200))
def test_verify_signature_by_this_key_over_any_message_accepted(
    algorithm: str, message: bytes
) -> None:
    signature = make_signature(private_key(algorithm), message)

    verify(public_key(algorithm), message, signature)
    check_form(public_key(algorithm), signature)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("message", [b"", MESSAGE + b" ", MESSAGE[:-1]])
def test_verify_other_message_refused(algorithm: str, message: bytes) -> None:
    signature = make_signature(private_key(algorithm), MESSAGE)

    with pytest.raises(InvalidSignatureError, match="not by this key over this message"):
        verify(public_key(algorithm), message, signature)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_verify_signature_by_other_key_refused_though_its_form_is_right(algorithm: str) -> None:
    signature = make_signature(stranger(algorithm), MESSAGE)

    check_form(public_key(algorithm), signature)
    with pytest.raises(InvalidSignatureError):
        verify(public_key(algorithm), MESSAGE, signature)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize(
    "alter",
    [
        pytest.param(lambda _: b"", id="empty"),
        pytest.param(lambda signature: signature[:-1], id="too short"),
        pytest.param(lambda signature: signature + b"\0", id="trailing zero"),
        pytest.param(lambda signature: b"\0" + signature, id="leading zero"),
        pytest.param(lambda signature: signature + signature, id="twice"),
        pytest.param(lambda signature: signature.hex().encode(), id="hex"),
    ],
)
def test_check_form_other_length_refused(algorithm: str, alter: Callable[[bytes], bytes]) -> None:
    signature = alter(make_signature(private_key(algorithm), MESSAGE))

    with pytest.raises(EncodingError):
        check_form(public_key(algorithm), signature)
    with pytest.raises(EncodingError):
        verify(public_key(algorithm), MESSAGE, signature)


@pytest.mark.parametrize(
    ("algorithm", "length"), [("Ed25519", 63), ("Ed25519", 65), ("RS256", 255), ("RS256", 257)]
)
def test_check_form_wrong_length_refused_with_expected_and_found(
    algorithm: str, length: int
) -> None:
    expected = {"Ed25519": 64, "RS256": 256}[algorithm]

    with pytest.raises(EncodingError, match=f"expected {expected} bytes, found {length}"):
        check_form(public_key(algorithm), bytes(length))


@pytest.mark.parametrize("algorithm", ECDSA)
def test_check_form_ecdsa_raw_instead_of_der_refused_with_a_hint(algorithm: str) -> None:
    raw = ecdsa_raw_from_der(make_signature(private_key(algorithm), MESSAGE))

    with pytest.raises(EncodingError, match="looks like r‖s"):
        check_form(public_key(algorithm), raw)
    with pytest.raises(EncodingError, match="looks like r‖s"):
        verify(public_key(algorithm), MESSAGE, raw)


def _integers(der: bytes, *, padding: int = 0, length: bytes = b"") -> bytes:
    """r and s in BER, with zeros before them, or something before their length."""
    contents = [bytes(padding) + v.to_bytes(33, "big").lstrip(b"\0") for v in ecdsa_integers(der)]
    signed = [b"\0" * (not padding and content[0] > 127) + content for content in contents]
    return b"".join(b"\x02" + length + bytes([len(content)]) + content for content in signed)


def _sequence(content: bytes, *, length: bytes = b"") -> bytes:
    return b"\x30" + length + bytes([len(content)]) + content


@pytest.mark.parametrize("algorithm", ECDSA)
@pytest.mark.parametrize(
    "reencode",
    [
        pytest.param(lambda der: _sequence(_integers(der, padding=2)), id="padded integers"),
        pytest.param(lambda der: _sequence(_integers(der), length=b"\x81"), id="long length"),
        pytest.param(
            lambda der: _sequence(_integers(der, length=b"\x81")), id="long lengths of integers"
        ),
        pytest.param(lambda der: b"\x30\x80" + _integers(der) + bytes(2), id="indefinite length"),
        pytest.param(lambda der: _sequence(_integers(der) + b"\x05\0"), id="a third element"),
        pytest.param(lambda der: b"\x31" + _sequence(_integers(der))[1:], id="a set"),
    ],
)
def test_ecdsa_signature_that_is_valid_but_not_in_der_refused(
    algorithm: str, reencode: Callable[[bytes], bytes]
) -> None:
    der = make_signature(private_key(algorithm), MESSAGE)
    signature = reencode(der)

    assert _sequence(_integers(der)) == der
    with pytest.raises(EncodingError):
        check_form(public_key(algorithm), signature)
    with pytest.raises(EncodingError):
        verify(public_key(algorithm), MESSAGE, signature)


@pytest.mark.parametrize("algorithm", ECDSA)
def test_check_form_ecdsa_signature_of_a_larger_curve_refused(algorithm: str) -> None:
    p384 = ec.generate_private_key(ec.SECP384R1()).sign(MESSAGE, ec.ECDSA(hashes.SHA256()))

    with pytest.raises(EncodingError, match="256-bit curve"):
        check_form(public_key(algorithm), p384)
    with pytest.raises(EncodingError, match="256-bit curve"):
        verify(public_key(algorithm), MESSAGE, p384)


@pytest.mark.parametrize("algorithm", ECDSA)
def test_verify_ecdsa_over_another_digest_refused(algorithm: str) -> None:
    key = cast(ec.EllipticCurvePrivateKey, private_key(algorithm))
    signature = key.sign(MESSAGE, ec.ECDSA(hashes.SHA384()))

    with pytest.raises(InvalidSignatureError):
        verify(public_key(algorithm), MESSAGE, signature)


@pytest.mark.parametrize("algorithm", ECDSA)
def test_verify_ecdsa_high_s_accepted_as_dfns_has_no_low_s_rule(algorithm: str) -> None:
    order = {
        "ES256": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
        "ES256K": 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141,
    }[algorithm]
    raw = ecdsa_raw_from_der(make_signature(private_key(algorithm), MESSAGE))
    mirrored = (order - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")

    for s in (raw[32:], mirrored):
        verify(public_key(algorithm), MESSAGE, _der(raw[:32], s))


@pytest.mark.parametrize("salt", [0, 32])
def test_verify_rsa_pss_refused(salt: int) -> None:
    key = cast(rsa.RSAPrivateKey, private_key("RS256"))
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), salt)

    with pytest.raises(InvalidSignatureError):
        verify(public_key("RS256"), MESSAGE, key.sign(MESSAGE, pss, hashes.SHA256()))


def test_verify_rsa_modulus_that_fills_no_whole_bytes_accepts_the_rounded_up_length() -> None:
    key = small_rsa_key(2052)
    signature = make_signature(key, MESSAGE)

    assert len(signature) == 257
    verify(key.public_key(), MESSAGE, signature)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@given(garbage=st.binary(max_size=300))
def test_verify_garbage_refused_with_an_error_of_this_package(
    algorithm: str, garbage: bytes
) -> None:
    with pytest.raises((EncodingError, InvalidSignatureError)):
        verify(public_key(algorithm), MESSAGE, garbage)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_public_key_pem_is_what_dfns_takes(algorithm: str) -> None:
    pem = public_key_pem(public_key(algorithm))

    assert re.match(DFNS_PUBLIC_KEY, pem)
    assert pem.startswith("-----BEGIN PUBLIC KEY-----\n")
    assert serialization.load_pem_public_key(pem.encode()) == public_key(algorithm)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("form", [public_pem, public_der, lambda key: public_pem(key).decode()])
def test_load_public_key_pem_or_der_gives_the_key(
    algorithm: str, form: Callable[[Any], bytes | str]
) -> None:
    loaded = load_public_key(form(public_key(algorithm)))

    assert public_key_der(loaded) == public_der(public_key(algorithm))


@pytest.mark.parametrize("kind", REFUSED)
def test_load_public_key_of_another_kind_refused_with_what_was_found(kind: str) -> None:
    generate, found = REFUSED[kind]

    with pytest.raises(UnsupportedKeyError, match=found):
        load_public_key(public_pem(generate().public_key()))


@given(st.one_of(st.binary(), st.text(), st.binary().map(lambda data: b"-----BEGIN" + data)))
def test_load_public_key_anything_else_refused(data: bytes | str) -> None:
    with pytest.raises(UnsupportedKeyError, match="expected PEM"):
        load_public_key(data)


def _der(r: bytes, s: bytes) -> bytes:
    integers = b""
    for value in (r, s):
        minimal = value.lstrip(b"\0")
        signed = b"\0" + minimal if minimal[0] & 0x80 else minimal
        integers += bytes([2, len(signed)]) + signed
    return bytes([0x30, len(integers)]) + integers


@pytest.mark.parametrize("algorithm", ECDSA)
@pytest.mark.parametrize("large", [0, 1])
def test_ecdsa_integer_of_one_bit_more_than_the_curve_has_refused(
    algorithm: str, large: int
) -> None:
    key = public_key(algorithm)
    too_large = b"".join((2**256 if i == large else 1).to_bytes(33, "big") for i in (0, 1))

    check_form(key, ecdsa_der_from_raw((2**256 - 1).to_bytes(33, "big") * 2))
    with pytest.raises(EncodingError, match="256-bit curve"):
        check_form(key, ecdsa_der_from_raw(too_large))
