"""One Vault server: every request goes through here, with a living token, and repeated."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from dfns_signers.plugin import Attempt, KeyStore, RequestLimits, errors
from dfns_signers_vault_transit.client import VaultRefusalError, build_client, strict_client
from dfns_signers_vault_transit.errors import DENIALS, PROVIDER, Purpose
from dfns_signers_vault_transit.logins import check_token
from dfns_signers_vault_transit.options import VaultTransitConnection
from dfns_signers_vault_transit.tokens import TokenManager

_LIMITS: Final = RequestLimits()


@dataclass(frozen=True, slots=True)
class Answer:
    """What Vault answered.

    Attributes:
        data: the member ``data``; empty where there is none.
        request_id: Vault's id of the request, as in its audit log.
        attempts: how many requests it took.
    """

    data: Mapping[str, Any] = field(repr=False)
    request_id: str | None
    attempts: int


class Vault:
    """A Vault server as an hvac client sees it; safe to use from several threads.

    Args:
        client: ``hvac.Client``. Its session, server and namespace are used; redirects are not
            followed.
        tokens: keeps the client's token alive; None leaves that to whom the client belongs.
        limits: how often a request is sent, and how long all attempts may take.
        sleep: waits for some seconds between two attempts.
    """

    def __init__(
        self,
        client: Any,
        *,
        tokens: TokenManager | None = None,
        limits: RequestLimits = _LIMITS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._owner = client
        self._client = client if tokens else strict_client(client)
        self._tokens = tokens
        self._store = partial(
            KeyStore,
            PROVIDER,
            max_attempts=limits.max_attempts,
            timeout=limits.timeout,
            sleep=sleep,
        )
        self.location = _location(client)

    def purpose(self, task: str, remedy: str, mount: str) -> Purpose:
        """What a request to this server is for; see Purpose."""
        return Purpose(task, f"Vault at {self.location}", remedy, mount)

    def ask(
        self, request: Callable[[Any], Any], purpose: Purpose, *, repeat: bool = True
    ) -> Answer:
        """Send a request.

        Args:
            request: sends it with the client that it is given, and returns the answer.
            purpose: what it is for.
            repeat: False for a request that must not be carried out twice.

        Raises:
            SigningKeyError: Vault refused or failed, after as many attempts as are allowed.
        """
        store = self._store(purpose.explain)
        return store.ask(purpose.task, partial(self._send, request), repeat=repeat)

    def close(self) -> None:
        """Close the connections, unless somebody else made the client."""
        if self._tokens:
            self._client.adapter.close()

    def _send(self, request: Callable[[Any], Any], attempt: Attempt) -> Answer:
        if self._tokens is None:
            token = self._owner.token
            self._client.token = token and check_token(token, "the token of the hvac client")
            return self._answer(request, attempt.number)
        token = self._tokens.ready()
        try:
            return self._answer(request, attempt.number)
        except VaultRefusalError as denial:
            if denial.status not in DENIALS or not self._replace(self._tokens, token, denial):
                raise
        return self._answer(request, attempt.number + 1)

    def _replace(self, tokens: TokenManager, token: str, denial: VaultRefusalError) -> bool:
        """Get another token; where that fails for good, the denial comes first."""
        try:
            return tokens.replace(token)
        except errors.SigningKeyError as error:
            if error.retriable:
                raise
            said = [*denial.errors, f"nor is there another token: {error}"]
            raise VaultRefusalError(denial.status, said) from error

    def _answer(self, request: Callable[[Any], Any], attempts: int) -> Answer:
        answer = request(self._client)
        data = answer.get("data")
        return Answer(data if isinstance(data, Mapping) else {}, answer.get("request_id"), attempts)


def connect(
    options: VaultTransitConnection, *, clock: Callable[[], float] = time.monotonic
) -> Vault:
    """The server that options describe; the first request logs in.

    Args:
        options: where it is, and how to log in.
        clock: seconds, monotonic, by which tokens are renewed.
    """
    client = build_client(options)
    login = options.auth
    purpose = Purpose(
        login.task, f"Vault at {_location(client)}", login.remedy, login.mount, is_login=True
    )
    tokens = TokenManager(client, login, purpose, clock=clock)
    return Vault(client, tokens=tokens, limits=options)


def _location(client: Any) -> str:
    namespace = client.adapter.namespace
    return f"{client.url} (namespace {namespace})" if namespace else str(client.url)
