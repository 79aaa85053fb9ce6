"""What the types of the SDK for TypeScript lack, and clients send."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

CORRECTIONS: Final[Mapping[str, Mapping[str, Any]]] = {
    # The SDK for Python has the member; a session of a federated identity has no shape there.
    "POST /auth/service-accounts": {
        "body": {"properties": {"federatedIdentity": {"type": "object"}}},
    },
    # A client that sends a body with every PUT has nothing to say here.
    "PUT /auth/logout": {"body": {"type": ["object", "null"]}},
}
"""By operation, what is merged into its shapes."""


def corrected(shapes: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The shapes of operations with the corrections.

    Raises:
        KeyError: an operation is corrected that has no shapes.
    """
    merged = {name: _merged(shapes[name], patch) for name, patch in CORRECTIONS.items()}
    return {**shapes, **merged}


def corrected_types(types: Mapping[str, Any]) -> dict[str, Any]:
    """The types that contain themselves, with the components of a tuple as contract ABIs have them.

    They are a list of parameters; the SDK declares the whole body of the call in their place.
    """
    body = types["networks.CallFunctionBody"]
    parameters = body["properties"]["abi"]["properties"]["inputs"]
    return {**types, "networks.CallFunctionBody": {"anyOf": [body, parameters]}}


def _merged(value: Any, patch: Any) -> Any:
    """A value with a JSON Merge Patch (RFC 7396) that removes nothing."""
    if not isinstance(patch, Mapping):
        return patch
    return {**value, **{name: _merged(value.get(name, {}), inner) for name, inner in patch.items()}}
