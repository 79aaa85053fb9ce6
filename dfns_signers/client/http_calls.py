"""How a call becomes an HTTP request, and a response a result."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from functools import lru_cache
from importlib.metadata import version
from typing import Any, Final

import httpx

from dfns_signers import deadlines
from dfns_signers.client.call import Call
from dfns_signers.client.results import ChangeRequest
from dfns_signers.errors import (
    DfnsSignersError,
    KeyStoreUnavailableError,
    RequestError,
    TransportTimeoutError,
    UnexpectedResponseError,
)
from dfns_signers.sealed import Sealed
from dfns_signers.user_action.bounded_bodies import ACCEPTED_ENCODING
from dfns_signers.user_action.httpx_auth import UserActionAuth
from dfns_signers.user_action.request_extensions import PROGRESS_EXTENSION, SIGNED_EXTENSION
from dfns_signers.user_action.responses import (
    IS_LATE,
    answer_of_a_step,
    read_json,
    transport_error,
)
from dfns_signers.user_action.sent_requests import READS, Progress
from dfns_signers.user_action.signing_flow import COMPLETE_PATH, described

_USER_AGENT: Final = f"dfns-signers/{version('dfns-signers')}"

# Source: Dfns API reference.
_ANSWERED_BY_A_CHALLENGE: Final = re.compile(
    r"/auth/(action/init|credentials/(code/)?init|login/init|recover/user/(delegated|init)"
    r"|registration/(delegated|init|social))"
)


def build_request(
    http: httpx.Client | httpx.AsyncClient,
    auth: UserActionAuth,
    call: Call[Any],
    *,
    query: str = "",
    headers: Mapping[str, str] | None = None,
    extensions: Mapping[str, Any] | None = None,
) -> httpx.Request:
    """The request for a call, with its body as it was serialised.

    Args:
        http: that sends it.
        auth: knows the base URL.
        call: what to send.
        query: percent-encoded, in place of the parameters of the call.
        headers: in place of, or besides, those of each call.
        extensions: of httpx, likewise.
    """
    own = httpx.Headers(
        {
            "Accept": "application/json",
            "Accept-Encoding": ACCEPTED_ENCODING,
            "User-Agent": _USER_AGENT,
        }
    )
    if call.content:
        own["Content-Type"] = "application/json"
    own.update(headers)
    try:
        return http.build_request(
            call.method,
            _url(auth.base_url.text + call.path + (f"?{query}" if query else "")),
            params=dict(call.params) or None,
            content=call.content or None,
            headers=own,
            extensions={
                SIGNED_EXTENSION: call.signed,
                PROGRESS_EXTENSION: Progress(),
                **(extensions or {}),
            },
        )
    except httpx.InvalidURL as error:
        raise RequestError(f"path and query of {call.method} make no URL: {error}") from error
    except Exception as error:
        raise RequestError(
            f"{call.method} {call.path} cannot be sent: the httpx client failed to make a request "
            f"with {type(error).__name__}; check the headers and cookies of a client of your own"
        ) from error


@lru_cache(maxsize=512)
def _url(text: str) -> httpx.URL:
    return httpx.URL(text)


def interpret(response: httpx.Response, request: httpx.Request, call: Call[Any]) -> Any:
    """The result of a call, or what ``read_json`` raises."""
    progress: Progress = request.extensions[PROGRESS_EXTENSION]
    # httpcore keeps request and response until garbage is collected: not the signer with them.
    signer, progress.signed_by = progress.signed_by, None
    value: Sealed[Any] = Sealed(
        read_json(response, sent=request, call=not call.announces, signer=signer)
    )
    if call.announces:
        return value.open()
    members = value.open().keys() if isinstance(value.open(), dict) else set()
    if _are_of_a_step(members, call):
        raise answer_of_a_step(response, call.path)
    if response.status_code == httpx.codes.ACCEPTED:
        return ChangeRequest(value.open() if members else {})
    return value.open()


def _are_of_a_step(members: AbstractSet[str], call: Call[Any]) -> bool:
    """Whether an object answers a step of a user action, which a confused proxy may hand out."""
    if "userAction" in members:
        return call.path != COMPLETE_PATH
    is_challenge = not members.isdisjoint({"challenge", "challengeIdentifier"})
    return is_challenge and not _ANSWERED_BY_A_CHALLENGE.fullmatch(call.path)


@contextmanager
def errors_of_ours(request: httpx.Request, call: Call[Any]) -> Iterator[None]:
    """Turn whatever is raised while a call is sent, or a step before it, into errors of ours."""
    progress: Progress = request.extensions[PROGRESS_EXTENSION]
    try:
        yield
    except DfnsSignersError:
        raise
    except TimeoutError as error:
        raise _failure_in_time(error, request, call) from error
    except httpx.RequestError as error:
        may_have_been_sent = _may_have_been_sent(progress, call)
        raise transport_error(
            error, request=request, may_have_been_sent=may_have_been_sent
        ) from error
    except Exception as error:
        raise _failure(error, progress, call) from error


def _failure_in_time(
    error: TimeoutError, request: httpx.Request, call: Call[Any]
) -> DfnsSignersError:
    """Our error where the time of the call is over, or a signer has a timeout of its own."""
    progress: Progress = request.extensions[PROGRESS_EXTENSION]
    if deadlines.remaining() != 0:
        return _failure(error, progress, call)
    if progress.signer is not None:
        return KeyStoreUnavailableError(
            f"{described(progress.signer)} gave no signature for {call.method} {call.path} within "
            "the time of the call ('call_timeout'); check its key store, and try again"
        )
    ours = TransportTimeoutError(
        f"{call.method} {request.url.copy_with(query=None)} {IS_LATE}; check the network and "
        "'base_url'"
    )
    ours.may_have_taken_effect = _may_have_been_sent(progress, call)
    return ours


def _failure(error: Exception, progress: Progress, call: Call[Any]) -> DfnsSignersError:
    """Our error for an exception that httpx does not document."""
    what = f"the httpx client failed with {type(error).__name__}"
    if not progress.has_begun:
        return RequestError(f"{call.method} {call.path} cannot be sent: {what}")
    ours = UnexpectedResponseError(
        f"{call.method} {call.path} has no answer that can be read: {what}"
    )
    ours.may_have_taken_effect = _may_have_been_sent(progress, call)
    return ours


def _may_have_been_sent(progress: Progress, call: Call[Any]) -> bool:
    """Whether something with an effect may have reached the API."""
    return progress.has_reached_call and not call.announces and call.method not in READS
