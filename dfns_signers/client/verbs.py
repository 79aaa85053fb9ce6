"""The untyped calls: ``request``, ``get``, ``post``, ``put``, ``delete``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from dfns_signers.client.call import Call, QueryValue

R = TypeVar("R")


class Verbs(ABC, Generic[R]):
    """Calls to any endpoint. ``R`` is JSON or a ChangeRequest, or an awaitable of it.

    The path may have placeholders: ``get("/wallets/{id}", path_params={"id": wallet_id})`` keeps
    any identifier one segment. ``json=None`` sends no body, ``json={}`` an empty object. ``signed``
    overrides what the API reference says of the endpoint. An empty answer is None.

    Each raises RequestError (nothing was sent), ApiError (the API refused), TransportError (no
    answer), UnexpectedResponseError (no JSON), and the errors of signing.
    """

    @abstractmethod
    def send(self, call: Call[Any]) -> R:
        """Send a call."""

    def request(
        self,
        method: str,
        path: str,
        *,
        path_params: Mapping[str, object] | None = None,
        params: Mapping[str, QueryValue] | None = None,
        json: Any = None,
        signed: bool | None = None,
    ) -> R:
        """Send any call, signed if it must be."""
        return self.send(
            Call.of(method, path, path_params=path_params, params=params, json=json, signed=signed)
        )

    def get(
        self,
        path: str,
        *,
        path_params: Mapping[str, object] | None = None,
        params: Mapping[str, QueryValue] | None = None,
    ) -> R:
        """GET; never signed."""
        return self.request("GET", path, path_params=path_params, params=params)

    def post(
        self,
        path: str,
        *,
        json: Any = None,
        path_params: Mapping[str, object] | None = None,
        params: Mapping[str, QueryValue] | None = None,
        signed: bool | None = None,
    ) -> R:
        """POST, signed if the API reference asks for it."""
        return self.request(
            "POST", path, path_params=path_params, params=params, json=json, signed=signed
        )

    def put(
        self,
        path: str,
        *,
        json: Any = None,
        path_params: Mapping[str, object] | None = None,
        params: Mapping[str, QueryValue] | None = None,
        signed: bool | None = None,
    ) -> R:
        """PUT, signed if the API reference asks for it."""
        return self.request(
            "PUT", path, path_params=path_params, params=params, json=json, signed=signed
        )

    def delete(
        self,
        path: str,
        *,
        json: Any = None,
        path_params: Mapping[str, object] | None = None,
        params: Mapping[str, QueryValue] | None = None,
        signed: bool | None = None,
    ) -> R:
        """DELETE, signed; a few endpoints take a body."""
        return self.request(
            "DELETE", path, path_params=path_params, params=params, json=json, signed=signed
        )
