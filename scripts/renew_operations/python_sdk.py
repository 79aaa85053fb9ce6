"""The operations that the official SDK for Python has, read from its source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class SdkOperation(NamedTuple):
    """One operation as an SDK calls it."""

    method: str
    path: str
    signed: bool
    name: str
    multipart: bool


def operations_of(generated: Path) -> Iterator[SdkOperation]:
    """The operations of the folder ``dfns_sdk/generated``."""
    for client in sorted(generated.glob("*/client.py")):
        for node in ast.walk(ast.parse(client.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and (call := _request_of(node)):
                arguments = {one.arg: one.value for one in call.keywords}
                yield SdkOperation(
                    ast.literal_eval(arguments["method"]),
                    ast.literal_eval(arguments["path"]),
                    ast.literal_eval(arguments["requires_signature"]),
                    f"{client.parent.name}.{node.name}",
                    "file" in arguments,
                )


def _request_of(function: ast.FunctionDef) -> ast.Call | None:
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "self._http.request":
            return node
    return None
