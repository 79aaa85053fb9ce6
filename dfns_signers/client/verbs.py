"""The untyped calls: ``request``, ``get``, ``post``, ``put``, ``delete``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from typing_extensions import TypedDict, Unpack

from dfns_signers.client.call import Call, QueryValue

R = TypeVar("R")


class CallOptions(TypedDict, total=False):
    """What a call may have besides method and path; ``Call.of`` documents each."""

    path_params: Mapping[str, object] | None
    params: Mapping[str, QueryValue] | None
    json: Any


class RequestOptions(CallOptions, total=False):
    """The same, where the caller also decides about the signature."""

    signed: bool | None


class Verbs(ABC, Generic[R]):
    """Calls to any endpoint. ``R`` is JSON or a ChangeRequest, or an awaitable of it.

    The path may have placeholders: ``get("/wallets/{id}", path_params={"id": wallet_id})`` keeps
    any identifier one segment. ``params`` is the query. ``json=None`` sends no body, ``json={}`` an
    empty object. ``signed`` overrides what the API reference says of the endpoint. An empty answer
    is None.

    Each raises RequestError (nothing was sent), ApiError (the API refused), TransportError (no
    answer), UnexpectedResponseError (no JSON), and the errors of signing.
    """

    @abstractmethod
    def send(self, call: Call[Any]) -> R:
        """Send a call."""

    def request(self, method: str, path: str, **options: Unpack[RequestOptions]) -> R:
        """Send any call, signed if it must be."""
        return self.send(Call.of(method, path, **options))

    def get(
        self,
        path: str,
        *,
        path_params: Mapping[str, object] | None = None,
        params: Mapping[str, QueryValue] | None = None,
    ) -> R:
        """GET; never signed."""
        return self.request("GET", path, path_params=path_params, params=params)

    def post(self, path: str, **options: Unpack[RequestOptions]) -> R:
        """POST, signed if the API reference asks for it."""
        return self.request("POST", path, **options)

    def put(self, path: str, **options: Unpack[RequestOptions]) -> R:
        """PUT, signed if the API reference asks for it."""
        return self.request("PUT", path, **options)

    def delete(self, path: str, **options: Unpack[RequestOptions]) -> R:
        """DELETE, signed; a few endpoints take a body."""
        return self.request("DELETE", path, **options)
