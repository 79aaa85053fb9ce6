"""Delegated clients: the challenge leaves the process, an assertion made elsewhere comes back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Generator, Iterator, Mapping
from functools import partial
from typing import Any, Generic, TypeVar

import httpx
from typing_extensions import TypedDict, Unpack

from dfns_signers.announced_call import AnnouncedCall
from dfns_signers.client.base_client import BaseClient, ItemsT, R
from dfns_signers.client.call import Call
from dfns_signers.client.client import AsyncClient, SyncClient
from dfns_signers.client.given_connections import HttpT
from dfns_signers.client.http_settings import Timeout
from dfns_signers.client.pending import PendingAction
from dfns_signers.client.verbs import CallOptions
from dfns_signers.errors import RequestError
from dfns_signers.rate_limits.rate_limit import RateLimit
from dfns_signers.sealed import Sealed
from dfns_signers.user_action import signing_flow
from dfns_signers.user_action.bodies import to_json_bytes
from dfns_signers.user_action.signing_flow import Exchange
from dfns_signers.user_action.tokens import TokenSource

PendingT = TypeVar("PendingT")


class ClientOptions(TypedDict, Generic[HttpT], total=False):
    """What a delegated client may be given besides its token; DfnsClient documents each."""

    base_url: str
    timeout: Timeout
    call_timeout: float | None
    max_attempts: int
    max_retry_after: float
    rate_limit: int | RateLimit | None
    keepalive_expiry: float
    http_client: HttpT | None


class _Delegated(BaseClient[R, ItemsT, HttpT], Generic[R, PendingT, ItemsT, HttpT]):
    """Takes no signer; announces what must be signed."""

    _signs = False

    def __init__(self, auth_token: TokenSource, **options: Unpack[ClientOptions[HttpT]]) -> None:
        token = Sealed(auth_token)
        del auth_token
        super().__init__(token.open(), None, **options)

    def init(self, method: str, path: str, **options: Unpack[CallOptions]) -> PendingT:
        """Announce a call and get its challenge; the arguments are those of ``request``."""
        pending: PendingT = self._carry_signed(Call.of(method, path, signed=True, **options))
        return pending

    def complete(
        self,
        pending: PendingAction,
        first_factor: Mapping[str, Any],
        second_factor: Mapping[str, Any] | None = None,
    ) -> R:
        """Send the announced call.

        Args:
            pending: from ``init``, of this or another process.
            first_factor: assertion as ``POST /auth/action`` takes it: ``{"kind": "Key",
                "credentialAssertion": {…}}``, or of kind ``Fido2`` or ``PasswordProtectedKey``.
            second_factor: where the challenge requires one.

        Raises:
            RequestError: the pending action is not one, or a factor is malformed or missing.
                Nothing was sent.
            ApiError: the API refused the assertion or the call.
        """
        if not isinstance(pending, PendingAction):
            raise RequestError(
                f"expected the pending action that init() returned, found {type(pending).__name__};"
                " PendingAction.from_json reads one that was kept as text"
            )

        def steps(call: AnnouncedCall) -> Generator[Exchange, Any, str]:
            if call != pending.call:
                raise RequestError(
                    f"the request {call.method} {call.path} is not what was announced as "
                    f"{pending.method} {pending.path}"
                )
            return signing_flow.complete(pending.challenge, first_factor, second_factor)

        return self._attempt(pending.to_call(), self._auth.with_steps(steps))

    def send(self, call: Call[Any]) -> R:
        """Send a call that needs no signature.

        Raises:
            RequestError: it needs one.
        """
        if call.signed:
            raise RequestError(
                f"{call.method} {call.path} must be signed: use init() and complete(), or give "
                "signed=False if the API takes it without a signature"
            )
        return self._send(call)

    def _carry_signed(self, call: Call[Any]) -> Any:
        announced = AnnouncedCall(call.method, call.path, call.content.decode("utf-8"))
        step = signing_flow.announcement(announced)
        answer = self._send(Call("POST", step.path, to_json_bytes(step.body), announces=True))
        return self._then(answer, partial(PendingAction.of, announced, call.params))


class DelegatedDfnsClient(_Delegated[Any, PendingAction, Iterator[Any], httpx.Client], SyncClient):
    """Calls the Dfns API where somebody else signs: a passkey in a browser, another service.

    Reads are ordinary calls. For what must be signed, ``init`` announces the call and returns a
    pending action with its challenge; ``complete`` takes it with the assertion and sends the very
    bytes that were announced. Typed calls that must be signed return a pending action likewise.

    Args:
        auth_token: as for DfnsClient.
        base_url: as for DfnsClient.
        timeout: as for DfnsClient.
        call_timeout: as for DfnsClient.
        max_attempts: as for DfnsClient; ``complete`` is never repeated.
        max_retry_after: as for DfnsClient.
        rate_limit: as for DfnsClient.
        keepalive_expiry: as for DfnsClient.
        http_client: as for DfnsClient.

    Example:
        >>> pending = dfns.wallets.create(network="EthereumSepolia")  # doctest: +SKIP
        >>> session["action"] = pending.to_json()  # doctest: +SKIP
        >>> pending = PendingAction.from_json(session["action"])  # doctest: +SKIP
        >>> wallet = dfns.complete(pending, assertion)  # doctest: +SKIP
    """


class AsyncDelegatedDfnsClient(
    _Delegated[
        Coroutine[Any, Any, Any],
        Coroutine[Any, Any, PendingAction],
        AsyncIterator[Any],
        httpx.AsyncClient,
    ],
    AsyncClient,
):
    """DelegatedDfnsClient for asyncio and trio: the same arguments, and every call is awaited."""
