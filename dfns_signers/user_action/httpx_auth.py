"""Token and user action signing as an ``httpx.Auth``, for any httpx client."""

from __future__ import annotations

import copy
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any, Final, Protocol, TypeAlias

import anyio.to_thread
import httpx

from dfns_signers import defaults
from dfns_signers.announced_call import AnnouncedCall
from dfns_signers.errors import ConfigurationError, RequestError
from dfns_signers.sealed import Sealed
from dfns_signers.signer import Signer, SupportsCallContext
from dfns_signers.signing_key import SigningKey
from dfns_signers.user_action import signing_flow
from dfns_signers.user_action.base_url import BaseUrl
from dfns_signers.user_action.bodies import to_json_bytes
from dfns_signers.user_action.endpoints import needs_user_action
from dfns_signers.user_action.paths import check_path
from dfns_signers.user_action.responses import read_object, reject_followed_redirect
from dfns_signers.user_action.signing_flow import (
    USER_ACTION_HEADER,
    Exchange,
    SignChallenge,
    Step,
)
from dfns_signers.user_action.tokens import BearerToken, TokenSource

Steps: TypeAlias = Callable[[AnnouncedCall], Generator[Step, Any, str]]

_OF_THE_CALL_ALONE: Final = ("Content-Length", "Transfer-Encoding", USER_ACTION_HEADER)

SIGNED_EXTENSION: Final = "dfns_signed"
"""Request extension that overrides whether a call is signed: True or False."""


class PlainSigner(Protocol):
    """A signer of the official Python SDK: ``sign`` and nothing else."""

    def sign(self, challenge: Any) -> Any:
        """Answer a challenge."""


class UserActionAuth(httpx.Auth):
    """Adds the bearer token, and signs the calls that change state.

    Give it to ``httpx.Client(auth=…)`` or ``httpx.AsyncClient(auth=…)``. Which calls are signed
    follows the Dfns API reference; ``extensions={"dfns_signed": False}`` (or True) on a request
    overrides it. Errors of the exchange are raised as errors of this package from the httpx call;
    the answer to the call itself is left to the caller. Leave ``follow_redirects`` off: httpx would
    send the user action along.

    Args:
        auth_token: token, or a function that returns the current one.
        signer: answers the challenges; a signer of the official SDK fits too. None for reads only.
        base_url: where the API is. Requests to any other place are refused.

    Raises:
        ConfigurationError: token, signer or base URL are unusable.
    """

    def __init__(
        self,
        auth_token: TokenSource,
        signer: Signer | PlainSigner | None = None,
        *,
        base_url: str = defaults.BASE_URL,
    ) -> None:
        token = Sealed(auth_token)
        del auth_token
        self.base_url = BaseUrl.parse(base_url)
        self._token = BearerToken(token.open())
        is_signer = callable(getattr(signer, "sign", None)) and not isinstance(signer, SigningKey)
        if signer is not None and not is_signer:
            raise ConfigurationError(
                f"expected a signer, found {type(signer).__name__}: make one with "
                "KeySigner(key, credential_id), or use load_signer()"
            )
        self._signer = signer
        self._steps: Steps = self._sign

    def with_steps(self, steps: Steps) -> UserActionAuth:
        """The same authentication with other steps from a call to its user action token."""
        other = copy.copy(self)
        other._steps = steps  # noqa: SLF001  # its own copy
        return other

    def sync_auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        """Drive the flow from ``httpx.Client``."""
        request.read()
        flow = self._flow(request, self._path_of(request), self._token.read())
        reply: Sealed[Any] = Sealed(None)
        while True:
            try:
                step = flow.send(reply.open())
            except StopIteration:
                return
            if isinstance(step, SignChallenge):
                reply = Sealed(step.signer.sign(step.challenge))
            elif isinstance(step, Exchange):
                post = self._post(step, request)
                response = yield post
                response.read()
                reply = Sealed(read_object(response, sent=post))
            else:
                reply = Sealed((yield step))

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Drive the flow from ``httpx.AsyncClient``."""
        await request.aread()
        flow = self._flow(request, self._path_of(request), await self._token.aread())
        reply: Sealed[Any] = Sealed(None)
        while True:
            try:
                step = flow.send(reply.open())
            except StopIteration:
                return
            if isinstance(step, SignChallenge):
                reply = Sealed(await _asign(step))
            elif isinstance(step, Exchange):
                post = self._post(step, request)
                response = yield post
                await response.aread()
                reply = Sealed(read_object(response, sent=post))
            else:
                reply = Sealed((yield step))

    def _path_of(self, request: httpx.Request) -> str:
        return check_path(self.base_url.path_of(request.url))

    def _flow(
        self, request: httpx.Request, path: str, token: Sealed[str]
    ) -> Generator[httpx.Request | Step, Any, None]:
        """What a driver has to do: the steps of the call's user action, then the call itself."""
        request.headers["Authorization"] = f"Bearer {token.open()}"
        signed = request.extensions.get(SIGNED_EXTENSION)
        if needs_user_action(request.method, path) if signed is None else signed:
            steps = self._steps(_announce(request, path))
            request.headers[USER_ACTION_HEADER] = yield from steps
        response = yield request
        reject_followed_redirect(response, request, call=True)

    def _sign(self, call: AnnouncedCall) -> Generator[Step, Any, str]:
        return signing_flow.sign(call, self._signer_for(call))

    def _post(self, step: Exchange, request: httpx.Request) -> httpx.Request:
        # All that the caller's client adds goes along: a gateway may ask for it at every request.
        headers = request.headers.copy()
        for name in _OF_THE_CALL_ALONE:
            headers.pop(name, None)
        headers["Content-Type"] = "application/json"
        return httpx.Request(
            "POST",
            self.base_url.text + step.path,
            headers=headers,
            content=to_json_bytes(step.body),
            extensions={k: v for k, v in request.extensions.items() if k == "timeout"},
        )

    def _signer_for(self, call: AnnouncedCall) -> Signer | PlainSigner:
        signer = self._signer
        if signer is None:
            raise ConfigurationError(
                f"{call.method} {call.path} must be signed, and no signer is configured: give "
                "'signer', or add a [signer] table to the profile"
            )
        return signer.for_call(call) if isinstance(signer, SupportsCallContext) else signer

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.base_url.text} with {self._signer!r}>"


async def _asign(step: SignChallenge) -> Any:
    asign = getattr(step.signer, "asign", None)
    if asign is not None:
        return await asign(step.challenge)
    return await anyio.to_thread.run_sync(step.signer.sign, step.challenge)


def _announce(request: httpx.Request, path: str) -> AnnouncedCall:
    """What will be sent, read off the request itself so that both cannot differ."""
    content = request.content
    if content:
        media_type = request.headers.setdefault("Content-Type", "application/json")
        if media_type.partition(";")[0].strip().lower() != "application/json":
            raise RequestError(
                f"{request.method} {path} has a body of type {media_type!r}; only JSON bodies can "
                "be announced in a user action"
            )
    try:
        payload = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RequestError(f"the body of {request.method} {path} is not UTF-8") from error
    return AnnouncedCall(request.method, path, payload, request.url.query.decode("ascii"))
