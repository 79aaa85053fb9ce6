"""Every method of the official SDK for Python, found in its generated clients."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import dfns_sdk
from dfns_sdk import delegated_client

from dfns_signers.operations import Operation, find_operation
from tests.interop.official_requests import UPLOAD, Request
from tests.interop.official_world import PRIVATE_PEM


@dataclass(frozen=True)
class Method:
    """A method of a client of the official SDK.

    Attributes:
        client: ``direct`` or ``delegated``.
        group: the member of the client that has it.
        name: without ``_init`` and ``_complete``, which make one method.
        operation: what it calls.
        is_signed_outside: whether it comes in two halves.
        parameters: its arguments, and for ids the placeholders that they stand for.
        answers: whether it returns what was answered.
    """

    client: str
    group: str
    name: str
    operation: Operation
    is_signed_outside: bool
    parameters: Mapping[str, str]
    answers: bool

    def __str__(self) -> str:
        return f"{self.client}-{self.group}.{self.name}"

    def of(self, client: Any, half: str = "") -> Callable[..., Any]:
        """The method, or a half of it, of a client."""
        method: Callable[..., Any] = getattr(getattr(client, self.group), self.name + half)
        return method


@dataclass(frozen=True)
class PythonSdk:
    """Both clients of the SDK, made for each call.

    Attributes:
        url: base URL of the API.
        private_pem: what it signs with.
    """

    url: str
    private_pem: str = PRIVATE_PEM

    def call(self, method: Method, request: Request) -> Any:
        """What a method answers."""
        arguments = arguments_of(method, request)
        token = request.who.token
        signer = dfns_sdk.KeySigner(request.who.credential_id, self.private_pem)
        if method.client == "direct":
            direct = dfns_sdk.DfnsClientConfig(auth_token=token, base_url=self.url, signer=signer)
            with dfns_sdk.DfnsClient(direct) as client:
                return method.of(client)(**arguments)
        outside = dfns_sdk.DfnsDelegatedClientConfig(auth_token=token, base_url=self.url)
        with dfns_sdk.DfnsDelegatedClient(outside) as delegated:
            if not method.is_signed_outside:
                return method.of(delegated)(**arguments)
            challenge = method.of(delegated, "_init")(**arguments)
            signed = {
                "challengeIdentifier": challenge["challengeIdentifier"],
                "firstFactor": signer.sign(challenge),
            }
            return method.of(delegated, "_complete")(**arguments, signed_challenge=signed)


def arguments_of(method: Method, request: Request) -> dict[str, Any]:
    """What a method takes of a request."""
    others = {"body": request.body, "query": request.query, "file": UPLOAD}
    return {
        name: request.parameters[placeholder] if placeholder else others[name]
        for name, placeholder in method.parameters.items()
        if placeholder or name in others
    }


def official_methods() -> list[Method]:
    """The methods of the direct and of the delegated client."""
    return [
        *_methods("direct", inspect.get_annotations(dfns_sdk.DfnsClient)),
        *_methods("delegated", inspect.get_annotations(delegated_client.DfnsDelegatedClient)),
    ]


class _Recorder:
    """Stands in for the HTTP client of the SDK, and keeps what a method asks of it."""

    def __init__(self) -> None:
        self.asked: dict[str, Any] = {}

    def __getattr__(self, _: str) -> Any:
        def record(*_: Any, **request: Any) -> Any:
            self.asked = request
            return {"userAction": ""}

        return record


def _methods(client: str, groups: Mapping[str, Any]) -> Iterator[Method]:
    for group, cls in groups.items():
        for name, function in inspect.getmembers(cls, inspect.isfunction):
            is_first_half = name.endswith("_init") and hasattr(cls, f"{name[:-5]}_complete")
            if not name.startswith("_") and not is_first_half:
                yield _method(client, group, cls, name, function)


def _method(client: str, group: str, cls: Any, name: str, function: Callable[..., Any]) -> Method:
    signature = inspect.signature(function)
    arguments = [one for one in signature.parameters if one != "self"]
    recorder = _Recorder()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        # Each argument is its own name, so that the path says what it stands for.
        getattr(cls(recorder), name)(**{one: one for one in arguments})
    request = recorder.asked
    placeholders = {value: key for key, value in (request["path_params"] or {}).items()}
    whole = name.removesuffix("_complete")
    is_signed_outside = whole != name and hasattr(cls, f"{whole}_init")
    operation = find_operation(request["method"], request["path"])
    assert operation is not None, f"the table has no {request['method']} {request['path']}"
    return Method(
        client,
        group,
        whole if is_signed_outside else name,
        operation,
        is_signed_outside,
        {one: placeholders.get(one, "") for one in arguments},
        signature.return_annotation is not None,
    )
