"""``/wallets/{walletId}/transfers``."""

from __future__ import annotations

from typing import Final

from dfns_signers.emulator.addresses import address_check
from dfns_signers.emulator.chains.assets import (
    QUOTES,
    asset_of,
    check_network,
    description,
    identity_members,
)
from dfns_signers.emulator.chains.broadcasts import TRANSFER, request
from dfns_signers.emulator.requests.fields import string, where_present
from dfns_signers.emulator.requests.routes import Call, Route
from dfns_signers.emulator.resources.broadcasting import Operations
from dfns_signers.emulator.state import Record

AMOUNT: Final = string(
    pattern="[0-9]{1,78}", expected="a string of 1 to 78 decimal digits, in base units"
)
EXTERNAL_ID: Final = string(1, 50)
_PATH: Final = "/wallets/{walletId}/transfers"
_CREATE: Final = where_present({"amount": AMOUNT, "externalId": EXTERNAL_ID})


def create(call: Call) -> Record:
    """A new transfer, or the one that the same request has made before."""
    wallet, body = call.state.wallets.get(call.parameters["walletId"]), call.body
    network = wallet["network"]
    check_network(body["kind"], network)
    where_present(dict.fromkeys(identity_members(body["kind"]), string()))("", body)
    where_present(dict.fromkeys(("to", "contract"), address_check(network)))("", body)
    asset = asset_of(body)
    about = description(network, asset)
    metadata = {"asset": about if asset.is_unique else {**about, "quotes": dict(QUOTES)}}
    return request(call, TRANSFER, wallet, {"metadata": metadata})


ROUTES: Final = (
    Route("POST", _PATH, create, _CREATE, entity="Transfer"),
    *Operations(TRANSFER, _PATH, "transferId").routes(),
)
