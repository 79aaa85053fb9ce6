"""Operations as generators of requests and pauses, driven with a blocking or an asyncio client."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar, cast

import grpc.aio
from google.api_core.exceptions import Cancelled, GoogleAPIError, InternalServerError
from google.auth.exceptions import GoogleAuthError

from dfns_signers_gcp_kms.errors import UNDECODABLE

if TYPE_CHECKING:
    from google.cloud.kms_v1 import KeyManagementServiceAsyncClient, KeyManagementServiceClient

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Request:
    """One request to Cloud KMS.

    Attributes:
        method: method of Google's client, such as ``asymmetric_sign``.
        fields: the request.
        timeout: seconds until it is given up.
    """

    method: str
    fields: Mapping[str, Any] = field(repr=False)
    timeout: float


@dataclass(frozen=True, slots=True)
class Pause:
    """A time to wait, in seconds."""

    seconds: float


Steps: TypeAlias = Generator[Request | Pause, Any, T]
"""Yields what to do next, is sent the answer or thrown Google's error, and returns a result."""

FAILURES: Final = (GoogleAPIError, GoogleAuthError)


def run(
    steps: Steps[T],
    client: KeyManagementServiceClient,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Carry steps out, blocking."""
    try:
        step = next(steps)
        while True:
            try:
                answer = None
                if isinstance(step, Pause):
                    sleep(step.seconds)
                else:
                    answer = _send_blocking(client, step)
            except FAILURES as error:
                step = steps.throw(error)
            else:
                step = steps.send(answer)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


async def arun(steps: Steps[T], client: KeyManagementServiceAsyncClient) -> T:
    """Carry steps out in an event loop."""
    try:
        step = next(steps)
        while True:
            try:
                answer = None
                if isinstance(step, Pause):
                    await asyncio.sleep(step.seconds)
                else:
                    answer = await _send_in_loop(client, step)
            except FAILURES as error:
                step = steps.throw(error)
            else:
                step = steps.send(answer)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


def _send_blocking(client: object, step: Request) -> Any:
    try:
        return _send(client, step)
    except ValueError as error:
        if "closed channel" not in str(error):
            raise
        raise _cancelled(str(error)) from error


async def _send_in_loop(client: object, step: Request) -> Any:
    # A task of its own tells a call that gRPC cancels from a caller who is cancelled.
    call = asyncio.ensure_future(_send(client, step))
    try:
        await asyncio.wait({call})
    except asyncio.CancelledError:
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        raise
    if call.cancelled():
        raise _cancelled("the call was cancelled")
    try:
        answer = call.result()
    except grpc.aio.UsageError as error:
        raise _cancelled(str(error)) from error
    if answer is None:  # what grpc.aio returns where the blocking client reports INTERNAL
        raise cast("Any", InternalServerError)(UNDECODABLE)
    return answer


def _cancelled(text: str) -> Exception:
    return cast("Exception", cast("Any", Cancelled)(text))


def _send(client: object, step: Request) -> Any:
    # retry=None: Google's own retries outlast the timeout, and leave out RESOURCE_EXHAUSTED.
    method = getattr(client, step.method)
    return method(request=dict(step.fields), retry=None, timeout=step.timeout)
