"""Completion of methods and paths in a shell, by the table of operations."""

from __future__ import annotations

from collections.abc import Iterator

import typer

from dfns_signers.operations import operations
from dfns_signers.operations.table import is_placeholder


def complete_method(incomplete: str) -> list[str]:
    """The methods that begin like this."""
    methods = dict.fromkeys(one.method for one in operations())
    return [name for name in methods if name.startswith(incomplete.upper())]


def complete_filter(context: typer.Context, incomplete: str) -> list[str] | list[tuple[str, str]]:
    """A method, or a path of the method that stands before it; words are not completed."""
    words = context.params.get("words") or []
    if not words:
        return complete_method(incomplete) if incomplete else []
    return _paths(words[0], incomplete) if len(words) == 1 else []


def complete_path(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """The paths of the method that begin like this, each with the name of its operation.

    Path parameters that were typed stay, and those to come are shown as in ``{walletId}``.
    """
    return _paths(str(context.params.get("method") or ""), incomplete)


def _paths(method: str, incomplete: str) -> list[tuple[str, str]]:
    return [
        (path, one.name)
        for one in operations()
        if one.method == method.upper()
        for path in _continued(one.path.split("/"), incomplete.split("/"))
    ]


def _continued(template: list[str], typed: list[str]) -> Iterator[str]:
    """The template from where it was typed, if it begins like that."""
    if len(typed) > len(template):
        return
    *whole, last = typed
    begun = template[len(whole)]
    if not all(_fits(*pair) for pair in zip(template, whole, strict=False)):
        return
    if is_placeholder(begun) and last and not begun.startswith(last):
        yield "/".join([*whole, last, *template[len(typed) :]])
    elif begun.startswith(last):
        yield "/".join([*whole, *template[len(whole) :]])


def _fits(segment: str, typed: str) -> bool:
    return segment == typed or (is_placeholder(segment) and typed != "")
