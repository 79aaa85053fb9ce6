"""A signing key in Transit, pinned to one version."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Sequence
from typing import Any, Final

from dfns_signers.plugin import KeyResponse, SigningKey, deadlines, errors
from dfns_signers_vault_transit.batch import Batcher
from dfns_signers_vault_transit.names import check_key_name, check_mount
from dfns_signers_vault_transit.opening import read_description
from dfns_signers_vault_transit.options import (
    DEFAULT_BATCH,
    DEFAULT_MOUNT,
    BatchOptions,
    VaultTransitOptions,
)
from dfns_signers_vault_transit.signing import BatchRefusedError, SigningRequests
from dfns_signers_vault_transit.vault import Vault, connect

_log: Final = logging.getLogger(__name__)

# Seconds that a request may take beyond its timeout, such as for a host's name.
_SPARE: Final = 10.0


class VaultTransitKey(SigningKey):
    """One version of a Transit key.

    Opening reads the key; afterwards the version and its public key never change, whatever is
    rotated in Vault.

    Args:
        vault: the server: an ``hvac.Client`` that has a token, or a Vault.
        key: name of the key.
        mount: where the secrets engine is mounted.
        key_version: version that signs; None pins the latest, with a warning.
        batch: bounds of the requests that sign concurrent messages together; None sends each
            alone.
        is_pinned: whether the caller compares the fingerprint, so that the latest needs no warning.

    Raises:
        ConfigurationError: a name would lead out of the secrets engine, the version is below 1, or
            the client's token does not fit into a header. Nothing was sent.
        UnsupportedKeyError: Dfns does not accept keys of its type, or it is derived.
        KeyNotFoundError: there is no such key, version, mount or namespace.
        KeyStateError: the version is archived, or below what may sign.
        SigningKeyError: Vault refused or failed; KeyAccessError names the policy that is missing.
    """

    def __init__(
        self,
        vault: Any,
        key: str,
        *,
        mount: str = DEFAULT_MOUNT,
        key_version: int | None = None,
        batch: BatchOptions | None = DEFAULT_BATCH,
        is_pinned: bool = False,
    ) -> None:
        if key_version is not None and key_version < 1:
            raise errors.ConfigurationError(
                f"{key_version} is not a version of a key: they start at 1"
            )
        try:
            self._name, self._mount = check_key_name(key), check_mount(mount)
        except ValueError as error:
            raise errors.ConfigurationError(str(error)) from None
        self._vault = vault if isinstance(vault, Vault) else Vault(vault)
        del vault  # an hvac client shows its token
        description = read_description(self._vault, self._mount, self._name)
        self.version = description.latest_version if key_version is None else key_version
        super().__init__(
            description.public_key(self.version),
            reference=f"vault-transit {description.path} version {self.version} at "
            f"{self._vault.location}",
        )
        parameters = dict(description.require_key_type().parameters)
        self._requests = SigningRequests(
            self._vault, self._mount, self._name, self.version, parameters
        )
        patience = self._vault.timeout + _SPARE
        self._batcher = Batcher(self._sign_many, batch, patience=patience) if batch else None
        if key_version is None and not is_pinned:
            self._warn_of_rotation()

    def _warn_of_rotation(self) -> None:
        _log.warning(
            "%s is pinned as the latest version: after a rotation, a restart would open "
            "another key than the one registered with Dfns. Set key_version = %d, or "
            'fingerprint = "%s"',
            self.reference,
            self.version,
            self.fingerprint,
        )

    def _sign(self, message: bytes) -> KeyResponse:
        batcher = self._batcher
        if batcher is None:
            return self._requests.one(message)
        try:
            return batcher.sign(message)
        except BatchRefusedError as refusal:
            return _counting(refusal, self._requests.one(message))

    async def _asign(self, message: bytes) -> KeyResponse:
        batcher = self._batcher
        if batcher is None or not _is_in_asyncio():
            return await super()._asign(message)
        try:
            return await batcher.asign(message, self._pursue)
        except BatchRefusedError as refusal:
            return _counting(refusal, await super()._asign(message))

    def _sign_many(self, messages: Sequence[bytes]) -> Sequence[KeyResponse | Exception]:
        # Those that waited while a batch was refused.
        if self._batcher is None:
            refusal = BatchRefusedError("several messages in one request were refused", 0)
            return [refusal] * len(messages)
        # Counted of its own: the task that it was sent for may have been cancelled. The first
        # message of a refused batch is sent again within the time of the batch.
        with self._inside(admitted=True), deadlines.within(self._vault.timeout):
            outcomes = self._requests.together(messages)
        for outcome in outcomes:
            if isinstance(outcome, BatchRefusedError):
                self._send_alone_after(outcome)
                break
        return outcomes

    def _send_alone_after(self, refusal: BatchRefusedError) -> None:
        self._batcher = None
        _log.warning(
            "%s: %s. Alone the first was signed, so from here on each message is sent alone. Allow "
            "the parameter 'batch_input' in the token's policies, or set batch = false",
            self.reference,
            refusal,
        )

    def _close(self) -> None:
        self._vault.close()


def open_key(options: VaultTransitOptions) -> VaultTransitKey:
    """Log in, and open the key that options describe."""
    vault = connect(options)
    try:
        return VaultTransitKey(
            vault,
            options.key,
            mount=options.mount,
            key_version=options.key_version,
            batch=options.batch,
            is_pinned=options.fingerprint is not None,
        )
    except BaseException:  # Ctrl-C and cancellation, too
        vault.close()
        raise


def _is_in_asyncio() -> bool:
    """Whether an asyncio task runs: not under trio, also where that is a guest of asyncio."""
    import asyncio  # noqa: PLC0415  # not for those that sign in threads

    with contextlib.suppress(RuntimeError):
        return asyncio.current_task() is not None
    return False


def _counting(refusal: BatchRefusedError, response: KeyResponse) -> KeyResponse:
    return response._replace(attempts=response.attempts + refusal.attempts)
