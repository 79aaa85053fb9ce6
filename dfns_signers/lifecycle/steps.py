"""A procedure as a flow without I/O: which calls to send, and what may block.

A flow is written once, and driven from blocking code, asyncio and trio.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Generic, ParamSpec, TypeAlias, TypeVar

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
class Send:
    """Send a call with a client (of the kind that drives the flow), and return its answer."""

    client: BaseClient[Any, Any, Any]
    call: Call[Any]


@dataclass(frozen=True, slots=True)
class Run(Generic[T]):
    """Run a function that may block, such as one that asks a key store, and return its result."""

    function: Callable[[], T]


@dataclass(frozen=True, slots=True)
class Ask:
    """Call a method of a client (of the kind that drives the flow), and return its result."""

    method: Callable[[], Any]


Step: TypeAlias = Send | Run[Any] | Ask

Flow: TypeAlias = Generator[Step, Any, T]
"""A flow, and what it returns."""


def sent(client: BaseClient[Any, Any, Any], call: Call[T]) -> Flow[T]:
    """The answer to a call."""
    answer: T = yield Send(client, call)
    return answer


def listed(client: BaseClient[Any, Any, Any], call: Call[T]) -> Flow[list[T]]:
    """All items of a paginated list; UnexpectedResponseError if it does not end."""
    pages = Pages(call)
    items: list[T] = []
    for _ in range(_MOST_PAGES):
        if pages.next is None:
            return items
        items += pages.items((yield Send(client, pages.next)))
    raise UnexpectedResponseError(f"GET {call.path} returned over {_MOST_PAGES} pages")


def asked(method: Callable[P, Any], *args: P.args, **kwargs: P.kwargs) -> Flow[Any]:
    """The result of a method of a client, such as a typed call."""
    return (yield Ask(partial(method, *args, **kwargs)))


def ran(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Flow[T]:
    """The result of a function that may block."""
    result: T = yield Run(partial(function, *args, **kwargs))
    return result


def carry_out(flow: Flow[T]) -> T:
    """Drive a flow with blocking clients."""
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
            reply = Sealed(_begun(step))
        except Exception as failure:  # noqa: BLE001  # the flow decides
            error = failure


async def acarry_out(flow: Flow[T]) -> T:
    """Drive a flow with asynchronous clients; what blocks runs in a worker thread."""
    reply: Sealed[Any] = Sealed(None)
    error: BaseException | None = None
    while True:
        try:
            step = flow.send(reply.open()) if error is None else flow.throw(error)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]  # what the flow returns
        reply, error = Sealed(None), None
        try:
            if isinstance(step, Run):
                reply = Sealed(await worker_threads.run(step.function))
            else:
                reply = Sealed(await _begun(step))
        except Exception as failure:  # noqa: BLE001  # the flow decides
            error = failure


def _begun(step: Step) -> Any:
    """What a step returns: with an asynchronous client, an awaitable."""
    match step:
        case Send():
            return step.client.send(step.call)
        case Ask():
            return step.method()
        case Run():
            return step.function()
