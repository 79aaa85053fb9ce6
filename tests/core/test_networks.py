"""The list of networks holds together."""

from __future__ import annotations

from dfns_signers.networks import BLOCKCHAIN_KINDS, EVM_NETWORKS, NETWORKS, WALLET_NETWORKS


def test_no_network_is_listed_twice() -> None:
    assert len(set(WALLET_NETWORKS)) == len(WALLET_NETWORKS)
    assert len(set(BLOCKCHAIN_KINDS)) == len(BLOCKCHAIN_KINDS)


def test_evm_networks_are_networks() -> None:
    assert set(NETWORKS) > EVM_NETWORKS
    assert {"Ethereum", "EthereumSepolia", "Base", "PolygonAmoy"} <= EVM_NETWORKS
    assert not EVM_NETWORKS & {"Bitcoin", "Solana", "Tron", "Hedera"}


def test_wallet_may_be_a_bare_key() -> None:
    assert set(WALLET_NETWORKS) - set(NETWORKS) == {"KeyECDSA", "KeyEdDSA", "KeyECDSAStark"}
