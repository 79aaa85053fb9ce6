"""Which keys a network takes, and which form its addresses have: one table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple, TypeAlias

from dfns_signers.emulator.addresses import accounts
from dfns_signers.emulator.addresses.accounts import Account
from dfns_signers.emulator.requests.fields import Check, string
from dfns_signers.networks import EVM_NETWORKS

KeyKind: TypeAlias = tuple[str, str]
"""Scheme and curve."""
_ECDSA: Final[KeyKind] = ("ECDSA", "secp256k1")
_EDDSA: Final[KeyKind] = ("EdDSA", "ed25519")
_SCHNORR: Final[KeyKind] = ("Schnorr", "secp256k1")
_STARK: Final[KeyKind] = ("ECDSA", "stark")


class AddressForm(NamedTuple):
    """The addresses of a network.

    Attributes:
        pattern: what the whole of an address matches, of whatever kind: contracts, legacy forms.
        words: the form in words, such as ``0x and 40 hex digits``.
    """

    pattern: str
    words: str


class _Network(NamedTuple):
    """The keys that a network takes, the first by default, and its addresses; none for a key."""

    keys: tuple[KeyKind, ...]
    account: Account | None = None
    form: AddressForm | None = None


_58: Final = "[1-9A-HJ-NP-Za-km-z]"
_32: Final = "[02-9ac-hj-np-z]"
_HEX_40: Final = AddressForm("0x[0-9a-fA-F]{40}", "0x and 40 hex digits")
_HEX_64: Final = AddressForm("0x[0-9a-fA-F]{1,64}", "0x and up to 64 hex digits")
_EVM: Final = _Network((_ECDSA,), accounts.evm, _HEX_40)


def _bitcoin(prefix: str, legacy: str) -> _Network:
    pattern = f"{prefix}1{_32}{{39,59}}|[{legacy}]{_58}{{25,34}}"
    form = AddressForm(pattern, f"an address that begins with {prefix}1, or one in base58")
    return _Network((_ECDSA, _SCHNORR), accounts.bitcoin(prefix), form)


def _bitcoin_cash(prefix: str, legacy: str) -> _Network:
    pattern = f"({prefix}:)?[qp]{_32}{{41}}|[{legacy}]{_58}{{25,34}}"
    form = AddressForm(pattern, f"{prefix}: and 42 characters, or an address in base58")
    return _Network((_ECDSA,), accounts.bitcoin_cash(prefix), form)


def _dogecoin(version: int, legacy: str) -> _Network:
    form = AddressForm(f"[{legacy}]{_58}{{25,34}}", "an address in base58")
    return _Network((_ECDSA,), accounts.pay_to_public_key_hash(version), form)


def _kaspa(prefix: str) -> _Network:
    form = AddressForm(f"{prefix}:{_32}{{61,63}}", f"{prefix}: and 61 or 63 characters")
    return _Network((_ECDSA, _SCHNORR), accounts.kaspa(prefix), form)


def _cardano(prefix: str, network_id: int) -> _Network:
    pattern = f"{prefix}1{_32}{{50,110}}|{_58}{{59,120}}"
    form = AddressForm(pattern, f"an address that begins with {prefix}1, or one in base58")
    return _Network((_EDDSA,), accounts.cardano(prefix, network_id), form)


def _cosmos(prefix: str, more: str = "") -> _Network:
    pattern = f"{prefix}1{_32}{{38}}({_32}{{20}})?{more}"
    form = AddressForm(pattern, f"an address that begins with {prefix}1")
    return _Network((_ECDSA,), accounts.cosmos(prefix), form)


def _substrate(network_prefix: int) -> _Network:
    form = AddressForm(f"{_58}{{46,49}}", "an SS58 address of 46 to 49 characters")
    return _Network((_EDDSA,), accounts.substrate(network_prefix), form)


def _ton(tag: int) -> _Network:
    form = AddressForm(
        r"[A-Za-z0-9_+/-]{48}|(0|-1):[0-9a-fA-F]{64}",
        "48 characters in base64url, or a raw address",
    )
    return _Network((_EDDSA,), accounts.ton(tag), form)


def _table() -> Iterable[tuple[Iterable[str], _Network]]:
    yield EVM_NETWORKS, _EVM
    yield (
        ("Algorand", "AlgorandTestnet"),
        _Network(
            (_EDDSA,), accounts.algorand, AddressForm("[A-Z2-7]{58}", "58 characters in base32")
        ),
    )
    yield ("Aptos", "AptosTestnet"), _Network((_EDDSA,), accounts.aptos, _HEX_64)
    yield ("BabylonGenesis", "BabylonTestnet5"), _cosmos("bbn")
    yield ("Bitcoin",), _bitcoin("bc", "13")
    yield ("BitcoinSignet", "BitcoinTestnet3", "BitcoinTestnet4"), _bitcoin("tb", "mn2")
    yield ("BitcoinCash",), _bitcoin_cash("bitcoincash", "13")
    yield ("BitcoinCashTestnet",), _bitcoin_cash("bchtest", "mn2")
    yield (
        ("Canton", "CantonDevnet", "CantonTestnet"),
        _Network(
            (_EDDSA,),
            accounts.canton,
            AddressForm(
                r"[A-Za-z0-9_.: -]+::1220[0-9a-f]{64}", "a party: a name, ::1220, 64 hex digits"
            ),
        ),
    )
    yield ("Cardano",), _cardano("addr", 1)
    yield ("CardanoPreprod",), _cardano("addr_test", 0)
    yield (
        ("Concordium", "ConcordiumTestnet"),
        _Network(
            (_EDDSA,), accounts.concordium, AddressForm(f"{_58}{{50}}", "50 characters in base58")
        ),
    )
    yield ("CosmosHub4", "CosmosIcsTestnet"), _cosmos("cosmos")
    yield ("Dogecoin",), _dogecoin(0x1E, "DA9")
    yield ("DogecoinTestnet",), _dogecoin(0x71, "n2")
    yield (
        ("Hedera", "HederaTestnet"),
        _Network(
            (_ECDSA, _EDDSA),
            accounts.hedera,
            AddressForm(
                r"[0-9]+\.[0-9]+\.[0-9]+|0x[0-9a-fA-F]{40}",
                "three numbers with dots, or an EVM address",
            ),
        ),
    )
    yield (
        ("InternetComputer", "Origyn"),
        _Network(
            (_ECDSA, _EDDSA),
            accounts.internet_computer,
            AddressForm(
                r"[0-9a-f]{64}|[a-z2-7]{1,5}(-[a-z2-7]{1,5}){1,12}(\.[0-9a-f]+)?",
                "an account of 64 hex digits, or a principal",
            ),
        ),
    )
    yield ("Iota", "IotaTestnet", "IotaZodianet"), _Network((_EDDSA,), accounts.iota, _HEX_64)
    yield ("Kaspa",), _kaspa("kaspa")
    yield ("KaspaTestnet11",), _kaspa("kaspatest")
    yield ("Polkadot", "PolkadotAssetHub", "Paseo", "PaseoAssetHub"), _substrate(0)
    yield ("Kusama", "KusamaAssetHub"), _substrate(2)
    yield ("Westend", "WestendAssetHub", "PolymeshTestnet"), _substrate(42)
    yield ("Polymesh",), _substrate(12)
    yield ("Litecoin",), _bitcoin("ltc", "LM3")
    yield ("LitecoinTestnet",), _bitcoin("tltc", "mn2Q")
    yield (
        ("Near", "NearTestnet"),
        _Network(
            (_EDDSA,),
            accounts.near,
            AddressForm(r"[a-z0-9._-]{2,64}", "64 hex digits, or the name of an account"),
        ),
    )
    yield ("SeiPacific1", "SeiAtlantic2"), _cosmos("sei", f"|{_HEX_40.pattern}")
    yield (
        ("Solana", "SolanaDevnet"),
        _Network(
            (_EDDSA,),
            accounts.base58_key,
            AddressForm(f"{_58}{{32,44}}", "32 to 44 characters in base58"),
        ),
    )
    yield ("Starknet", "StarknetSepolia"), _Network((_STARK,), accounts.starknet, _HEX_64)
    yield (
        ("Stellar", "StellarTestnet"),
        _Network(
            (_EDDSA,),
            accounts.stellar,
            AddressForm("[GC][A-Z2-7]{55}|M[A-Z2-7]{68}", "an address that begins with G, M or C"),
        ),
    )
    yield ("Sui", "SuiTestnet"), _Network((_EDDSA,), accounts.sui, _HEX_64)
    yield (
        ("Tezos", "TezosGhostnet", "TezosShadownet"),
        _Network(
            (_EDDSA,),
            accounts.tezos,
            AddressForm(
                f"(tz[1-4]|KT1){_58}{{33}}", "an address that begins with tz1 to tz4 or KT1"
            ),
        ),
    )
    yield ("Ton", "Ion"), _ton(0x51)
    yield ("TonTestnet", "IonTestnet"), _ton(0xD1)
    yield (
        ("Tron", "TronNile"),
        _Network((_ECDSA,), accounts.tron, AddressForm(f"T{_58}{{33}}", "T and 33 characters")),
    )
    yield (
        ("XrpLedger", "XrpLedgerTestnet"),
        _Network(
            (_ECDSA, _EDDSA),
            accounts.xrp,
            AddressForm(f"r{_58}{{24,34}}|[XT]{_58}{{46}}", "an address that begins with r"),
        ),
    )
    yield ("KeyECDSA",), _Network((_ECDSA,))
    yield ("KeyEdDSA",), _Network((_EDDSA,))
    yield ("KeyECDSAStark",), _Network((_STARK,))


_NETWORKS: Final = {name: network for names, network in _table() for name in names}


def key_kinds(network: str) -> tuple[KeyKind, ...]:
    """Scheme and curve of the keys that a network takes; new wallets get the first."""
    return _NETWORKS[network].keys


def address_of(network: str, scheme: str, public_key: str) -> str | None:
    """The address of a key.

    Args:
        network: a network of the Dfns API.
        scheme: ECDSA, EdDSA or Schnorr.
        public_key: in hexadecimal digits, as keys show it.

    Returns:
        The address; None on networks that are bare keys, such as ``KeyECDSA``.
    """
    account = _NETWORKS[network].account
    return account(bytes.fromhex(public_key), scheme) if account else None


def address_form(network: str) -> AddressForm | None:
    """The form of a network's addresses; None on networks that are bare keys."""
    return _NETWORKS[network].form


def address_check(network: str) -> Check:
    """The check of an address of a network: its form, not its checksum."""
    form = address_form(network)
    if form is None:
        return string()
    return string(pattern=form.pattern, expected=f"an address of {network}: {form.words}")
