"""Delegated clients: the challenge leaves the process, an assertion made elsewhere comes back."""

from __future__ import annotations

from collections.abc import Coroutine, Generator, Mapping
from typing import Any, TypeVar

import httpx

from dfns_signers import defaults
from dfns_signers.announced_call import AnnouncedCall
from dfns_signers.client.call import Call, QueryValue
from dfns_signers.client.client import AsyncClient, BaseClient, HttpT, R, SyncClient
from dfns_signers.client.http_calls import Timeout
from dfns_signers.client.identities import Auth
from dfns_signers.client.keys import Keys
from dfns_signers.client.pending import PendingAction
from dfns_signers.client.results import ChangeRequest
from dfns_signers.client.wallets import Wallets
from dfns_signers.errors import RequestError
from dfns_signers.user_action import signing_flow
from dfns_signers.user_action.bodies import to_json_bytes
from dfns_signers.user_action.httpx_auth import Steps
from dfns_signers.user_action.signing_flow import Step
from dfns_signers.user_action.tokens import TokenSource

T = TypeVar("T")


class _Delegated(BaseClient[R, HttpT]):
    """Takes no signer."""

    _signs = False

    def __init__(
        self,
        auth_token: TokenSource,
        *,
        base_url: str = defaults.BASE_URL,
        timeout: Timeout = defaults.TIMEOUT,
        max_attempts: int = defaults.MAX_ATTEMPTS,
        http_client: HttpT | None = None,
    ) -> None:
        super().__init__(
            auth_token,
            None,
            base_url=base_url,
            timeout=timeout,
            max_attempts=max_attempts,
            http_client=http_client,
        )


class DelegatedDfnsClient(_Delegated[Any, httpx.Client], SyncClient):
    """Calls the Dfns API where somebody else signs: a passkey in a browser, another service.

    Reads are ordinary calls. For what must be signed, ``init`` announces the call and returns a
    pending action with its challenge; ``complete`` takes it with the assertion and sends the very
    bytes that were announced. Typed calls that must be signed return a pending action likewise.

    Args:
        auth_token: as for DfnsClient.
        base_url: as for DfnsClient.
        timeout: as for DfnsClient.
        max_attempts: as for DfnsClient; ``complete`` is never repeated.
        http_client: as for DfnsClient.

    Example:
        >>> pending = dfns.wallets.create(network="EthereumSepolia")  # doctest: +SKIP
        >>> session["action"] = pending.to_json()  # doctest: +SKIP
        >>> pending = PendingAction.from_json(session["action"])  # doctest: +SKIP
        >>> wallet = dfns.complete(pending, assertion)  # doctest: +SKIP
    """

    wallets: Wallets[DelegatedDfnsClient]
    keys: Keys[DelegatedDfnsClient]
    auth: Auth[DelegatedDfnsClient]

    def init(
        self,
        method: str,
        path: str,
        *,
        path_params: Mapping[str, object] | None = None,
        params: Mapping[str, QueryValue] | None = None,
        json: Any = None,
    ) -> PendingAction:
        """Announce a call and get its challenge; the arguments are those of ``request``."""
        call = Call[Any].of(
            method, path, path_params=path_params, params=params, json=json, signed=True
        )
        return self._carry_signed(call)

    def complete(
        self,
        pending: PendingAction,
        first_factor: Mapping[str, Any],
        second_factor: Mapping[str, Any] | None = None,
    ) -> Any:
        """Send the announced call.

        Args:
            pending: from ``init``, of this or another process.
            first_factor: assertion as ``POST /auth/action`` takes it: ``{"kind": "Key",
                "credentialAssertion": {…}}``, or of kind ``Fido2`` or ``PasswordProtectedKey``.
            second_factor: where the challenge requires one.

        Raises:
            RequestError: a factor is malformed or missing. Nothing was sent.
            ApiError: the API refused the assertion or the call.
        """
        steps = _completing(pending, first_factor, second_factor)
        return self._attempt(pending.to_call(), self._auth.with_steps(steps))

    def send(self, call: Call[T]) -> T | ChangeRequest:
        """Send a call that needs no signature.

        Raises:
            RequestError: it needs one.
        """
        return super().send(_require_unsigned(call))

    def _carry_signed(self, call: Call[Any]) -> PendingAction:
        start = signing_flow.start(_announced(call))
        answer = super().send(_as_call(next(start)))
        return _pending(call, start, answer)


class AsyncDelegatedDfnsClient(
    _Delegated[Coroutine[Any, Any, Any], httpx.AsyncClient], AsyncClient
):
    """DelegatedDfnsClient for asyncio and trio: the same arguments, and every call is awaited."""

    wallets: Wallets[AsyncDelegatedDfnsClient]
    keys: Keys[AsyncDelegatedDfnsClient]
    auth: Auth[AsyncDelegatedDfnsClient]

    async def init(
        self,
        method: str,
        path: str,
        *,
        path_params: Mapping[str, object] | None = None,
        params: Mapping[str, QueryValue] | None = None,
        json: Any = None,
    ) -> PendingAction:
        """Announce a call and get its challenge; the arguments are those of ``request``."""
        call = Call[Any].of(
            method, path, path_params=path_params, params=params, json=json, signed=True
        )
        return await self._carry_signed(call)

    async def complete(
        self,
        pending: PendingAction,
        first_factor: Mapping[str, Any],
        second_factor: Mapping[str, Any] | None = None,
    ) -> Any:
        """Send the announced call; see ``DelegatedDfnsClient.complete``."""
        steps = _completing(pending, first_factor, second_factor)
        return await self._attempt(pending.to_call(), self._auth.with_steps(steps))

    async def send(self, call: Call[T]) -> T | ChangeRequest:
        """Send a call that needs no signature.

        Raises:
            RequestError: it needs one.
        """
        return await super().send(_require_unsigned(call))

    async def _carry_signed(self, call: Call[Any]) -> PendingAction:
        start = signing_flow.start(_announced(call))
        answer = await super().send(_as_call(next(start)))
        return _pending(call, start, answer)


def _require_unsigned(call: Call[T]) -> Call[T]:
    if call.signed:
        raise RequestError(
            f"{call.method} {call.path} must be signed: use init() and complete(), or give "
            "signed=False if the API takes it without a signature"
        )
    return call


def _announced(call: Call[Any]) -> AnnouncedCall:
    return AnnouncedCall(call.method, call.path, call.content.decode("utf-8"))


def _as_call(step: signing_flow.Exchange) -> Call[Any]:
    return Call("POST", step.path, to_json_bytes(step.body), announces=True)


def _pending(
    call: Call[Any],
    start: Generator[Any, Mapping[str, Any], Mapping[str, Any]],
    answer: Any,
) -> PendingAction:
    try:
        start.send(answer)
    except StopIteration as done:
        announced = _announced(call)
        return PendingAction(
            announced.method, announced.path, announced.payload, call.params, done.value
        )
    raise AssertionError("announcing a call takes one request")


def _completing(
    pending: PendingAction,
    first_factor: Mapping[str, Any],
    second_factor: Mapping[str, Any] | None,
) -> Steps:
    def steps(call: AnnouncedCall) -> Generator[Step, Any, str]:
        if call != pending.call:
            raise RequestError(
                f"the request {call.method} {call.path} is not what was announced as "
                f"{pending.method} {pending.path}"
            )
        return signing_flow.complete(pending.challenge, first_factor, second_factor)

    return steps
