"""What is sealed opens for the same purpose and holder, in time, and in no other form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfns_signers.encodings import base64url_decode, base64url_encode
from dfns_signers.gateway.user_actions.seals import BrokenSealError, Seal, Seals
from tests.support.clock import Clock

ONE, OTHER = b"1" * 32, b"2" * 32
HOLDER = b"payments"
SEALED = Seal(nonce=b"n" * 32, digest=b"d" * 32)


def test_sealed_value_opens_unchanged() -> None:
    seals = Seals([ONE], Clock())

    assert seals.open("challenge", HOLDER, seals.seal("challenge", HOLDER, SEALED, 300)) == SEALED


def test_sealed_value_fits_into_a_header_and_is_short() -> None:
    text = Seals([ONE], Clock()).seal("user action", HOLDER, SEALED, 300)

    assert len(text) == 140
    assert base64url_encode(base64url_decode(text)) == text


def test_another_purpose_does_not_open_it() -> None:
    seals = Seals([ONE], Clock())

    with pytest.raises(BrokenSealError):
        seals.open("user action", HOLDER, seals.seal("challenge", HOLDER, SEALED, 300))


def test_another_holder_does_not_open_it() -> None:
    seals = Seals([ONE], Clock())

    with pytest.raises(BrokenSealError):
        seals.open("challenge", b"reports", seals.seal("challenge", HOLDER, SEALED, 300))


@pytest.mark.parametrize(("passed", "opens"), [(299.0, True), (300.0, False)])
def test_it_opens_until_its_time_is_over(passed: float, opens: bool) -> None:
    clock = Clock()
    seals = Seals([ONE], clock)
    text = seals.seal("challenge", HOLDER, SEALED, 300)

    clock.now += passed

    if opens:
        assert seals.open("challenge", HOLDER, text) == SEALED
    else:
        with pytest.raises(BrokenSealError):
            seals.open("challenge", HOLDER, text)


@given(st.integers(0, 104), st.integers(1, 255))
def test_no_byte_of_it_can_be_changed(place: int, change: int) -> None:
    seals = Seals([ONE], Clock())
    data = bytearray(base64url_decode(seals.seal("challenge", HOLDER, SEALED, 300)))
    data[place] ^= change

    with pytest.raises(BrokenSealError):
        seals.open("challenge", HOLDER, base64url_encode(bytes(data)))


@given(st.text(max_size=200) | st.binary(max_size=200).map(base64url_encode))
def test_nothing_else_opens(text: str) -> None:
    with pytest.raises(BrokenSealError):
        Seals([ONE], Clock()).open("challenge", HOLDER, text)


def test_every_key_opens_and_the_first_seals() -> None:
    old, both, new = Seals([ONE], Clock()), Seals([OTHER, ONE], Clock()), Seals([OTHER], Clock())

    assert both.open("challenge", HOLDER, old.seal("challenge", HOLDER, SEALED, 300)) == SEALED
    assert new.open("challenge", HOLDER, both.seal("challenge", HOLDER, SEALED, 300)) == SEALED
    with pytest.raises(BrokenSealError):
        old.open("challenge", HOLDER, both.seal("challenge", HOLDER, SEALED, 300))


def test_without_keys_each_process_has_its_own() -> None:
    text = Seals([], Clock()).seal("challenge", HOLDER, SEALED, 300)

    with pytest.raises(BrokenSealError):
        Seals([], Clock()).open("challenge", HOLDER, text)
