"""A network and an asset for every kind of transfer."""

from __future__ import annotations

ADDRESS = "0x" + "aB" * 20
ADDRESSES = {
    "Algorand": "A" * 58,
    "Canton": f"alice::1220{'ab' * 32}",
    "Concordium": "3" * 50,
    "Hedera": "0.0.1234",
    "PolkadotAssetHub": "1" * 48,
    "Solana": "1" * 32,
    "Starknet": "0x1",
    "Stellar": "G" + "A" * 55,
    "Ton": "E" * 48,
    "Tron": "T" + "1" * 33,
    "XrpLedger": "r" + "1" * 30,
}
NFTS = {"Erc721", "Hip17", "Snip3", "Trc721"}
# Network, kind, and what names the asset.
KINDS: list[tuple[str, str, dict[str, str]]] = [
    ("Base", "Native", {}),
    ("Aptos", "Aip21", {"metadata": "0xa"}),
    ("Algorand", "Asa", {"assetId": "7"}),
    ("PolkadotAssetHub", "Asset", {"assetId": "7"}),
    ("Canton", "Cip56", {"instrumentAdmin": "a", "instrumentId": "i"}),
    ("Concordium", "Cis2", {"tokenAddress": "t"}),
    ("Concordium", "Cis7", {"tokenId": "t"}),
    ("Sui", "Coin", {"coin": "0x2::sui::SUI"}),
    ("Base", "Erc20", {"contract": ADDRESS}),
    ("Base", "Erc721", {"contract": ADDRESS, "tokenId": "7"}),
    ("Base", "Erc7984", {"contract": ADDRESS}),
    ("Hedera", "Hip17", {"tokenId": "0.0.7", "serialNumber": "1"}),
    ("Hedera", "Hts", {"tokenId": "0.0.7"}),
    ("XrpLedger", "Iou", {"currency": "USD", "issuer": "r"}),
    ("Stellar", "Sep41", {"issuer": "G", "assetCode": "USDC"}),
    ("Starknet", "Snip2", {"contract": "0x1"}),
    ("Starknet", "Snip3", {"contract": "0x1", "tokenId": "7"}),
    ("Solana", "Spl", {"mint": "m"}),
    ("Solana", "Spl2022", {"mint": "m"}),
    ("Ton", "Tep74", {"master": "m"}),
    ("Tron", "Trc10", {"tokenId": "7"}),
    ("Tron", "Trc20", {"contract": ADDRESSES["Tron"]}),
    ("Tron", "Trc721", {"contract": ADDRESSES["Tron"], "tokenId": "7"}),
    ("XrpLedger", "Xls33", {"issuanceId": "7"}),
]
