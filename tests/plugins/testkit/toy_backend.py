"""A backend for the tests of the contract, which breaks it as the variable TOY_FAULT says."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import threading
from collections.abc import Iterator
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ConfigDict, Field

from dfns_signers.plugin import (
    Algorithm,
    Backend,
    BackendOptions,
    KeyDescription,
    KeyResponse,
    ManagementOptions,
    ManagesKeys,
    Secret,
    SigningKey,
    errors,
)

PIN = "toy-pin-271828"
PARENT = os.getpid()
FAULT = os.environ.get("TOY_FAULT", "")
FOREVER = 30.0
CREATED: list[str] = []
CHANGED: list[str] = []
UNVERIFIED = {"wrong signature", "digest", "threads", "strings", "unverified"}


class ToyOptions(BackendOptions):
    label: str = Field(description="Label of the key.")
    pin: Secret = Field(description="PIN of the store.")
    if FAULT == "unknown option accepted":
        model_config = ConfigDict(extra="allow")
    if FAULT == "undocumented option":
        colour: str = Field(default="", description="Colour of the key.")
    if FAULT == "option without description":
        slot: int = 0


class ToyCreate(ManagementOptions):
    label: str


class ToyKey(SigningKey):
    def __init__(self, label: str) -> None:
        seed = os.urandom(32) if FAULT == "changed public key" else label.encode().ljust(32)
        self._private_key = Ed25519PrivateKey.from_private_bytes(seed)
        super().__init__(
            self._private_key.public_key(),
            reference=f"toy:{label}",
            verify_signatures=FAULT not in UNVERIFIED,
        )
        self._message = b""
        self._two_threads = threading.Barrier(2, timeout=0.5)
        self._is_cancelled = False

    def _sign(self, message: bytes) -> KeyResponse:
        if FAULT == "foreign exception" and not message:
            raise OSError("the socket is gone")
        if FAULT == "secret in the log":
            logging.getLogger("toy").debug("signed with %s", PIN)
        if FAULT == "threads":
            self._message = message
            self._two_threads.wait()
            message = self._message
        if FAULT == "strings" and isinstance(message, str):
            message = message.encode()
        if FAULT == "short messages only" and len(message) > 1000:
            raise errors.SigningKeyError("the toy store signs up to 1000 bytes")
        if FAULT == "digest":
            message = hashlib.sha256(message).digest()
        signature = self._private_key.sign(message)
        if FAULT == "wrong signature":
            signature = signature[::-1]
        if FAULT == "wrong length":
            signature = signature[:-1]
        return KeyResponse(signature, attempts=0 if FAULT == "no attempts" else 1)

    async def _asign(self, message: bytes) -> KeyResponse:
        if FAULT == "asyncio only":
            await asyncio.sleep(0)
        if FAULT == "cancelled":
            if self._is_cancelled:
                raise errors.SigningKeyError("the session is broken")
            self._is_cancelled = True
            await super()._asign(message)
            self._is_cancelled = False
        return await super()._asign(message)

    def close(self) -> None:
        if FAULT == "hang on close":
            threading.Event().wait(FOREVER)
        if FAULT != "closing ignored":
            super().close()

    def __reduce__(self) -> Any:
        return (str, ()) if FAULT == "pickles" else super().__reduce__()

    def __repr__(self) -> str:
        return f"<ToyKey {PIN}>" if FAULT == "secret in repr" else super().__repr__()


class ToyBackend(Backend[ToyOptions], ManagesKeys[ToyCreate, ManagementOptions]):
    options = ToyOptions
    create_options = ToyCreate
    list_options = ManagementOptions

    def open(self, options: ToyOptions) -> SigningKey:
        if FAULT == "hang after fork" and os.getpid() != PARENT:
            threading.Event().wait(FOREVER)
        if FAULT == "foreign exception after fork" and os.getpid() != PARENT:
            raise OSError("the socket is gone")
        if options.label == "unreachable":
            raise errors.KeyStoreUnavailableError("the toy store cannot be reached: switch it on")
        if options.pin.reveal() != PIN:
            raise errors.KeyAccessError(f"wrong PIN for the key {options.label}: correct 'pin'")
        if options.label == "missing":
            if FAULT == "foreign exception at opening":
                raise KeyError(options.label)
            shown = f" (PIN {PIN})" if FAULT == "secret in error" else ""
            try:
                raise LookupError(PIN if FAULT == "secret in cause" else "missing")
            except LookupError as cause:
                raise errors.KeyNotFoundError(f"there is no key 'missing'{shown}") from cause
        return ToyKey(options.label + " changed" * (options.label in CHANGED))

    def create(self, algorithm: Algorithm, options: ToyCreate) -> KeyDescription:
        if FAULT != "created key not listed":
            CREATED.append(options.label)
        return described(options.label)

    if FAULT != "neither found nor followed":

        def find(self, algorithm: Algorithm, options: ToyCreate) -> KeyDescription | None:
            if FAULT == "never found" or options.label not in CREATED:
                return described("other") if FAULT == "found too early" else None
            return described("other" if FAULT == "another found" else options.label)

        def create_next(self, options: ToyOptions) -> KeyDescription:
            if FAULT == "next key each time":
                CREATED.append(options.label)
            if FAULT == "no next key":
                return described(options.label)
            if FAULT == "configured key changed":
                CHANGED.append(options.label)
            return described(f"{options.label} {1 + CREATED.count(options.label)}")

    def list_keys(self, options: ManagementOptions) -> Iterator[KeyDescription]:
        return map(described, CREATED)


def described(label: str) -> KeyDescription:
    signer = {"backend": "toy", "label": label, "pin": {"env": "TOY_PIN"}}
    return KeyDescription(f"toy:{label}", Algorithm.ED25519, "ed25519", "enabled", signer=signer)
