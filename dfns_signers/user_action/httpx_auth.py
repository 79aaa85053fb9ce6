"""Token and user action signing as an ``httpx.Auth``, for any httpx client."""

from __future__ import annotations

import copy
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any, Final, TypeAlias

import httpx

from dfns_signers import defaults
from dfns_signers.announced_call import AnnouncedCall
from dfns_signers.errors import ConfigurationError, RequestError
from dfns_signers.forks import Use
from dfns_signers.sealed import Sealed
from dfns_signers.signer import Signer
from dfns_signers.signing_key import SigningKey
from dfns_signers.user_action import signing_flow
from dfns_signers.user_action.announcing import announced_call
from dfns_signers.user_action.answer_report import AnswerReport
from dfns_signers.user_action.any_signer import PlainSigner, aanswer, answer, is_signer
from dfns_signers.user_action.base_url import BaseUrl
from dfns_signers.user_action.bodies import to_json_bytes
from dfns_signers.user_action.bounded_bodies import ACCEPTED_ENCODING
from dfns_signers.user_action.direct_connections import (
    TRACE_EXTENSION,
    refuse_proxies,
    refuse_proxies_async,
)
from dfns_signers.user_action.endpoints import check_method, needs_user_action
from dfns_signers.user_action.paths import check_path
from dfns_signers.user_action.request_extensions import SIGNED_EXTENSION
from dfns_signers.user_action.responses import bounded, read_object, reject_followed_redirect
from dfns_signers.user_action.sent_requests import (
    Departure,
    Progress,
    keep_to_the_deadline,
    progress_of,
    refuse_overrides,
)
from dfns_signers.user_action.signing_flow import (
    USER_ACTION_HEADER,
    Exchange,
    SignChallenge,
    Step,
)
from dfns_signers.user_action.tokens import BearerToken, TokenSource

Steps: TypeAlias = Callable[[AnnouncedCall], Generator[Step, Any, str]]

_OF_THE_CALL_ALONE: Final = frozenset(
    name.lower().encode("ascii")
    for name in (
        *("Content-Length", "Transfer-Encoding", USER_ACTION_HEADER),
        *("Content-Type", "Accept-Encoding"),
    )
)
_OF_EACH_STEP: Final = (
    (b"Content-Type", b"application/json"),
    (b"Accept-Encoding", ACCEPTED_ENCODING.encode("ascii")),
)
_OF_EVERY_REQUEST: Final = ("timeout", TRACE_EXTENSION)


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
        if signer is not None and (not is_signer(signer) or isinstance(signer, SigningKey)):
            raise ConfigurationError(
                f"expected a signer, found {type(signer).__name__}: make one with "
                "KeySigner(key, credential_id), or use load_signer()"
            )
        self._signer = signer
        self._urls = {
            path: httpx.URL(self.base_url.text + path)
            for path in (signing_flow.INIT_PATH, signing_flow.COMPLETE_PATH)
        }
        self._steps: Steps = self._sign
        self._use = Use()

    def with_steps(self, steps: Steps) -> UserActionAuth:
        """The same authentication with other steps from a call to its user action token."""
        other = copy.copy(self)
        other._steps = steps  # noqa: SLF001  # its own copy
        return other

    def sync_auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        """Drive the flow from ``httpx.Client``."""
        path = self._admitted(request, refuse_proxies)
        request.read()
        report = AnswerReport(request)
        flow = self._flow(request, path, self._token.read(), report)
        reply: Sealed[Any] = Sealed(None)
        with report:
            while True:
                try:
                    step = flow.send(reply.open())
                except StopIteration:
                    return
                if isinstance(step, SignChallenge):
                    reply = Sealed(answer(step))
                elif isinstance(step, httpx.Response):
                    reply = Sealed(step.read())
                else:
                    reply = Sealed((yield step))

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Drive the flow from ``httpx.AsyncClient``."""
        path = self._admitted(request, refuse_proxies_async)
        await request.aread()
        report = AnswerReport(request)
        flow = self._flow(request, path, await self._token.aread(), report)
        reply: Sealed[Any] = Sealed(None)
        async with report:
            while True:
                try:
                    step = flow.send(reply.open())
                except StopIteration:
                    return
                if isinstance(step, SignChallenge):
                    reply = Sealed(await aanswer(step))
                elif isinstance(step, httpx.Response):
                    reply = Sealed(await step.aread())
                else:
                    reply = Sealed((yield step))

    def _admitted(
        self, request: httpx.Request, refuse_proxies: Callable[[httpx.Request], None]
    ) -> str:
        """The path of a request that may be sent with the token."""
        if progress_of(request) is None:
            self._require_own_process()
        check_method(request.method)
        refuse_overrides(request)
        path = check_path(self.base_url.path_of(request.url))
        if request.url.scheme == "http":
            refuse_proxies(request)
        return path

    def _require_own_process(self) -> None:
        if self._use.is_inherited:
            raise RequestError(
                "this process was forked after the UserActionAuth had been used, and the "
                "connections of its httpx client belong to the parent: make the httpx client and "
                "its UserActionAuth in the child. Nothing was sent"
            )
        self._use.note()

    def _flow(
        self, request: httpx.Request, path: str, token: Sealed[str], report: AnswerReport
    ) -> Generator[httpx.Request | httpx.Response | SignChallenge, Any, None]:
        """What a driver has to do: send requests, read responses, and have challenges signed."""
        progress = progress_of(request) or Progress()
        progress.secrets.append(token)
        request.headers["Authorization"] = f"Bearer {token.open()}"
        signed = request.extensions.get(SIGNED_EXTENSION)
        if needs_user_action(request.method, path) if signed is None else signed:
            steps = self._steps(announced_call(request, path))
            request.headers[USER_ACTION_HEADER] = yield from self._taken(
                steps, request, progress, report
            )
        departure = Departure(request, is_call=True)
        progress.has_begun = progress.has_reached_call = True
        keep_to_the_deadline(request)
        report.sending()
        response = yield request
        report.answered(response)
        if report.is_wanted and response.is_error:
            yield bounded(response, call=True)
        reject_followed_redirect(response, request, call=True)
        departure.require_unchanged()

    def _taken(
        self,
        steps: Generator[Step, Any, str],
        request: httpx.Request,
        progress: Progress,
        report: AnswerReport,
    ) -> Generator[httpx.Request | httpx.Response | SignChallenge, Any, str]:
        """Take the steps of a user action; returns its token."""
        reply: Sealed[Any] = Sealed(None)
        while True:
            try:
                step = steps.send(reply.open())
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return]  # the token
            if isinstance(step, SignChallenge):
                progress.signer = step.signer
                reply = Sealed((yield step))
                progress.signer, progress.signed_by = None, step.signer
                report.signed(step.signer)
                continue
            post = self._post(step, request)
            departure = Departure(post, is_call=False)
            progress.has_begun = True
            keep_to_the_deadline(post)
            response = yield post
            yield bounded(response, call=False)
            reply = Sealed(read_object(response, sent=post, signer=step.signer))
            progress.note_secrets(reply)
            departure.require_unchanged()

    def _sign(self, call: AnnouncedCall) -> Generator[Step, Any, str]:
        return signing_flow.sign(call, self._signer_for(call))

    def _post(self, step: Exchange, request: httpx.Request) -> httpx.Request:
        # All that the caller's client adds goes along: a gateway may ask for it at every request.
        kept = (
            header for header in request.headers.raw if header[0].lower() not in _OF_THE_CALL_ALONE
        )
        content = to_json_bytes(step.body)
        length = (b"Content-Length", str(len(content)).encode("ascii"))
        post = httpx.Request(
            "POST",
            self._urls[step.path],
            headers=[*kept, *_OF_EACH_STEP, length],
            stream=httpx.ByteStream(content),
            extensions={k: v for k, v in request.extensions.items() if k in _OF_EVERY_REQUEST},
        )
        post.read()
        return post

    def _signer_for(self, call: AnnouncedCall) -> Signer | PlainSigner:
        signer = self._signer
        if signer is None:
            raise ConfigurationError(
                f"{call.method} {call.path} must be signed, and no signer is configured: give "
                "'signer', or add a [signer] table to the profile"
            )
        for_call = getattr(signer, "for_call", None)
        return for_call(call) if callable(for_call) else signer

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.base_url.text} with {self._signer!r}>"
