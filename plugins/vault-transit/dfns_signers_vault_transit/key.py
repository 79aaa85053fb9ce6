"""A signing key in Transit, pinned to one version."""

from __future__ import annotations

import base64
import binascii
import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from dfns_signers.errors import ConfigurationError, InvalidSignatureError, SigningKeyError
from dfns_signers.signing_key import KeyResponse, SigningKey
from dfns_signers_vault_transit.batch import Gatherer
from dfns_signers_vault_transit.description import read_description
from dfns_signers_vault_transit.errors import Purpose, from_batch_item, malformed, missing_policy
from dfns_signers_vault_transit.names import check_key_name, check_mount
from dfns_signers_vault_transit.options import DEFAULT_MOUNT, BatchOptions
from dfns_signers_vault_transit.policy import rule
from dfns_signers_vault_transit.vault import Answer, Vault

_log: Final = logging.getLogger(__name__)

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
        batch: gather concurrent signatures into one request; None sends each alone.
        is_pinned: whether the caller compares the fingerprint, so that the latest needs no warning.

    Raises:
        ConfigurationError: a name would lead out of the secrets engine, the version is below 1, or
            the client's token fits into no header. Nothing was sent.
        UnsupportedKeyError: Dfns accepts no key of its type, or it is derived.
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
            raise ConfigurationError(f"{key_version} is no version of a key: they start at 1")
        self._name, self._mount = check_key_name(key), check_mount(mount)
        self._vault = vault if isinstance(vault, Vault) else Vault(vault)
        description = read_description(self._vault, self._mount, self._name)
        self.version = description.latest_version if key_version is None else key_version
        super().__init__(
            description.public_key(self.version),
            reference=f"vault-transit {description.path} version {self.version} at "
            f"{self._vault.location}",
        )
        self._parameters = description.require_key_type().parameters
        self._purpose = Purpose(
            f"sign with the key {description.path}",
            missing_policy(rule(f"{self._mount}/sign/{self._name}", "update")),
            self._mount,
        )
        self._gatherer = Gatherer(self._sign_many, batch) if batch else None
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
        if self._gatherer:
            return self._gatherer.sign(message)
        answer = self._request(hash_input=_base64(message))
        return self._response(answer.data, answer)

    async def _asign(self, message: bytes) -> KeyResponse:
        if self._gatherer:
            return await self._gatherer.asign(message)
        return await super()._asign(message)

    def _sign_many(self, messages: Sequence[bytes]) -> Sequence[KeyResponse | Exception]:
        answer = self._request(batch_input=[{"input": _base64(message)} for message in messages])
        results = answer.data.get("batch_results")
        if not isinstance(results, list) or len(results) != len(messages):
            raise malformed(self._purpose, self._vault.server)
        return [self._outcome(result, answer) for result in results]

    def _request(self, **message: Any) -> Answer:
        return self._vault.call(
            lambda client: client.secrets.transit.sign_data(
                self._name,
                key_version=self.version,
                mount_point=self._mount,
                **self._parameters,
                **message,
            ),
            self._purpose,
        )

    def _outcome(self, result: Any, answer: Answer) -> KeyResponse | Exception:
        """One item of a batch; its failure is its own."""
        try:
            if isinstance(result, Mapping) and result.get("error"):
                return from_batch_item(str(result["error"]), self._purpose, self._vault.server)
            return self._response(result, answer)
        except SigningKeyError as error:
            return error

    def _response(self, result: Any, answer: Answer) -> KeyResponse:
        text = result.get("signature") if isinstance(result, Mapping) else None
        parts = _SIGNATURE.fullmatch(text) if isinstance(text, str) else None
        if parts is None:
            raise malformed(self._purpose, self._vault.server)
        version = parts[1]
        if int(version) != self.version or result.get("key_version", self.version) != self.version:
            raise InvalidSignatureError(
                f"the key {self.reference} was asked to sign, and version {version} did (request "
                f"id {answer.request_id}). The signature is not used. Check what stands between "
                "here and Vault"
            )
        try:
            signature = base64.b64decode(parts[2], validate=True)
        except binascii.Error as error:
            raise malformed(self._purpose, self._vault.server) from error
        return KeyResponse(
            signature,
            key_version=version,
            request_id=answer.request_id,
            attempts=answer.attempts,
        )

    def _close(self) -> None:
        if self._gatherer:
            self._gatherer.close()
        self._vault.close()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
