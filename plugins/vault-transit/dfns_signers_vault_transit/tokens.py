"""Keep a token alive: renewed before it ends, obtained anew when it cannot be, once for all."""

from __future__ import annotations

import copy
import logging
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any, Final

from dfns_signers.plugin import Attempt, Sealed, errors
from dfns_signers_vault_transit.errors import Purpose
from dfns_signers_vault_transit.logins import AuthOptions, Lease, TokenAuth, check_token

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
        clock: Callable[[], float],
        *,
        lock: threading.Lock | None = None,
    ) -> None:
        self._client = client
        self._login = login
        self._purpose = purpose
        self._clock = clock
        self._lock = lock or threading.Lock()
        self._is_ours = not isinstance(login, TokenAuth)
        self._lease: Lease | None = None
        self._due = self._end = math.inf
        self._failure: Exception | None = None

    def ready(self, attempt: Attempt) -> Sealed[str]:
        """See that the client has a living token for an attempt at a request, and return it.

        Raises:
            SigningKeyError: the login was refused, or the server cannot be reached.
        """
        earlier = self._failure
        with self._alone(attempt):
            lease = self._lease
            if lease is not None and self._clock() < self._due:
                return lease.token
            self._share_failure_since(earlier)
            return (self._refresh(lease, attempt) if lease else self._obtain(attempt)).token

    def replace(self, refused: Sealed[str], attempt: Attempt) -> bool:
        """Get another token than the one that the server refused.

        Returns:
            Whether there is another; False for a token that lives, and for somebody else's that is
            still the same.

        Raises:
            SigningKeyError: as ``ready``.
        """
        earlier = self._failure
        with self._alone(attempt):
            if self._lease is not None and self._lease.token.open() != refused.open():
                return True  # another thread has been here
            self._share_failure_since(earlier)
            if self._is_ours and self._lives(attempt):
                return False  # a policy forbids it: another token would be refused as well
            return self._obtain(attempt).token.open() != refused.open()

    @contextmanager
    def _alone(self, attempt: Attempt) -> Iterator[None]:
        longest = -1 if attempt.remaining is None else attempt.remaining
        if not self._lock.acquire(timeout=longest):
            raise errors.KeyStoreUnavailableError(
                f"cannot {self._purpose.task}: another thread was still waiting for an answer when "
                "the time for this operation was over; try again"
            )
        try:
            yield
        finally:
            self._lock.release()

    def _share_failure_since(self, earlier: Exception | None) -> None:
        """Fail as the login did that this thread has waited for; another one would fail, too."""
        if self._failure is not None and self._failure is not earlier:
            raise copy.copy(self._failure) from self._failure.__cause__

    def _lives(self, attempt: Attempt) -> bool:
        """Whether the server knows the token; False too where the token may not look itself up."""
        try:
            with self._explained("look up the token of this client", attempt):
                self._client.auth.token.lookup_self()
        except errors.KeyAccessError:
            return False
        return True

    def _refresh(self, lease: Lease, attempt: Attempt) -> Lease:
        try:
            can_live = lease.renewable and self._clock() < self._end
            return (can_live and self._renew(lease, attempt)) or self._obtain(attempt)
        except errors.SigningKeyError as error:
            left = self._end - self._clock()
            if not error.retriable or left <= 0:
                raise
            _log.warning("the token still lives for %.0f s, and was not renewed: %s", left, error)
            self._due = self._clock() + left / 2
            return lease

    def _renew(self, lease: Lease, attempt: Attempt) -> Lease | None:
        """Renew the token; None if it cannot be."""
        try:
            with self._explained("renew the token of this client", attempt):
                renewed = Lease.model_validate(self._client.auth.token.renew_self()["auth"])
        except errors.SigningKeyError as error:
            if error.retriable:
                raise
            _log.info("the token cannot be renewed: %s", error)
            return None
        # A shorter lease than before is cut by its max TTL: the next one is a new token.
        is_whole = (renewed.seconds or math.inf) >= (lease.seconds or math.inf)
        changes = {"token": lease.token, "renewable": renewed.renewable and is_whole}
        return self._keep(renewed.model_copy(update=changes))

    def _obtain(self, attempt: Attempt) -> Lease:
        try:
            with self._purpose.explained(attempt):
                lease = self._login.log_in(self._client)
            check_token(lease.token, f"the token that {self._purpose.server} answered with")
        except Exception as error:
            self._failure = error
            raise
        if not self._is_ours and lease.seconds and not lease.renewable:
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
        self._client.token = lease.token.open()
        return lease

    def _explained(self, task: str, attempt: Attempt) -> AbstractContextManager[None]:
        purpose = replace(self._purpose, task=task, remedy="log in again", is_login=False)
        return purpose.explained(attempt)
