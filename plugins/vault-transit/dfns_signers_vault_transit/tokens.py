"""Keep a token alive: renewed before it ends, obtained anew when it cannot be, once for all."""

from __future__ import annotations

import copy
import logging
import math
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, Final

from dfns_signers.plugin import errors
from dfns_signers_vault_transit.errors import Purpose
from dfns_signers_vault_transit.logins import AuthOptions, Lease, TokenAuth, check_token, lease_of

_RENEWED_AFTER: Final = 2 / 3  # of its lease

_log: Final = logging.getLogger(__name__)


class TokenManager:
    """Keeps the token of one hvac client alive, for all threads.

    One thread at a time renews or logs in; the others wait for the outcome, and share its failure.

    Args:
        client: hvac client; its token is set here and nowhere else.
        login: how to get a token.
        purpose: what the login is for, in errors.
        clock: seconds, monotonic.
        lock: lets one thread at a time renew or log in.
    """

    def __init__(
        self,
        client: Any,
        login: AuthOptions,
        purpose: Purpose,
        *,
        clock: Callable[[], float] = time.monotonic,
        lock: AbstractContextManager[object] | None = None,
    ) -> None:
        self._client = client
        self._login = login
        self._purpose = purpose
        self._clock = clock
        self._lock = lock or threading.Lock()
        self._is_ours = not isinstance(login, TokenAuth)
        self._lease: Lease | None = None
        self._due = self._end = math.inf
        self._failures = 0
        self._failure: Exception | None = None

    def ready(self) -> str:
        """See that the client has a living token, and return it.

        Raises:
            SigningKeyError: the login was refused, or the server cannot be reached.
        """
        failures = self._failures
        with self._lock:
            if self._lease is None:
                self._share_failure_since(failures)
                return self._obtain().token
            if self._clock() >= self._due:
                self._share_failure_since(failures)
                return self._refresh(self._lease).token
            return self._lease.token

    def replace(self, refused: str) -> bool:
        """Get another token than the one that the server refused.

        Returns:
            Whether there is another; False for a token that lives, and for somebody else's that is
            still the same.

        Raises:
            SigningKeyError: as ``ready``.
        """
        failures = self._failures
        with self._lock:
            if self._lease is not None and self._lease.token != refused:
                return True  # another thread has been here
            self._share_failure_since(failures)
            if self._is_ours and self._lives():
                return False  # a policy forbids it: another token would be refused as well
            return self._obtain().token != refused

    def _share_failure_since(self, failures: int) -> None:
        """Fail as the login did that this thread has waited for; another one would fail, too."""
        if self._failures != failures and self._failure:
            raise copy.copy(self._failure) from self._failure.__cause__

    def _lives(self) -> bool:
        """Whether the server knows the token; False too where the token may not look itself up."""
        try:
            with self._explained("look up the token of this client"):
                self._client.auth.token.lookup_self()
        except errors.KeyAccessError:
            return False
        return True

    def _refresh(self, lease: Lease) -> Lease:
        try:
            if lease.renewable and self._clock() < self._end:
                return self._renew(lease) or self._obtain()
            return self._obtain()
        except errors.SigningKeyError as error:
            left = self._end - self._clock()
            if not error.retriable or left <= 0:
                raise
            _log.warning("the token still lives for %.0f s, and was not renewed: %s", left, error)
            self._due = self._clock() + left / 2
            return lease

    def _renew(self, lease: Lease) -> Lease | None:
        """Renew the token; None if it cannot be."""
        try:
            with self._explained("renew the token of this client"):
                renewed = lease_of(self._client.auth.token.renew_self())
        except errors.SigningKeyError as error:
            if error.retriable:
                raise
            _log.info("the token cannot be renewed: %s", error)
            return None
        # A shorter lease than before is cut by its max TTL: the next one is a new token.
        is_whole = (renewed.seconds or math.inf) >= (lease.seconds or math.inf)
        return self._keep(Lease(lease.token, renewed.seconds, renewed.renewable and is_whole))

    def _obtain(self) -> Lease:
        try:
            with self._purpose.explained():
                lease = self._login.log_in(self._client)
            check_token(lease.token, f"the token that {self._purpose.server} answered with")
        except Exception as error:
            self._failures, self._failure = self._failures + 1, error
            raise
        if not self._is_ours and lease.seconds is not None and not lease.renewable:
            _log.warning(
                "%s: the token ends in %.0f s and cannot be renewed; see that it is replaced",
                self._purpose.task,
                lease.seconds,
            )
        return self._keep(lease)

    def _keep(self, lease: Lease) -> Lease:
        now, life = self._clock(), lease.seconds or math.inf
        self._end = now + life
        self._due = now + life * _RENEWED_AFTER
        self._lease = lease
        self._client.token = lease.token
        return lease

    def _explained(self, task: str) -> AbstractContextManager[None]:
        purpose = replace(self._purpose, task=task, remedy="log in again", is_login=False)
        return purpose.explained()
