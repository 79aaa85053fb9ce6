"""The table has every operation that the installed official SDK for Python calls, as it does."""

from __future__ import annotations

import inspect
import pkgutil
import warnings
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import dfns_sdk.generated

from dfns_signers.operations import find_operation


class Recorder:
    """Stands for the HTTP client of the SDK, and keeps what is asked of it."""

    def __init__(self) -> None:
        self.asked: dict[str, Any] = {}

    def request(self, **asked: Any) -> dict[str, Any]:
        self.asked = asked
        return {}


def calls() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each method of each client of the SDK, called once: its name and what it asks for."""
    for module in pkgutil.iter_modules(dfns_sdk.generated.__path__):
        clients = import_module(f"dfns_sdk.generated.{module.name}.client")
        recorder = Recorder()
        for name, client in vars(clients).items():
            if name.endswith("Client") and getattr(client, "__module__", "") == clients.__name__:
                for method in (one for one in vars(client) if not one.startswith("_")):
                    function = getattr(client(recorder), method)
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore", DeprecationWarning)  # its former names
                        function(*("x" for _ in _required(function)))
                    yield f"{module.name}.{method}", recorder.asked


def _required(function: Any) -> list[str]:
    parameters = inspect.signature(function).parameters.values()
    return [one.name for one in parameters if one.default is inspect.Parameter.empty]


def test_every_operation_of_the_sdk_is_in_the_table_with_the_same_properties() -> None:
    differences = []
    found = dict(calls())
    for name, asked in found.items():
        operation = find_operation(asked["method"], asked["path"])
        if operation is None:
            differences.append(f"{name}: {asked['method']} {asked['path']} is not in the table")
        elif operation.signed != asked["requires_signature"]:
            differences.append(f"{name}: {operation} is signed in one of them only")
        elif operation.multipart != ("file" in asked):
            differences.append(f"{name}: {operation} is sent in parts in one of them only")

    assert differences == []
    assert len(found) > 200
