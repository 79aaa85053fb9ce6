"""``operations``: what the Dfns API has, and what a call takes."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dfns_signers.cli.exit_codes import reports_errors
from dfns_signers.cli.operation_completion import complete_filter
from dfns_signers.cli.operation_members import Member, members_of, type_of, written_out
from dfns_signers.cli.options import JsonOption
from dfns_signers.cli.output import print_json, print_table
from dfns_signers.errors import RequestError
from dfns_signers.operations import (
    Operation,
    Schema,
    find_operation,
    match_operation,
    operations,
    path_hint,
    shapes_of,
)


@reports_errors
def show_operations(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILTER]...",
            help="Words of which all must occur; or METHOD and PATH of one operation, and words "
            "that narrow its members down.",
            show_default=False,
            autocompletion=complete_filter,
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """List the operations of the Dfns API, or show what one of them takes.

    Example: `dfns-signers operations POST /wallets`

    The classes: `read` changes nothing, `money` moves assets or spends fees, `blind` signs what
    its body does not show, `escalating` gives power to somebody or something, and `ordinary` is
    every other write.
    """
    given = words or []
    one = _named(given)
    if one:
        _show(one, given[2:], as_json=json)
        return
    found = [each for each in operations() if _has(each, given)]
    if not found:
        hint = path_hint(given[0].upper(), given[1]) if len(given) > 1 else ""
        raise RequestError(f"no operation matches {' '.join(given)}{hint}")
    if json:
        print_json([_row(each) for each in found])
        return
    columns = ("method", "path", "signed", "class", "name")
    rows = [(e.method, e.path, _yes(e.signed), e.operation_class, e.name) for e in found]
    print_table("Operations of the Dfns API", columns, rows)


def _named(words: list[str]) -> Operation | None:
    """The operation of a method and a template or path, which may be followed by other words."""
    if len(words) > 1:
        method, path = words[0].upper(), words[1]
        return find_operation(method, path) or match_operation(method, path)
    return None


def _has(one: Operation, words: list[str]) -> bool:
    return _has_words(f"{one} {one.operation_class} {one.name}", words)


def _has_words(line: str, words: list[str]) -> bool:
    return all(word.lower() in line.lower() for word in words)


def _show(one: Operation, words: list[str], *, as_json: bool) -> None:
    shapes = shapes_of(one)
    parts = {"query": shapes.query, "body": shapes.body, "response": shapes.response}
    if as_json:
        written = {name: written_out(schema) for name, schema in parts.items() if schema}
        print_json({**_row(one), **written})
        return
    facts = [one.operation_class, "signed" if one.signed else "not signed"]
    if one.idempotent:
        facts.append("carried out once for an externalId")
    if not shapes.is_declared:
        facts.append("members not known")
    rows = [row for row in _rows(parts) if _has_words(" ".join(row[:3]), words)]
    if words and not rows:
        raise RequestError(f"no member of {one} matches {' '.join(words)}")
    print_table(f"{one} ({one.name}): {', '.join(facts)}", _COLUMNS, rows)


_COLUMNS = ("", "member", "type", "required")


def _rows(parts: dict[str, Schema | None]) -> list[tuple[str, str, str, str]]:
    return [
        (name, member.name, member.type, _yes(member.required))
        for name, schema in parts.items()
        if schema and name != "response"
        for member in list(members_of(schema)) or [Member("", type_of(schema), required=False)]
    ]


def _row(one: Operation) -> dict[str, Any]:
    row = one._asdict()
    row["class"] = row.pop("operation_class")
    return row


def _yes(value: bool) -> str:
    return "yes" if value else ""
