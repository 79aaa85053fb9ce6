"""What each kind of signature request signs, and with which keys.

Kinds whose digest needs a whole chain library sign a stand-in; docs/emulator-differences.md says
which.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

from dfns_signers.emulator.addresses.hashes import blake2b, keccak256, tagged_hash
from dfns_signers.emulator.keys.key_material import KeyMaterial, Signature
from dfns_signers.emulator.keys.typed_data import eip191_digest, eip712_digest, eip7702_digest
from dfns_signers.emulator.requests.messages import bad_request
from dfns_signers.emulator.requests.wire import canonical_json
from dfns_signers.emulator.state import Record
from dfns_signers.networks import EVM_NETWORKS

KeyKind: TypeAlias = tuple[str, str]
_SECP256K1: Final[KeyKind] = ("ECDSA", "secp256k1")
_STARK: Final[KeyKind] = ("ECDSA", "stark")
_EDDSA: Final[KeyKind] = ("EdDSA", "ed25519")
_SCHNORR: Final[KeyKind] = ("Schnorr", "secp256k1")
_ANY: Final = (_SECP256K1, _STARK, _EDDSA, _SCHNORR)
_LONGEST_PAYLOAD: Final = 256


class _Kind(NamedTuple):
    """The keys that a kind is for, and the bytes that it is about.

    Attributes:
        keys: scheme and curve of the keys.
        data: the bytes of the request; Ed25519 signs them as they are.
        digest: the 32 bytes that ECDSA and Schnorr sign.
    """

    keys: tuple[KeyKind, ...]
    data: Callable[[Record], bytes]
    digest: Callable[[bytes], bytes] | None = None


def unhex(text: str) -> bytes:
    """The bytes of hexadecimal digits, with 0x or without."""
    return bytes.fromhex(text.removeprefix("0x"))


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _same(data: bytes) -> bytes:
    return data


def _hex_member(name: str) -> Callable[[Record], bytes]:
    return lambda body: unhex(body.get(name, ""))


def _text_or_json(name: str) -> Callable[[Record], bytes]:
    """A member that is hexadecimal digits, or else any JSON, which stands for itself."""

    def data(body: Record) -> bytes:
        value = body[name]
        return unhex(value) if isinstance(value, str) else canonical_json(value).encode()

    return data


def _typed(body: Mapping[str, Any]) -> bytes:
    try:
        return eip712_digest(body["types"], body["domain"], body["message"])
    except ValueError as error:
        raise bad_request("typedData", f"{error}.") from None
    except RecursionError:
        raise bad_request("typedData", "the typed data is nested too deeply.") from None


def _structure(body: Record) -> bytes:
    """A stand-in: the members that are signed, as sorted JSON."""
    members = ("primaryType", "types", "domain", "message")
    return canonical_json({name: body[name] for name in members}).encode()


def _substrate(body: Record) -> bytes:
    data = _text_or_json("payload")(body)
    return data if len(data) <= _LONGEST_PAYLOAD else blake2b(data, 32)


_KINDS: Final[Mapping[str, _Kind]] = {
    "Hash": _Kind(_ANY, _hex_member("hash"), _same),
    "Message": _Kind(_ANY, _hex_member("message"), _sha256),
    "Transaction": _Kind(_ANY, _text_or_json("transaction"), _sha256),
    "Eip191": _Kind((_SECP256K1,), lambda body: eip191_digest(unhex(body["message"])), _same),
    "Eip712": _Kind((_SECP256K1,), _typed, _same),
    "Eip7702": _Kind(
        (_SECP256K1,),
        lambda body: eip7702_digest(body["chainId"], unhex(body["address"]), body["nonce"]),
        _same,
    ),
    "Snip12": _Kind((_STARK,), _structure, _sha256),
    "Psbt": _Kind((_SECP256K1, _SCHNORR), _hex_member("psbt"), _sha256),
    "Bip322": _Kind(
        (_SECP256K1, _SCHNORR),
        lambda body: body["message"].encode(),
        lambda data: tagged_hash("BIP0322-signed-message", data),
    ),
    "SignDocDirect": _Kind((_SECP256K1,), _hex_member("signDoc"), _sha256),
    "SignerPayload": _Kind((_EDDSA, _SECP256K1), _substrate, lambda data: blake2b(data, 32)),
    "Cip8": _Kind((_EDDSA,), _hex_member("payload")),
    "DfnsSmartAccountTransaction": _Kind(
        (_SECP256K1,), lambda body: _typed(body["structured"]["message"]), _same
    ),
    "StellarFeeBumpTransaction": _Kind(
        (_EDDSA,), lambda body: _sha256(body["innerTransaction"].encode())
    ),
}


def sign_request(material: KeyMaterial, body: Record) -> Record:
    """``r``, ``s``, ``recid`` and ``encoded`` of a request; refused if it is not for this key."""
    kind = _KINDS[body["kind"]]
    _check_key(material, body["kind"], kind)
    data = kind.data(body)
    if material.scheme == "EdDSA":
        return _shown(material.sign(data))
    digest = _digest(kind, body)(data)
    return _shown(material.sign(digest, _merkle_root(material, body)))


def _check_key(material: KeyMaterial, name: str, kind: _Kind) -> None:
    if (material.scheme, material.curve) not in kind.keys:
        wanted = " or ".join(f"{scheme} on {curve}" for scheme, curve in kind.keys)
        raise bad_request(
            "key.scheme",
            f"A signature of kind {name} takes a key of {wanted};"
            f" the key is {material.scheme} on {material.curve}.",
            expected=wanted,
            found=f"{material.scheme} on {material.curve}",
        )


def _digest(kind: _Kind, body: Record) -> Callable[[bytes], bytes]:
    is_evm = body.get("blockchainKind") in {"Evm", "Tron"} or body.get("network") in EVM_NETWORKS
    if body["kind"] == "Transaction" and is_evm:
        return keccak256
    return kind.digest or _sha256


def _merkle_root(material: KeyMaterial, body: Record) -> bytes | None:
    if material.scheme != "Schnorr" or body["kind"] != "Hash":
        return None
    if "taprootMerkleRoot" not in body:
        raise bad_request(
            "field.missing",
            "taprootMerkleRoot is required with a Schnorr key, and is missing;"
            ' "" tweaks the key for no scripts.',
            field="taprootMerkleRoot",
        )
    return unhex(body["taprootMerkleRoot"])


def _shown(signature: Signature) -> Record:
    encoded = signature.r + signature.s
    shown: Record = {"r": _hex(signature.r), "s": _hex(signature.s)}
    if signature.recid is not None:
        shown["recid"] = signature.recid
        encoded += bytes((27 + signature.recid,))
    return {**shown, "encoded": _hex(encoded)}


def _hex(data: bytes) -> str:
    return f"0x{data.hex()}"
