"""Ask Transit for signatures: of one message, or of several in one request."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from dfns_signers.plugin import Attempt, KeyResponse, Sealed, errors, quoted
from dfns_signers_vault_transit.answers import VaultRefusalError
from dfns_signers_vault_transit.errors import missing_policy, rule
from dfns_signers_vault_transit.vault import Vault

T = TypeVar("T")

_BAD_REQUEST: Final = 400
_SIGNATURE: Final = re.compile(r"vault:v([1-9][0-9]{0,17}):([A-Za-z0-9+/]+={0,2})")


class BatchRefusedError(errors.SigningKeyError):
    """Several messages in one request are refused: this one was not signed so far.

    Attributes:
        attempts: how many requests it was in.
    """

    def __init__(self, reason: str, attempts: int = 1) -> None:
        super().__init__(reason)
        self.attempts = attempts


class SigningRequests:
    """Requests for signatures by one version of a Transit key.

    Args:
        vault: the server.
        mount: where the secrets engine is mounted.
        key: name of the key.
        version: the version that signs.
        parameters: what is sent beside the message.
    """

    def __init__(
        self, vault: Vault, mount: str, key: str, version: int, parameters: dict[str, str]
    ) -> None:
        self._vault = vault
        self._sent = {"name": key, "mount_point": mount, "key_version": version, **parameters}
        self._version = version
        self._signer = f"the key {mount}/{key} version {version} at Vault at {vault.location}"
        remedy = missing_policy(rule(f"{mount}/sign/{key}", "update"))
        self._purpose = vault.purpose(f"sign with the key {mount}/{key}", remedy, mount)

    def one(self, message: bytes) -> KeyResponse:
        """Have a message signed.

        Raises:
            InvalidSignatureError: another version signed.
            SigningKeyError: Vault refused or failed.
        """
        return self._request(self._response, hash_input=_base64(message))

    def together(self, messages: Sequence[bytes]) -> Sequence[KeyResponse | Exception]:
        """Have messages signed in one request; a single one as ``one`` does.

        Where a policy or a server refuses several messages in a request, and not the first of them
        alone, the others' outcome is a BatchRefusedError.

        Returns:
            The signature or the error of each, in the same order.

        Raises:
            SigningKeyError: Vault refused or failed, for all of them.
        """
        if len(messages) == 1:
            return [self.one(messages[0])]
        outcomes = self._several(messages)
        if not all(map(_may_concern_batches, outcomes)):
            return outcomes
        try:
            first = self.one(messages[0])
        except errors.SigningKeyError:
            return outcomes
        refusal = BatchRefusedError(f"several messages in one request were refused: {outcomes[0]}")
        return [first._replace(attempts=first.attempts + 1), *[refusal] * (len(messages) - 1)]

    def _several(self, messages: Sequence[bytes]) -> Sequence[KeyResponse | Exception]:
        def outcomes(data: Sealed[Any], *request: Any) -> Sequence[KeyResponse | Exception]:
            if len(data.open()["batch_results"]) != len(messages):
                raise ValueError("another number of results than of messages")
            results = map(Sealed, data.open()["batch_results"])
            return [self._outcome(result, *request) for result in results]

        try:
            return self._request(
                outcomes, batch_input=[{"input": _base64(one)} for one in messages]
            )
        except errors.SigningKeyError as error:
            return [error] * len(messages)

    def _request(self, read: Callable[[Sealed[Any], str | None, Attempt], T], **message: Any) -> T:
        def send(client: Any, attempt: Attempt) -> T:
            answer = Sealed(client.secrets.transit.sign_data(**self._sent, **message))
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
        versions = Sealed([int(version), result.open().get("key_version", self._version)])
        if versions.open() != [self._version] * 2:
            raise errors.InvalidSignatureError(
                f"{self._signer} was asked to sign, and version {version} did (request "
                f"id {request_id}). The signature is not used. Check what stands between "
                "this machine and Vault"
            )
        return KeyResponse(
            base64.b64decode(parts[2], validate=True),
            key_version=version,
            request_id=request_id,
            attempts=attempt.number,
        )


def _may_concern_batches(outcome: KeyResponse | Exception) -> bool:
    """Whether a message may have failed only because it was not sent alone."""
    return (
        isinstance(outcome, errors.SigningKeyError)
        and not outcome.retriable
        and not isinstance(outcome, errors.InvalidSignatureError)
    )


def _printable(request_id: object) -> str | None:
    return quoted(request_id) if isinstance(request_id, str) else None


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
