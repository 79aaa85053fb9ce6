"""``/networks/fees``: what the fees of transfers are made of."""

from __future__ import annotations

from typing import Any, Final

from dfns_signers.emulator.requests.routes import Call, Route
from dfns_signers.emulator.state import Record
from dfns_signers.networks import EVM_NETWORKS

_EVM: Final[dict[str, Any]] = {
    "kind": "Eip1559",
    "baseFeePerGas": "900000000",
    "slow": {"maxPriorityFeePerGas": "50000000", "maxFeePerGas": "950000000"},
    "standard": {"maxPriorityFeePerGas": "100000000", "maxFeePerGas": "1000000000"},
    "fast": {"maxPriorityFeePerGas": "200000000", "maxFeePerGas": "1100000000"},
}
_SOLANA: Final[dict[str, Any]] = {
    "kind": "Solana",
    "slow": {"computeUnitPrice": "1000"},
    "standard": {"computeUnitPrice": "10000"},
    "fast": {"computeUnitPrice": "100000"},
}
_BITCOIN: Final[dict[str, Any]] = {
    "kind": "Bitcoin",
    "slow": {"feeRate": "1", "blockHorizon": 6},
    "standard": {"feeRate": "5", "blockHorizon": 3},
    "fast": {"feeRate": "10", "blockHorizon": 1},
}


def estimate(call: Call) -> Record:
    """Fees that never change."""
    network = call.query["network"]
    is_solana = network.startswith("Solana")
    fees = _EVM if network in EVM_NETWORKS else _SOLANA if is_solana else _BITCOIN
    return {**fees, "network": network, "blockNumber": call.state.balances.block}


ROUTES: Final = (Route("GET", "/networks/fees", estimate),)
