"""A signing key in Transit, pinned to one version."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
import re
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from dfns_signers.plugin import Attempt, KeyResponse, Sealed, SigningKey, errors, quoted
from dfns_signers_vault_transit.answers import VaultRefusalError
from dfns_signers_vault_transit.batch import Batcher
from dfns_signers_vault_transit.errors import missing_policy, rule
from dfns_signers_vault_transit.names import check_key_name, check_mount
from dfns_signers_vault_transit.opening import read_description
from dfns_signers_vault_transit.options import DEFAULT_MOUNT, BatchOptions, VaultTransitOptions
from dfns_signers_vault_transit.vault import Vault, connect

T = TypeVar("T")

_log: Final = logging.getLogger(__name__)

_BAD_REQUEST: Final = 400
_SPARE: Final = (
    10.0  # seconds that a request may take beyond its timeout, such as for a host's name
)
_SIGNATURE: Final = re.compile(r"vault:v([1-9][0-9]{0,17}):([A-Za-z0-9+/]+={0,2})")


class VaultTransitKey(SigningKey):
    """One version of a Transit key.

    Opening reads the key; afterwards the version and its public key never change, whatever is
    rotated in Vault.

    Args:
        vault: the server: an ``hvac.Client`` that has a token, or a Vault.
        key: name of the key.
        mount: where the secrets engine is mounted.
        key_version: version that signs; None pins the latest, with a warning.
        batch: sign concurrent messages in one request; None sends each alone.
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
        batch: BatchOptions | None = None,
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
        self._parameters = description.require_key_type().parameters
        self._purpose = self._vault.purpose(
            f"sign with the key {description.path}",
            missing_policy(rule(f"{self._mount}/sign/{self._name}", "update")),
            self._mount,
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
        if self._batcher:
            return self._batcher.sign(message)
        return self._request(self._response, hash_input=_base64(message))

    async def _asign(self, message: bytes) -> KeyResponse:
        if self._batcher and _is_in_asyncio():
            return await self._batcher.asign(message)
        return await super()._asign(message)

    def _sign_many(self, messages: Sequence[bytes]) -> Sequence[KeyResponse | Exception]:
        def outcomes(data: Sealed[Any], *request: Any) -> Sequence[KeyResponse | Exception]:
            if len(data.open()["batch_results"]) != len(messages):
                raise ValueError("another number of results than of messages")
            results = map(Sealed, data.open()["batch_results"])
            return [self._outcome(result, *request) for result in results]

        # Counted of its own: the task that it was sent for may have been cancelled.
        with self._inside(admitted=True):
            return self._request(
                outcomes, batch_input=[{"input": _base64(one)} for one in messages]
            )

    def _request(self, read: Callable[[Sealed[Any], str | None, Attempt], T], **message: Any) -> T:
        def send(client: Any, attempt: Attempt) -> T:
            answer = Sealed(
                client.secrets.transit.sign_data(
                    self._name,
                    key_version=self.version,
                    mount_point=self._mount,
                    **self._parameters,
                    **message,
                )
            )
            request_id = _printable(answer.open().get("request_id"))
            return read(Sealed(answer.open()["data"]), request_id, attempt)

        return self._vault.request(self._purpose, send)

    def _outcome(
        self, result: Sealed[Any], request_id: str | None, attempt: Attempt
    ) -> KeyResponse | Exception:
        """One item of a batch; its failure is its own."""
        try:
            with self._purpose.explained(attempt):
                if result.open().get("error"):
                    # An item has no status of its own.
                    raise VaultRefusalError(_BAD_REQUEST, [str(result.open()["error"])])
                return self._response(result, request_id, attempt)
        except errors.SigningKeyError as error:
            return error

    def _response(
        self, result: Sealed[Any], request_id: str | None, attempt: Attempt
    ) -> KeyResponse:
        parts = _SIGNATURE.fullmatch(result.open()["signature"])
        if parts is None:
            raise ValueError("not a signature as Transit writes it")
        version = parts[1]
        versions = Sealed([int(version), result.open().get("key_version", self.version)])
        if versions.open() != [self.version] * 2:
            raise errors.InvalidSignatureError(
                f"the key {self.reference} was asked to sign, and version {version} did (request "
                f"id {request_id}). The signature is not used. Check what stands between "
                "this machine and Vault"
            )
        return KeyResponse(
            base64.b64decode(parts[2], validate=True),
            key_version=version,
            request_id=request_id,
            attempts=attempt.number,
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
    except BaseException:
        vault.close()
        raise


def _is_in_asyncio() -> bool:
    """Whether an asyncio task runs: not under trio, also where that is a guest of asyncio."""
    with contextlib.suppress(RuntimeError):
        return asyncio.current_task() is not None
    return False


def _printable(request_id: object) -> str | None:
    return quoted(request_id) if isinstance(request_id, str) else None


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
