"""One Vault server: every request goes through here, with a living token, and retried."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_exponential, wait_random

from dfns_signers.errors import KeyAccessError, SigningKeyError
from dfns_signers_vault_transit.client import build_client, strict_twin
from dfns_signers_vault_transit.errors import FAILURES, Purpose, from_exception, harmless
from dfns_signers_vault_transit.login import check_token, login_for
from dfns_signers_vault_transit.options import DEFAULT_MAX_ATTEMPTS, ConnectionOptions
from dfns_signers_vault_transit.tokens import TokenKeeper

_LONGEST_WAIT: Final = 5.0
_BACKOFF: Final = wait_exponential(multiplier=0.1, max=_LONGEST_WAIT) + wait_random(0, 0.1)


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
    """A Vault server as an hvac client sees it.

    Args:
        client: ``hvac.Client``. Its session, server and namespace are used; redirects are not
            followed.
        tokens: sees to the client's token; None leaves that to whoever made the client.
        max_attempts: how often a request is sent at most.
        sleep: waits for some seconds between two attempts.
    """

    def __init__(
        self,
        client: Any,
        *,
        tokens: TokenKeeper | None = None,
        max_attempts: int = DEFAULT_MAX_ATTEMPTS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._owner = client
        self._client = client if tokens else strict_twin(client)
        self._tokens = tokens
        self._max_attempts = max_attempts
        self._sleep = sleep
        self.location = _location(client)
        self.server = server_name(client)

    def call(self, request: Callable[[Any], Any], purpose: Purpose) -> Answer:
        """Send a request.

        Args:
            request: sends it with the client that it is given, and returns the answer.
            purpose: what it is for.

        Raises:
            SigningKeyError: Vault refused or failed, after as many attempts as are allowed.
        """
        sent = 0

        def send() -> Answer:
            nonlocal sent
            sent += 1
            return self._send(request, purpose, sent)

        retrying = Retrying(
            stop=stop_after_attempt(self._max_attempts),
            wait=_wait,
            retry=retry_if_exception(lambda error: getattr(error, "retriable", False)),
            sleep=self._sleep,
            reraise=True,
        )
        return retrying(self._with_token, send)

    def close(self) -> None:
        """Close the connections, unless somebody else made the client."""
        if self._tokens:
            self._client.adapter.close()

    def _with_token(self, send: Callable[[], Answer]) -> Answer:
        if self._tokens is None:
            token = self._owner.token
            self._client.token = token and check_token(token, "the token of the hvac client")
            return send()
        token = self._tokens.ready()
        try:
            return send()
        except KeyAccessError as denial:
            if not self._replace(token, denial):
                raise
        return send()

    def _replace(self, token: str, denial: KeyAccessError) -> bool:
        """Come by another token; where that fails for good, the denial comes first."""
        assert self._tokens  # noqa: S101  # for the type checker
        try:
            return self._tokens.replace(token)
        except SigningKeyError as error:
            if error.retriable:
                raise
            raise KeyAccessError(f"{denial}\nNor is there another token: {error}") from error

    def _send(self, request: Callable[[Any], Any], purpose: Purpose, sent: int) -> Answer:
        try:
            answer = request(self._client)
        except FAILURES as error:
            raise from_exception(error, purpose, self.server) from harmless(error)
        data = answer.get("data")
        return Answer(data if isinstance(data, Mapping) else {}, answer.get("request_id"), sent)


def _wait(state: RetryCallState) -> float:
    """Seconds until the next attempt: as long as Vault asks, within bounds."""
    failure = state.outcome.exception() if state.outcome else None
    asked = getattr(failure.__cause__ if failure else None, "retry_after", None)
    seconds = float(asked) if asked and asked.isdecimal() else 0.0
    return max(_BACKOFF(state), min(seconds, _LONGEST_WAIT))


def connect(options: ConnectionOptions) -> Vault:
    """The server that options describe; the first request logs in."""
    client = build_client(options)
    tokens = TokenKeeper(client, login_for(options.auth), server=server_name(client))
    return Vault(client, tokens=tokens, max_attempts=options.max_attempts)


def server_name(client: Any) -> str:
    """Names the server in errors."""
    return f"Vault at {_location(client)}"


def _location(client: Any) -> str:
    namespace = client.adapter.namespace
    return f"{client.url} (namespace {namespace})" if namespace else str(client.url)
