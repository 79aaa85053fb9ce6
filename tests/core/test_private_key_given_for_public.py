"""A private key where a public one is expected is the likely mistake, and gets its own advice."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.serialization import PrivateFormat

from dfns_signers.errors import UnsupportedKeyError
from dfns_signers.public_keys import load_public_key
from tests.core.keys import ALGORITHMS, private_key, private_pem, public_pem

ADVICE = "this is a private key: 'openssl pkey -in KEY -pubout' writes its public half"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("passphrase", [None, b"secret"], ids=["plain", "encrypted"])
def test_private_key_refused_with_how_to_write_its_public_half(
    algorithm: str, passphrase: bytes | None
) -> None:
    pem = private_pem(private_key(algorithm), passphrase)

    for data in (pem, pem.decode()):
        with pytest.raises(UnsupportedKeyError, match="expected PEM") as caught:
            load_public_key(data)

        assert str(caught.value).endswith(f"; {ADVICE}")


def test_private_key_in_its_traditional_form_refused_likewise() -> None:
    pem = private_pem(private_key("ES256"), form=PrivateFormat.TraditionalOpenSSL)

    with pytest.raises(UnsupportedKeyError, match="this is a private key"):
        load_public_key(pem)


def test_damaged_public_key_is_not_taken_for_a_private_one() -> None:
    damaged = public_pem(private_key("ES256").public_key()).replace(b"M", b"N", 1)

    with pytest.raises(UnsupportedKeyError, match="expected PEM") as caught:
        load_public_key(damaged)

    assert "private" not in str(caught.value)
