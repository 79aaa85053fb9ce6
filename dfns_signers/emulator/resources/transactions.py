"""``/wallets/{walletId}/transactions``: what is signed and broadcast as it is."""

from __future__ import annotations

from typing import Final

from dfns_signers.emulator.addresses import address_check
from dfns_signers.emulator.chains.assets import check_network
from dfns_signers.emulator.chains.broadcasts import TRANSACTION, request
from dfns_signers.emulator.requests.fields import list_of, string, where_present
from dfns_signers.emulator.requests.routes import Call, Route
from dfns_signers.emulator.resources.broadcasting import Operations
from dfns_signers.emulator.resources.transfers import EXTERNAL_ID
from dfns_signers.emulator.state import Record

_CALL: Final = {
    # All kinds with this member are for networks of the EVM.
    "to": address_check("Ethereum"),
    "value": string(
        0,
        pattern="[0-9]{1,78}|0x[0-9a-fA-F]{0,64}",
        expected="decimal digits, or 0x and hex digits",
    ),
    "data": string(
        0, pattern="(0x)?([0-9a-fA-F]{2})*", expected="hexadecimal digits, two per byte"
    ),
}
_PATH: Final = "/wallets/{walletId}/transactions"
_CREATE: Final = where_present(
    {
        **_CALL,
        "userOperations": list_of(where_present(_CALL)),
        "feeSponsorId": string(),
        "psbt": string(),
        "signDoc": string(),
        "externalId": EXTERNAL_ID,
    }
)


def create(call: Call) -> Record:
    """A new transaction, or the one that the same request has made before."""
    wallet = call.state.wallets.get(call.parameters["walletId"])
    check_network(call.body["kind"], wallet["network"])
    return request(call, TRANSACTION, wallet)


ROUTES: Final = (
    Route("POST", _PATH, create, _CREATE, entity="Transaction"),
    *Operations(TRANSACTION, _PATH, "transactionId").routes(),
)
