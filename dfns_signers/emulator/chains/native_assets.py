"""What the networks count their fees in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

NATIVE_ASSETS: Final[Mapping[str, tuple[str, int]]] = {
    "": ("ETH", 18),
    "Adi": ("ADI", 18),
    "Algorand": ("ALGO", 6),
    "Aptos": ("APT", 8),
    "AvalancheC": ("AVAX", 18),
    "BabylonGenesis": ("BABY", 6),
    "BabylonTestnet5": ("BABY", 6),
    "Berachain": ("BERA", 18),
    "Bitcoin": ("BTC", 8),
    "BitcoinCash": ("BCH", 8),
    "Bsc": ("BNB", 18),
    "Canton": ("CC", 10),
    "Cardano": ("ADA", 6),
    "Celo": ("CELO", 18),
    "Concordium": ("CCD", 6),
    "Cosmos": ("ATOM", 6),
    "Dogecoin": ("DOGE", 8),
    "EthereumClassic": ("ETC", 18),
    "Fantom": ("FTM", 18),
    "FlareC": ("FLR", 18),
    "FlowEvm": ("FLOW", 18),
    "Hedera": ("HBAR", 8),
    "InternetComputer": ("ICP", 8),
    "Ion": ("ION", 9),
    "Iota": ("IOTA", 9),
    "Kaspa": ("KAS", 8),
    "Kusama": ("KSM", 12),
    "Litecoin": ("LTC", 8),
    "Near": ("NEAR", 24),
    "Origyn": ("OGY", 8),
    "Paseo": ("PAS", 10),
    "Plasma": ("XPL", 18),
    "Plume": ("PLUME", 18),
    "Polkadot": ("DOT", 10),
    "Polygon": ("POL", 18),
    "Polymesh": ("POLYX", 6),
    "Sei": ("SEI", 6),
    "Solana": ("SOL", 9),
    "Sonic": ("S", 18),
    "Starknet": ("STRK", 18),
    "Stellar": ("XLM", 7),
    "Sui": ("SUI", 9),
    "Tezos": ("XTZ", 6),
    "Ton": ("TON", 9),
    "Tron": ("TRX", 6),
    "Westend": ("WND", 12),
    "XLayer": ("OKB", 18),
    "Xdc": ("XDC", 18),
    "XrpLedger": ("XRP", 6),
}
"""Symbol and decimals by the first letters of the network's name; the longest that fits counts.

Networks that are not here are networks of the EVM.
"""
