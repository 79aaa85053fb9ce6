"""Method, path and properties of every operation, and the operation that a path belongs to."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any, Final, Literal, NamedTuple, TypeAlias

OperationClass: TypeAlias = Literal["read", "ordinary", "money", "blind", "escalating"]
"""What a call can do: ``read`` changes nothing, ``money`` moves assets or spends fees, ``blind``
signs what cannot be judged by its body, ``escalating`` gives power to somebody or something."""

_PLACEHOLDER: Final = re.compile(r"\{[^{}/]*\}")
_HERE: Final = "/"
"""Key of the operation that ends at a node; no segment has a slash."""
_Node: TypeAlias = dict[str | None, Any]


class Operation(NamedTuple):
    """One operation of the Dfns API.

    Attributes:
        method: upper-case HTTP method.
        path: template with ``{placeholders}``, such as ``/wallets/{walletId}``.
        signed: whether a user action is required.
        operation_class: what a call can do.
        name: group and name in the official SDK for Python, such as ``wallets.get_wallet``, or
            in that for TypeScript where the former does not have it.
        idempotent: whether a repeated ``externalId`` answers with what is there already.
        multipart: whether the body is sent in parts, with a file.
    """

    method: str
    path: str
    signed: bool
    operation_class: OperationClass
    name: str
    idempotent: bool = False
    multipart: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def parameters(self, path: str) -> dict[str, str]:
        """The path parameters of a path of this operation, percent-encoded as they are."""
        pairs = zip(self.path.split("/"), path.split("/"), strict=True)
        return {name[1:-1]: value for name, value in pairs if is_placeholder(name)}


@cache
def operations() -> tuple[Operation, ...]:
    """Every operation, by path and method."""
    return tuple(
        Operation(
            row["method"],
            row["path"],
            row["signed"],
            row["class"],
            row["name"],
            row.get("idempotent", False),
            row.get("multipart", False),
        )
        for row in read_table("operations.json")["operations"]
    )


def find_operation(method: str, template: str) -> Operation | None:
    """The operation of a method and template; the names of placeholders do not matter."""
    return _by_form().get(f"{method} {_form(template)}")


def match_operation(method: str, path: str) -> Operation | None:
    """The operation that a call belongs to.

    Args:
        method: upper-case HTTP method.
        path: percent-encoded path, without query and base URL prefix.
    """
    return _reached(_tree(), [method, *path.split("/")])


def is_placeholder(segment: str) -> bool:
    """Whether the segment of a template stands for a path parameter."""
    return _PLACEHOLDER.fullmatch(segment) is not None


def read_table(name: str) -> dict[str, Any]:
    """The JSON of a file of this package."""
    from importlib.resources import files  # noqa: PLC0415  # takes as long as all else at import

    table: dict[str, Any] = json.loads(
        files("dfns_signers.operations").joinpath(name).read_text(encoding="utf-8")
    )
    return table


@cache
def _by_form() -> dict[str, Operation]:
    return {f"{one.method} {_form(one.path)}": one for one in operations()}


@cache
def _tree() -> _Node:
    """Operations by method and then by the segments of their paths, None for a placeholder."""
    root: _Node = {}
    for one in operations():
        node = root
        for segment in [one.method, *one.path.split("/")]:
            node = node.setdefault(None if is_placeholder(segment) else segment, {})
        node[_HERE] = one
    return root


def _reached(node: _Node, segments: list[str]) -> Operation | None:
    """The operation at the end of a path; ``/keys/import`` comes before ``/keys/{keyId}``."""
    if not segments:
        found: Operation | None = node.get(_HERE)
        return found
    first, *rest = segments
    found = _reached(node[first], rest) if first in node else None
    if found is None and first and None in node:
        return _reached(node[None], rest)
    return found


def _form(template: str) -> str:
    return _PLACEHOLDER.sub("{}", template)
