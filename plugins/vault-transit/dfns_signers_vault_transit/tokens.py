"""Keep a token alive: renewed before it ends, obtained anew when it cannot be, once for all."""

from __future__ import annotations

import copy
import logging
import math
import threading
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

from dfns_signers.errors import KeyAccessError, SigningKeyError
from dfns_signers_vault_transit.errors import (
    FAILURES,
    Purpose,
    from_exception,
    harmless,
    malformed,
)
from dfns_signers_vault_transit.login import Lease, Login, check_token, lease_of

_RENEWED_AFTER: Final = 2 / 3  # of its lease

_T = TypeVar("_T")

_log: Final = logging.getLogger(__name__)


class TokenKeeper:
    """Sees to the token of one hvac client, for all threads.

    One thread at a time renews or logs in; the others wait for what comes of it, and share its
    failure, too.

    Args:
        client: hvac client; its token is set here and nowhere else.
        login: how to come by a token.
        server: names the server in errors.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        client: Any,
        login: Login,
        *,
        server: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._login = login
        self._server = server
        self._clock = clock
        self._lock = threading.Lock()
        self._lease: Lease | None = None
        self._due = self._end = math.inf
        self._failures = 0
        self._failure: Exception | None = None

    def ready(self) -> str:
        """See that the client has a token that lives, and return it.

        Raises:
            SigningKeyError: the login was refused, or the server cannot be reached.
        """
        failures = self._failures
        with self._lock:
            if self._lease is not None and self._clock() < self._due:
                return self._lease.token
            self._share_failure_since(failures)
            if self._lease is None:
                return self._obtain().token
            self._refresh(self._lease)
            return self._lease.token

    def replace(self, refused: str) -> bool:
        """Come by another token than the one that the server refused.

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
            if self._login.is_ours and self._lives():
                return False  # a policy forbids it: another token would be refused as well
            return self._obtain().token != refused

    def _share_failure_since(self, failures: int) -> None:
        """Fail as the login did that this thread has waited for; another one would fail, too."""
        if self._failures != failures and self._failure:
            raise copy.copy(self._failure) from self._failure.__cause__

    def _lives(self) -> bool:
        """Whether the server knows the token; unknown is a token that may not look itself up."""
        purpose = Purpose("look up its token", "Log in again")
        try:
            self._ask(lambda client: client.auth.token.lookup_self(), purpose)
        except KeyAccessError:
            return False
        return True

    def _refresh(self, lease: Lease) -> None:
        try:
            if not (lease.renewable and self._clock() < self._end and self._renew(lease)):
                self._obtain()
        except SigningKeyError as error:
            left = self._end - self._clock()
            if not error.retriable or left <= 0:
                raise
            _log.warning("the token still lives for %.0f s, and was not renewed: %s", left, error)
            self._due = self._clock() + left / 2

    def _renew(self, lease: Lease) -> bool:
        """Renew the token; False if it cannot be."""
        purpose = Purpose("renew its token", "Log in again")
        try:
            renewed = self._ask(lambda client: lease_of(client.auth.token.renew_self()), purpose)
        except SigningKeyError as error:
            if error.retriable:
                raise
            _log.info("the token cannot be renewed: %s", error)
            return False
        # A shorter lease than before is cut by its max TTL: the next one is a new token.
        is_whole = (renewed.seconds or math.inf) >= (lease.seconds or math.inf)
        self._keep(Lease(lease.token, renewed.seconds, renewed.renewable and is_whole))
        return True

    def _obtain(self) -> Lease:
        try:
            lease = self._ask(self._login.obtain, self._login.purpose)
            check_token(lease.token, f"{self._server}: the token of the answer")
        except Exception as error:
            self._failures, self._failure = self._failures + 1, error
            raise
        if not self._login.is_ours and lease.seconds is not None and not lease.renewable:
            _log.warning(
                "%s: the token ends in %.0f s and cannot be renewed; see that it is replaced",
                self._login.purpose.doing,
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

    def _ask(self, request: Callable[[Any], _T], purpose: Purpose) -> _T:
        try:
            return request(self._client)
        except FAILURES as error:
            raise from_exception(error, purpose, self._server) from harmless(error)
        except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
            raise malformed(purpose, self._server) from error
