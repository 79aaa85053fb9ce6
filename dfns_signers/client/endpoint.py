"""Typed calls, each written once and bound to whichever client carries it.

A module of typed calls builds ``Call`` objects with plain functions. A ``Resource`` lists them as
``signed(build)``, ``unsigned(build)`` or ``listing(build)``; read through a client, they return
what that client returns: a result, an awaitable, or a pending action.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from types import MethodType
from typing import TYPE_CHECKING, Any, ClassVar, Generic, ParamSpec, TypeVar, overload

from dfns_signers.client.call import Call
from dfns_signers.client.results import ChangeRequest

if TYPE_CHECKING:
    from dfns_signers.client.client import AsyncDfnsClient, DfnsClient
    from dfns_signers.client.delegated import AsyncDelegatedDfnsClient, DelegatedDfnsClient
    from dfns_signers.client.pending import PendingAction

P = ParamSpec("P")
T = TypeVar("T")
ClientT_co = TypeVar("ClientT_co", covariant=True)


class Resource(Generic[ClientT_co]):
    """A group of typed calls, carried by one client."""

    def __init__(self, client: ClientT_co) -> None:
        self._client: Any = client


class _Endpoint(Generic[P, T]):
    """A descriptor that makes a method of a function that builds a call.

    Each subclass says by overloads of ``__get__`` what the method returns with which client; all of
    them bind the same method, whose result is what the client makes of the call by ``_carry``.
    """

    _carry: ClassVar[str]

    def __init__(self, build: Callable[P, Call[T]]) -> None:
        self._build = build
        self.__doc__ = build.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        carry, build = self._carry, self._build

        def method(resource: Resource[Any], *args: P.args, **kwargs: P.kwargs) -> Any:
            return getattr(resource._client, carry)(build(*args, **kwargs))  # noqa: SLF001  # ours

        # For help(): the call that people write, not the function that assembles it.
        method.__name__, method.__qualname__ = name, f"{owner.__qualname__}.{name}"
        method.__doc__ = build.__doc__
        own, *_ = inspect.signature(method).parameters.values()
        parameters = [own, *inspect.signature(build).parameters.values()]
        method.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        self._method = method

    def _bind(self, resource: Resource[Any]) -> Callable[P, Any]:
        return MethodType(self._method, resource)


class signed(_Endpoint[P, T]):  # noqa: N801  # used like a decorator
    """A call that changes state."""

    _carry = "_carry_signed"

    @overload
    def __get__(
        self, resource: Resource[DfnsClient], owner: object = None
    ) -> Callable[P, T | ChangeRequest]: ...
    @overload
    def __get__(
        self, resource: Resource[AsyncDfnsClient], owner: object = None
    ) -> Callable[P, Coroutine[Any, Any, T | ChangeRequest]]: ...
    @overload
    def __get__(
        self, resource: Resource[DelegatedDfnsClient], owner: object = None
    ) -> Callable[P, PendingAction]: ...
    @overload
    def __get__(
        self, resource: Resource[AsyncDelegatedDfnsClient], owner: object = None
    ) -> Callable[P, Coroutine[Any, Any, PendingAction]]: ...
    def __get__(self, resource: Resource[Any], owner: object = None) -> Callable[P, Any]:
        """Bind to the client of the resource."""
        return self._bind(resource)


class unsigned(_Endpoint[P, T]):  # noqa: N801  # used like a decorator
    """A call that only reads, or that the API takes without a user action."""

    _carry = "send"

    @overload
    def __get__(
        self, resource: Resource[DfnsClient] | Resource[DelegatedDfnsClient], owner: object = None
    ) -> Callable[P, T]: ...
    @overload
    def __get__(
        self,
        resource: Resource[AsyncDfnsClient] | Resource[AsyncDelegatedDfnsClient],
        owner: object = None,
    ) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, resource: Resource[Any], owner: object = None) -> Callable[P, Any]:
        """Bind to the client of the resource."""
        return self._bind(resource)


class listing(_Endpoint[P, T]):  # noqa: N801  # used like a decorator
    """A list, walked page by page as it is iterated; ``T`` is the type of an item."""

    _carry = "_carry_listing"

    @overload
    def __get__(
        self, resource: Resource[DfnsClient] | Resource[DelegatedDfnsClient], owner: object = None
    ) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(
        self,
        resource: Resource[AsyncDfnsClient] | Resource[AsyncDelegatedDfnsClient],
        owner: object = None,
    ) -> Callable[P, AsyncIterator[T]]: ...
    def __get__(self, resource: Resource[Any], owner: object = None) -> Callable[P, Any]:
        """Bind to the client of the resource."""
        return self._bind(resource)
