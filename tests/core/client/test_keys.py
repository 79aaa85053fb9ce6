"""Typed calls on keys and on signatures by them."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature

from dfns_signers.emulator import Emulator
from dfns_signers.errors import BadRequestError
from tests.core.client.driving import Driven
from tests.core.client.recordings import calls

DIGEST = hashlib.sha256(b"message").hexdigest()


@pytest.fixture
def key(dfns: Driven) -> Any:
    return dfns.call(
        lambda client: client.keys.create(scheme="ECDSA", curve="secp256k1", name="hot")
    )


def test_create_sends_scheme_and_curve_and_get_returns_the_key(
    dfns: Driven, emulator: Emulator, key: Any
) -> None:
    assert json.loads(calls(emulator)[-1].body) == {
        "scheme": "ECDSA",
        "curve": "secp256k1",
        "name": "hot",
    }
    read = dfns.call(lambda client: client.keys.get(key["id"]))
    assert key.items() <= read.items()
    assert read["wallets"] == []


def test_list_filters_by_owner(dfns: Driven, emulator: Emulator, key: Any) -> None:
    mine = dfns.call(
        lambda client: client.keys.create(
            scheme="EdDSA", curve="ed25519", extra={"delegateTo": emulator.user_id}
        )
    )

    assert dfns.walk(lambda client: client.keys.list()) == [key, mine]
    assert dfns.walk(lambda client: client.keys.list(owner=emulator.user_id)) == [mine]


@pytest.mark.parametrize(
    "wish", [{"kind": "Hash", "hash": DIGEST}, {"kind": "Message", "message": b"message".hex()}]
)
def test_signature_is_pending_at_first_and_verifies_once_it_is_made(
    dfns: Driven, emulator: Emulator, key: Any, wish: dict[str, str]
) -> None:
    requested = dfns.call(lambda client: client.keys.sign(key["id"], **wish, external_id="s-1"))
    assert json.loads(calls(emulator)[-1].body) == {**wish, "externalId": "s-1"}
    made = dfns.call(lambda client: client.keys.get_signature(key["id"], requested["id"]))

    assert requested["status"] == "Pending"
    assert made["status"] == "Signed"
    r, s = (int(made["signature"][part], 16) for part in "rs")
    public = ec.EllipticCurvePublicKey.from_encoded_point(
        ec.SECP256K1(), bytes.fromhex(key["publicKey"])
    )
    public.verify(
        encode_dss_signature(r, s), bytes.fromhex(DIGEST), ec.ECDSA(Prehashed(hashes.SHA256()))
    )


def test_hash_of_another_length_is_refused_by_the_api(dfns: Driven, key: Any) -> None:
    with pytest.raises(BadRequestError, match="hash"):
        dfns.call(lambda client: client.keys.sign(key["id"], kind="Hash", hash="00"))
