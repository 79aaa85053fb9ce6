"""Addresses are those that the documents of each network describe, and those of the key.

The expected ones of a known key are made by the library bip_utils 2.12.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from dfns_signers.emulator.addresses import address_form, address_of, key_kinds
from dfns_signers.networks import BLOCKCHAIN_KINDS, EVM_NETWORKS, WALLET_NETWORKS
from tests.emulator.caller import Caller
from tests.emulator.conftest import calling

SECP256K1_KEY = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
ED25519_KEY = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"
BASE58 = "[1-9A-HJ-NP-Za-km-z]"
BECH32 = "[02-9ac-hj-np-z]"
HEX = "[0-9a-f]"

# Of networks that are not EVM: the addresses of their wallets, by the beginning of the name.
FORMS = {
    "Algorand": "[A-Z2-7]{58}",
    "Aptos": f"0x{HEX}{{64}}",
    "Babylon": f"bbn1{BECH32}{{38}}",
    "Bitcoin": f"bc1q{BECH32}{{38}}",
    "BitcoinSignet": f"tb1q{BECH32}{{38}}",
    "BitcoinTestnet": f"tb1q{BECH32}{{38}}",
    "BitcoinCash": f"bitcoincash:q{BECH32}{{41}}",
    "BitcoinCashTestnet": f"bchtest:q{BECH32}{{41}}",
    "Canton": f"[a-z]+::1220{HEX}{{64}}",
    "Cardano": f"addr1v{BECH32}{{52}}",
    "CardanoPreprod": f"addr_test1v{BECH32}{{52}}",
    "Concordium": f"[34]{BASE58}{{49}}|2{BASE58}{{49}}",
    "Cosmos": f"cosmos1{BECH32}{{38}}",
    "Dogecoin": f"D{BASE58}{{33}}",
    "DogecoinTestnet": f"n{BASE58}{{33}}",
    "Hedera": "0.0.[0-9]{7,8}",
    "InternetComputer": f"{HEX}{{64}}",
    "Ion": "UQ[A-Za-z0-9_-]{46}",
    "IonTestnet": "0Q[A-Za-z0-9_-]{46}",
    "Iota": f"0x{HEX}{{64}}",
    "Kaspa": f"kaspa:q{BECH32}{{62}}",
    "KaspaTestnet": f"kaspatest:q{BECH32}{{62}}",
    "Kusama": f"[C-J]{BASE58}{{46}}",
    "Litecoin": f"ltc1q{BECH32}{{38}}",
    "LitecoinTestnet": f"tltc1q{BECH32}{{38}}",
    "Near": f"{HEX}{{64}}",
    "Origyn": f"{HEX}{{64}}",
    "Paseo": f"1{BASE58}{{45,47}}",
    "Polkadot": f"1{BASE58}{{45,47}}",
    "Polymesh": f"2{BASE58}{{47}}",
    "PolymeshTestnet": f"5{BASE58}{{47}}",
    "Sei": f"sei1{BECH32}{{38}}",
    "Solana": f"{BASE58}{{43,44}}",
    "Starknet": f"0x0[0-7]{HEX}{{62}}",
    "Stellar": "G[A-Z2-7]{55}",
    "Sui": f"0x{HEX}{{64}}",
    "Tezos": f"tz1{BASE58}{{33}}",
    "Ton": "UQ[A-Za-z0-9_-]{46}",
    "TonTestnet": "0Q[A-Za-z0-9_-]{46}",
    "Tron": f"T{BASE58}{{33}}",
    "Westend": f"5{BASE58}{{47}}",
    "Xrp": f"r{BASE58}{{24,34}}",
}


@pytest.fixture(scope="module")
def caller() -> Iterator[Caller]:
    with calling() as shared:
        yield shared


def form_of(network: str) -> str:
    if network in EVM_NETWORKS:
        return "0x[0-9a-fA-F]{40}"
    return FORMS[max((name for name in FORMS if network.startswith(name)), key=len)]


@pytest.mark.parametrize("network", [name for name in WALLET_NETWORKS if "Key" not in name])
def test_wallet_has_an_address_of_the_form_of_its_network(caller: Caller, network: str) -> None:
    wallet = caller.create("/wallets", {"network": network})

    assert re.fullmatch(form_of(network), wallet["address"]), wallet["address"]
    form = address_form(network)
    assert form is not None
    assert re.fullmatch(form.pattern, wallet["address"])


@pytest.mark.parametrize("network", ["KeyECDSA", "KeyEdDSA", "KeyECDSAStark"])
def test_wallet_that_is_a_bare_key_has_no_address(caller: Caller, network: str) -> None:
    assert "address" not in caller.create("/wallets", {"network": network})


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        ("Ethereum", "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"),
        ("Tron", "TMVQGm1qAQYVdetCeGRRkTWYYrLXuHK2HC"),
        ("Bitcoin", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
        ("LitecoinTestnet", "tltc1qw508d6qejxtdg4y5r3zarvary0c5xw7klfsuq0"),
        ("BitcoinCash", "bitcoincash:qp63uahgrxged4z5jswyt5dn5v3lzsem6cy4spdc2h"),
        ("Dogecoin", "DFpN6QqFfUm3gKNaxN6tNcab1FArL9cZLE"),
        ("CosmosHub4", "cosmos1w508d6qejxtdg4y5r3zarvary0c5xw7k6ah60c"),
        ("XrpLedger", "rBgGZ9tc4him9KBzD8fKFiQz3fSZpaSwMH"),
        ("Algorand", "AOQQPP7TZYIL4HLQ3UMOOS6ATFT6JVRQTOSQ2XY53SDGIESVGG4MPFYUMQ"),
        ("Aptos", "0xdeb6bc1848ba9de44f8ebd4009dd666fe46ac921246500c18476dd1b96f1cb3a"),
        ("Solana", "FAe4sisG95oZ42w7buUn5qEE4TAnfTTFPiguZUHmhiF"),
        ("Near", "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"),
        ("Stellar", "GAB2CB576PHBBPQ5ODORRZ2LYCMWPZGWGCN2KDK7DXOIMZASKUY3QZ6Q"),
        ("Sui", "0x160179a1565ea7cff27ead23f54cc7f50893bf58155cd7285156e57afa31c3ac"),
        ("Tezos", "tz1haTDx9MiA53qTAkchH9sUWoKfFABN6ggh"),
        ("Polkadot", "15kypVvwBLVS1eFtT9tb2ZS2HLXLbsy5iZaddcFzRrm5izi"),
        ("Kusama", "Cf5Voajhm5wk8TBhWuwLq6HKFd7Sy91Tbfqrztrv93jeZkE"),
        ("Polymesh", "2CXg5izmYfqDJiVpkqiB7qkXn743zoSDM1DA1qKsYgzcTsjk"),
    ],
)
def test_address_is_that_of_the_key(network: str, expected: str) -> None:
    scheme, curve = key_kinds(network)[0]
    key = SECP256K1_KEY if curve == "secp256k1" else ED25519_KEY

    assert address_of(network, scheme, key) == expected


def test_schnorr_key_of_bitcoin_has_a_taproot_address() -> None:
    expected = "bc1pmfr3p9j00pfxjh0zmgp99y8zftmd3s5pmedqhyptwy6lm87hf5sspknck9"

    assert address_of("Bitcoin", "Schnorr", SECP256K1_KEY) == expected


ED25519_KINDS = {
    "Algorand", "Aptos", "Canton", "Cardano", "Concordium", "Iota", "Near", "Polymesh", "Solana",
    "Stellar", "Substrate", "Sui", "Tezos", "Ton",
}  # fmt: skip
SUBSTRATE = ("Kusama", "Paseo", "Polkadot", "Westend")


def curve_of(network: str) -> str:
    """The curve of a network by its kind of blockchain, or by its own name."""
    if network.startswith(("Starknet", "KeyECDSAStark")):
        return "stark"
    kinds = [kind for kind in BLOCKCHAIN_KINDS if network.startswith(kind)]
    if network.startswith(SUBSTRATE):
        kinds = ["Substrate"]
    is_ed25519 = bool(ED25519_KINDS & set(kinds)) or network.startswith(("Ion", "KeyEdDSA"))
    return "ed25519" if is_ed25519 else "secp256k1"


@pytest.mark.parametrize("network", WALLET_NETWORKS)
def test_key_of_a_wallet_is_on_the_curve_of_its_network(caller: Caller, network: str) -> None:
    key = caller.create("/wallets", {"network": network})["signingKey"]

    curve = curve_of(network)
    assert key["curve"] == curve
    assert key["scheme"] == ("EdDSA" if curve == "ed25519" else "ECDSA")
