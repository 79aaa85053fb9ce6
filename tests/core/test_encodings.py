"""base64url without padding, and the two encodings of an ECDSA signature."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from hypothesis import example, given
from hypothesis import strategies as st

from dfns_signers.encodings import (
    base64url_decode,
    base64url_encode,
    check_ecdsa_form,
    ecdsa_der_from_raw,
    ecdsa_integers,
    ecdsa_raw_from_der,
)
from dfns_signers.errors import EncodingError
from tests.core.keys import ECDSA, make_signature, private_key

integers_of_256_bits = st.integers(min_value=1, max_value=2**256 - 1)

# SEQUENCE of two INTEGERs, written from X.690: r = 1 and s = 2, and r = s = 0x80 (sign byte).
SMALL = (bytes.fromhex("3006020101020102"), 1, 2)
SIGNED = (bytes.fromhex("30080202008002020080"), 0x80, 0x80)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        (b"f", "Zg"),
        (b"fo", "Zm8"),
        (b"foo", "Zm9v"),
        (b"\xfb\xff\xfe", "-__-"),
    ],
)
def test_base64url_known_answer_both_ways(data: bytes, text: str) -> None:
    assert base64url_encode(data) == text
    assert base64url_decode(text) == data


@given(st.binary())
def test_base64url_any_bytes_round_trip_as_the_standard_library_writes_them(data: bytes) -> None:
    text = base64url_encode(data)

    assert text == base64.b64encode(data, b"-_").decode().replace("=", "")
    assert base64url_decode(text) == data


@given(st.text())
def test_base64url_any_text_is_refused_or_the_only_text_for_its_bytes(text: str) -> None:
    try:
        data = base64url_decode(text)
    except EncodingError:
        return
    assert base64url_encode(data) == text


@pytest.mark.parametrize(
    "text",
    [
        "Zg==",
        "Zm8=",
        "Zm9v=",
        "+/+/",
        "Zm 9v",
        "Zm9v\n",
        "Zm\x009v",
        "Zmé9v",
        "\uff3ag",
        "=",
        "Zg=a",
    ],
)
def test_base64url_decode_padding_or_foreign_character_refused(text: str) -> None:
    with pytest.raises(EncodingError, match="without padding"):
        base64url_decode(text)


@pytest.mark.parametrize("text", ["Z", "Zm9vZ"])
def test_base64url_decode_length_that_encodes_no_bytes_refused(text: str) -> None:
    with pytest.raises(EncodingError, match=f"{len(text)} characters"):
        base64url_decode(text)


@pytest.mark.parametrize("text", ["Zh", "Zv", "Zm9", "Zm-"])
def test_base64url_decode_bits_that_encode_nothing_refused(text: str) -> None:
    with pytest.raises(EncodingError, match="last character"):
        base64url_decode(text)


def test_encoding_error_is_also_a_value_error() -> None:
    with pytest.raises(ValueError, match="base64url"):
        base64url_decode("!")


@given(r=integers_of_256_bits, s=integers_of_256_bits)
def test_ecdsa_raw_to_der_and_back_any_r_and_s_unchanged(r: int, s: int) -> None:
    raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")

    der = ecdsa_der_from_raw(raw)

    assert ecdsa_integers(der) == (r, s)
    assert ecdsa_raw_from_der(der) == raw


@pytest.mark.parametrize("algorithm", ECDSA)
@given(message=st.binary(max_size=64))
def test_ecdsa_der_to_raw_and_back_real_signature_unchanged(algorithm: str, message: bytes) -> None:
    der = make_signature(private_key(algorithm), message)

    raw = ecdsa_raw_from_der(der)

    assert len(raw) == 64
    assert ecdsa_der_from_raw(raw) == der


def is_canonical(der: bytes) -> bool:
    """Whether it is what cryptography writes for two positive integers of 256 bits at most."""
    try:
        r, s = decode_dss_signature(der)
    except ValueError:
        return False
    return 0 < min(r, s) <= max(r, s) < 2**256 and encode_dss_signature(r, s) == der


def is_accepted(der: bytes) -> bool:
    try:
        check_ecdsa_form(der)
    except EncodingError:
        return False
    return True


@given(r=integers_of_256_bits, s=integers_of_256_bits)
@example(r=2**248 - 1, s=2**255)
@example(r=2**255 - 1, s=2**256 - 1)
@example(r=2**247, s=2**248)
def test_ecdsa_form_of_any_r_and_s_is_accepted(r: int, s: int) -> None:
    check_ecdsa_form(encode_dss_signature(r, s))


@pytest.mark.parametrize("r", [2**255 - 1, 2**255], ids=["r of 32 bytes", "r of 33"])
@pytest.mark.parametrize("s", [2**255 - 1, 2**255], ids=["s of 32 bytes", "s of 33"])
def test_ecdsa_form_with_any_byte_changed_is_accepted_only_if_canonical(r: int, s: int) -> None:
    der = encode_dss_signature(r, s)

    for position in range(len(der)):
        for value in range(256):
            changed = der[:position] + bytes([value]) + der[position + 1 :]
            assert is_accepted(changed) == is_canonical(changed)


@pytest.mark.parametrize("r", [2**255 - 1, 2**255], ids=["r of 32 bytes", "r of 33"])
@pytest.mark.parametrize("s", [2**255 - 1, 2**255], ids=["s of 32 bytes", "s of 33"])
def test_ecdsa_form_with_a_byte_more_or_less_is_refused(r: int, s: int) -> None:
    der = encode_dss_signature(r, s)

    for other in (der[:-1], der + b"\n", b"\n" + der, der[1:], b""):
        assert not is_accepted(other)


@pytest.mark.parametrize(("der", "r", "s"), [SMALL, SIGNED])
def test_ecdsa_leading_zero_bytes_appear_in_raw_and_never_in_der(
    der: bytes, r: int, s: int
) -> None:
    raw = bytes(31) + bytes([r]) + bytes(31) + bytes([s])

    assert ecdsa_der_from_raw(raw) == der
    assert ecdsa_raw_from_der(der) == raw
    assert ecdsa_integers(der) == (r, s)


def test_ecdsa_raw_from_der_other_size_gives_integers_of_that_size() -> None:
    assert ecdsa_raw_from_der(SMALL[0], size=2) == bytes.fromhex("00010002")


@pytest.mark.parametrize("which", [0, 1])
def test_ecdsa_raw_from_der_integer_above_the_size_refused(which: int) -> None:
    integers = [1, 1]
    integers[which] = 2**256
    der = ecdsa_der_from_raw(b"".join(value.to_bytes(33, "big") for value in integers))

    with pytest.raises(EncodingError, match="does not fit into 32 bytes"):
        ecdsa_raw_from_der(der)


@pytest.mark.parametrize("length", [0, 1, 63, 65])
def test_ecdsa_der_from_raw_halves_of_unequal_length_refused(length: int) -> None:
    with pytest.raises(EncodingError, match=f"found {length} bytes"):
        ecdsa_der_from_raw(b"\1" * length)


@pytest.mark.parametrize("raw", [bytes(64), bytes(32) + b"\1" * 32, b"\1" * 32 + bytes(32)])
def test_ecdsa_der_from_raw_zero_integer_refused(raw: bytes) -> None:
    with pytest.raises(EncodingError, match="never zero"):
        ecdsa_der_from_raw(raw)


@pytest.mark.parametrize(
    "der",
    [
        pytest.param("", id="empty"),
        pytest.param("3000", id="no integers"),
        pytest.param("3003020101", id="one integer"),
        pytest.param("3009020101020101020101", id="three integers"),
        pytest.param("300602010102010100", id="a byte behind it"),
        pytest.param("30060201010201", id="truncated"),
        pytest.param("300702020001020101", id="padded integer"),
        pytest.param("308106020101020101", id="long form of a short length"),
        pytest.param("30800201010201010000", id="indefinite length"),
        pytest.param("30060201ff020101", id="negative r"),
        pytest.param("3006020101020180", id="negative s"),
        pytest.param("3006020100020101", id="r is zero"),
        pytest.param("3006020101020100", id="s is zero"),
        pytest.param("3106020101020101", id="a SET"),
        pytest.param("3006040101040101", id="octet strings"),
    ],
)
def test_ecdsa_integers_anything_but_canonical_der_refused(der: str) -> None:
    with pytest.raises(EncodingError):
        ecdsa_integers(bytes.fromhex(der))


def test_ecdsa_integers_raw_signature_refused_with_a_hint() -> None:
    with pytest.raises(EncodingError, match="looks like r‖s"):
        ecdsa_integers(b"\1" * 64)


@given(st.binary(max_size=80))
def test_ecdsa_integers_any_bytes_refused_or_the_only_encoding(data: bytes) -> None:
    try:
        r, s = ecdsa_integers(data)
    except EncodingError:
        return
    size = max(r.bit_length(), s.bit_length()) // 8 + 1
    assert ecdsa_der_from_raw(r.to_bytes(size, "big") + s.to_bytes(size, "big")) == data
