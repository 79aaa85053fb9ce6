"""A procedure as a flow without I/O, which is driven from blocking code, asyncio and trio."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, ParamSpec, TypeAlias, TypeVar

from dfns_signers import worker_threads
from dfns_signers.client.base_client import BaseClient
from dfns_signers.client.call import Call
from dfns_signers.client.pages import Pages
from dfns_signers.errors import UnexpectedResponseError
from dfns_signers.sealed import Sealed

_MOST_PAGES: Final = 1_000

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Step:
    """What a flow wants done before it goes on.

    Attributes:
        function: is called for the result.
        may_block: whether it returns the result itself, and may block, as one that asks a key store
            does; else it is a method of a client of the kind that drives the flow.
    """

    function: Callable[[], Any]
    may_block: bool


Flow: TypeAlias = Generator[Step, Any, T]
"""A flow, and what it returns."""


def asked(method: Callable[P, Any], *args: P.args, **kwargs: P.kwargs) -> Flow[Any]:
    """The result of a method of a client, such as a typed call."""
    return (yield Step(partial(method, *args, **kwargs), may_block=False))


def listed(client: BaseClient[Any, Any, Any], call: Call[T]) -> Flow[list[T]]:
    """All items of a paginated list; UnexpectedResponseError if it does not end."""
    pages = Pages(call)
    items: list[T] = []
    for _ in range(_MOST_PAGES):
        if pages.next is None:
            return items
        items += pages.items((yield from asked(client.send, pages.next)))
    raise UnexpectedResponseError(f"GET {call.path} returned over {_MOST_PAGES} pages")


def ran(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Flow[T]:
    """The result of a function that may block."""
    result: T = yield Step(partial(function, *args, **kwargs), may_block=True)
    return result


def carry_out(flow: Flow[T]) -> T:
    """Drive a flow with blocking clients."""
    try:
        _driven(flow, _called).send(None)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]  # what the flow returns
    raise AssertionError("nothing is awaited by blocking steps")


async def acarry_out(flow: Flow[T]) -> T:
    """Drive a flow with asynchronous clients; what blocks runs in a worker thread."""
    return await _driven(flow, _awaited)


async def _driven(flow: Flow[T], do: Callable[[Step], Awaitable[Any]]) -> T:
    # Sealed, for it may be what creates a token.
    reply: Sealed[Any] = Sealed(None)
    error: BaseException | None = None
    while True:
        try:
            step = flow.send(reply.open()) if error is None else flow.throw(error)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]  # what the flow returns
        reply, error = Sealed(None), None
        try:
            reply = Sealed(await do(step))
        except Exception as failure:  # noqa: BLE001  # the flow decides
            error = failure


async def _called(step: Step) -> Any:
    return step.function()


async def _awaited(step: Step) -> Any:
    if step.may_block:
        return await worker_threads.run(step.function)
    return await step.function()
