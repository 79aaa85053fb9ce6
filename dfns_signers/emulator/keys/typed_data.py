"""Digests of Ethereum: EIP-191 messages, EIP-712 typed data, EIP-7702 authorizations."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from dfns_signers.emulator.addresses.hashes import keccak256

Types: TypeAlias = Mapping[str, Sequence[Mapping[str, str]]]
"""The members of each type: ``name`` and ``type``."""
_DOMAIN: Final = {
    "name": "string",
    "version": "string",
    "chainId": "uint256",
    "verifyingContract": "address",
    "salt": "bytes32",
}
_ARRAY: Final = re.compile(r"(.+)\[[0-9]*\]")
_INTEGER: Final = re.compile(r"u?int[0-9]*")
_SHORT_PAYLOAD: Final = 55
_SHORT_BYTE: Final = 0x80


def eip191_digest(message: bytes) -> bytes:
    """The digest of a personal message."""
    return keccak256(b"\x19Ethereum Signed Message:\n%d" % len(message) + message)


def eip7702_digest(chain_id: int, address: bytes, nonce: int) -> bytes:
    """The digest of an authorization."""
    items = b"".join(map(_rlp, (_minimal(chain_id), address, _minimal(nonce))))
    return keccak256(b"\x05" + _with_length(items, 0xC0))


def eip712_digest(types: Types, domain: Mapping[str, Any], message: Mapping[str, Any]) -> bytes:
    """The digest of typed data.

    Raises:
        ValueError: the message does not fit the types; the text says where.
    """
    declared = {name: fields for name, fields in types.items() if name != "EIP712Domain"}
    used = {item for fields in declared.values() for item in _referred(fields, declared)}
    primary = [name for name in declared if name not in used] or list(declared)
    if len(primary) != 1:
        found = ", ".join(primary) or "none"
        raise ValueError(f"types must have one type that no other refers to, and has {found}")
    domain_type = [{"name": name, "type": kind} for name, kind in _DOMAIN.items() if name in domain]
    encoder = _Encoder({**declared, "EIP712Domain": domain_type})
    return keccak256(
        b"\x19\x01"
        + encoder.hashed("EIP712Domain", domain, "domain")
        + encoder.hashed(primary[0], message, "message")
    )


class _Encoder:
    """``encodeType``, ``encodeData`` and ``hashStruct`` of EIP-712."""

    def __init__(self, types: Types) -> None:
        self._types = types

    def hashed(self, name: str, value: Any, where: str) -> bytes:
        """``hashStruct``."""
        if not isinstance(value, dict):
            raise ValueError(f"{where} must be an object of type {name}")
        fields = self._types[name]
        missing = [field["name"] for field in fields if field["name"] not in value]
        if missing:
            raise ValueError(f"{where}.{missing[0]} is missing")
        encoded = (
            self._encoded(field["type"], value[field["name"]], f"{where}.{field['name']}")
            for field in fields
        )
        return keccak256(keccak256(self._type_text(name).encode()) + b"".join(encoded))

    def _type_text(self, name: str) -> str:
        others = self._reached(name, set()) - {name}
        return "".join(map(self._declaration, [name, *sorted(others)]))

    def _declaration(self, name: str) -> str:
        fields = ",".join(f"{field['type']} {field['name']}" for field in self._types[name])
        return f"{name}({fields})"

    def _reached(self, name: str, found: set[str]) -> set[str]:
        if name not in found:
            found.add(name)
            for other in _referred(self._types[name], self._types):
                self._reached(other, found)
        return found

    def _encoded(self, kind: str, value: Any, where: str) -> bytes:
        array = _ARRAY.fullmatch(kind)
        if array:
            if not isinstance(value, list):
                raise ValueError(f"{where} must be an array")
            items = (self._encoded(array[1], item, where) for item in value)
            return keccak256(b"".join(items))
        if kind in self._types:
            return self.hashed(kind, value, where)
        try:
            return _atom(kind, value)
        except (AttributeError, OverflowError, TypeError, ValueError):
            raise ValueError(f"{where} must be a value of type {kind}") from None


def _atom(kind: str, value: Any) -> bytes:
    """32 bytes of a value that is neither an array nor a struct."""
    if kind == "string":
        return keccak256(value.encode("utf-8"))
    if kind == "bytes":
        return keccak256(_unhex(value))
    if kind == "bool" and isinstance(value, bool):
        return int(value).to_bytes(32, "big")
    if kind == "address":
        return _fixed(value, 20).rjust(32, b"\0")
    if kind.startswith("bytes"):
        return _fixed(value, int(kind.removeprefix("bytes"))).ljust(32, b"\0")
    if _INTEGER.fullmatch(kind):
        number = int(value, 0) if isinstance(value, str) else int(value)
        return number.to_bytes(32, "big", signed=number < 0)
    raise ValueError(kind)


def _referred(fields: Sequence[Mapping[str, str]], types: Types) -> set[str]:
    return {field["type"].partition("[")[0] for field in fields} & types.keys()


def _fixed(text: str, size: int) -> bytes:
    data = _unhex(text)
    if len(data) != size:
        raise ValueError(text)
    return data


def _unhex(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def _minimal(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _rlp(data: bytes) -> bytes:
    if len(data) == 1 and data[0] < _SHORT_BYTE:
        return data
    return _with_length(data, _SHORT_BYTE)


def _with_length(data: bytes, offset: int) -> bytes:
    if len(data) <= _SHORT_PAYLOAD:
        return bytes((offset + len(data),)) + data
    length = _minimal(len(data))
    return bytes((offset + _SHORT_PAYLOAD + len(length),)) + length + data
