"""One Vault server: every request goes through here, with a living token, and repeated."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, TypeVar

from dfns_signers.plugin import Attempt, KeyStore, RequestLimits, Sealed, errors
from dfns_signers_vault_transit.answers import VaultRefusalError
from dfns_signers_vault_transit.client import build_client, strict_client
from dfns_signers_vault_transit.errors import DENIALS, PROVIDER, Purpose
from dfns_signers_vault_transit.logins import AuthOptions, check_token
from dfns_signers_vault_transit.options import VaultTransitConnection
from dfns_signers_vault_transit.process import Process
from dfns_signers_vault_transit.tokens import TokenManager

T = TypeVar("T")

_LIMITS: Final = RequestLimits()

# Up to the last @: a password may have characters that should have been escaped.
_USERINFO: Final = re.compile(r"\A([^/@]*//)?.*@", re.DOTALL)


class Vault(KeyStore):
    """A Vault server as an hvac client sees it; safe to use from several threads.

    Args:
        client: ``hvac.Client``. Its session, server and namespace are used; redirects are not
            followed.
        login: how to get a token and keep it alive; None leaves that to whom the client belongs.
        limits: how often a request is sent, and how long all attempts may take.
        sleep: waits for some seconds between two attempts.
        clock: seconds, monotonic.

    Attributes:
        timeout: seconds for one operation over all attempts.
    """

    def __init__(
        self,
        client: Any,
        *,
        login: AuthOptions | None = None,
        limits: RequestLimits = _LIMITS,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(
            PROVIDER,
            lambda _: None,  # each request brings what its errors mean
            max_attempts=limits.max_attempts,
            timeout=limits.timeout,
            sleep=sleep,
            clock=clock,
        )
        self.timeout = limits.timeout
        self._process = Process()
        namespace = client.adapter.namespace
        address = _USERINFO.sub(r"\1", str(client.url))
        self.location = f"{address} (namespace {namespace})" if namespace else address
        self._owner = Sealed(client)
        self._client = client if login else strict_client(client)
        self._tokens = TokenManager(client, login, self._login(login), clock) if login else None

    def purpose(self, task: str, remedy: str, mount: str) -> Purpose:
        """What a request to this server is for; see Purpose."""
        return Purpose(task, f"Vault at {self.location}", remedy, mount)

    def _login(self, login: AuthOptions) -> Purpose:
        return replace(self.purpose(login.task, login.remedy, login.mount), is_login=True)

    def request(
        self, purpose: Purpose, send: Callable[[Any, Attempt], T], *, repeat: bool = True
    ) -> T:
        """Send a request, and read its answer.

        Args:
            purpose: what it is for.
            send: sends it with the hvac client that it is given, and reads the answer. A request
                that is sent again with another token counts as an attempt of its own.
            repeat: False for a request that must not be carried out twice.

        Raises:
            SigningKeyError: Vault refused or failed, after as many attempts as are allowed, or this
                process was forked from the one that this was made in.
        """
        self._process.require(f"the connection to Vault at {self.location}")
        resent = 0  # with another token

        def once(attempt: Attempt) -> T:
            nonlocal resent
            token = self._ready(attempt)
            try:
                return send(self._client, replace(attempt, number=attempt.number + resent))
            except VaultRefusalError as denial:
                if not self._is_replaced(token, denial, attempt):
                    raise
            resent += 1
            return send(self._client, replace(attempt, number=attempt.number + resent))

        return self.ask(purpose.task, once, repeat=repeat, explain=purpose.explain)

    def close(self) -> None:
        """Close the connections, unless somebody else made the client."""
        if self._tokens:
            self._client.adapter.close()

    def _ready(self, attempt: Attempt) -> Sealed[str]:
        """See that the client has a token, and return it; empty where its owner gave it none."""
        if self._tokens:
            return self._tokens.ready(attempt)
        token = Sealed(self._owner.open().token or "")
        if token.open():
            check_token(token, "the token of the hvac client")
        self._client.token = token.open()
        return token

    def _is_replaced(self, token: Sealed[str], denial: VaultRefusalError, attempt: Attempt) -> bool:
        """Whether there is another token to send a request with that was denied."""
        if self._tokens is None or denial.status not in DENIALS:
            return False
        return _replace(self._tokens, token, denial, attempt)


def connect(
    options: VaultTransitConnection, *, clock: Callable[[], float] = time.monotonic
) -> Vault:
    """The server that options describe; the first request logs in."""
    return Vault(build_client(options), login=options.auth, limits=options, clock=clock)


def _replace(
    tokens: TokenManager, token: Sealed[str], denial: VaultRefusalError, attempt: Attempt
) -> bool:
    """Get another token; where that fails for good, the denial comes first."""
    try:
        return tokens.replace(token, attempt)
    except errors.SigningKeyError as error:
        if error.retriable:
            raise
        said = [*denial.errors, f"nor is there another token: {error}"]
        raise VaultRefusalError(denial.status, said) from error
