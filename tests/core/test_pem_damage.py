"""Whatever the bytes are, the outcome is a key that signs or an error of this package."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dfns_signers.backends.pem.key import PemKey
from dfns_signers.errors import DfnsSignersError, SigningKeyError
from tests.core.keys import ALGORITHMS, is_signature, private_key, private_pem

LABELS = ("PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY")

# Loading an RSA key checks its primes, which takes a slow machine its time.
patient = settings(deadline=None)

passphrases = st.none() | st.text(max_size=5) | st.binary(max_size=5)


def open_or_refuse(pem: str | bytes, passphrase: str | bytes | None) -> None:
    try:
        key = PemKey.from_pem(pem, passphrase)
    except SigningKeyError:
        return
    assert is_signature(key.public_key, b"message", key.sign(b"message"))


def armoured(label: str, body: bytes) -> bytes:
    text = base64.encodebytes(body).decode()
    return f"-----BEGIN {label}-----\n{text}-----END {label}-----\n".encode()


@patient
@given(data=st.binary() | st.text(st.characters()), passphrase=passphrases)
def test_arbitrary_data_gives_no_other_exception(
    data: str | bytes, passphrase: str | bytes | None
) -> None:
    open_or_refuse(data, passphrase)


@patient
@given(label=st.sampled_from(LABELS), body=st.binary(), passphrase=passphrases)
def test_arbitrary_data_in_a_pem_gives_no_other_exception(
    label: str, body: bytes, passphrase: str | bytes | None
) -> None:
    open_or_refuse(armoured(label, body), passphrase)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@patient
@given(place=st.integers(0, 2000), replacement=st.binary(max_size=3))
def test_altered_pem_gives_no_other_exception(
    algorithm: str, place: int, replacement: bytes
) -> None:
    pem = private_pem(private_key(algorithm))
    at = place % len(pem)

    open_or_refuse(pem[:at] + replacement + pem[at + 1 :], None)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@patient
@given(place=st.integers(0, 2000), replacement=st.binary(max_size=3))
def test_altered_key_material_gives_no_other_exception(
    algorithm: str, place: int, replacement: bytes
) -> None:
    body = b"".join(private_pem(private_key(algorithm)).splitlines()[1:-1])
    der = base64.b64decode(body)
    at = place % len(der)

    open_or_refuse(armoured("PRIVATE KEY", der[:at] + replacement + der[at + 1 :]), None)


@patient
@given(length=st.integers(0, 2000))
def test_truncated_pem_is_refused(length: int) -> None:
    pem = private_pem(private_key("RS256")).rstrip()

    with pytest.raises(DfnsSignersError):
        PemKey.from_pem(pem[: length % len(pem)])
