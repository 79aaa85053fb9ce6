"""Where the entities of an operation are: collections and items, as the table's paths say it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from dfns_signers.operations import (
    Operation,
    Schema,
    find_operation,
    operations,
    options_of,
    shapes_of,
)

_IDENTIFIER: Final = re.compile(r"\{(\w*?)(?:Id|Uuid|id)\}")
_BOTH: Final = ("GET", "POST")
_WORD: Final = re.compile(r"[A-Z]?[a-z]+")


@cache
def collections() -> frozenset[str]:
    """The paths whose entities are listed, read by their ids, or made and read."""
    paths = {method: {one.path for one in operations() if one.method == method} for method in _BOTH}
    listed = {one.path for one in operations() if one.method == "GET" and is_list(one)}
    items = {one.path for one in operations() if is_identifier(last(one.path))}
    return frozenset(listed | {parent(item) for item in items} | paths["GET"] & paths["POST"])


def is_list(operation: Operation) -> bool:
    """Whether an operation lists entities."""
    return operation.name.partition(".")[2].startswith("list")


def is_item(template: str) -> bool:
    """Whether a path is that of one entity, named by its id."""
    return is_identifier(last(template)) and parent(template) in collections()


def is_identifier(segment: str) -> bool:
    """Whether a segment stands for an id."""
    return _IDENTIFIER.fullmatch(segment) is not None


def items_above(template: str) -> Iterator[str]:
    """The paths of the entities that a path goes through, its own included."""
    segments = template.split("/")
    for end in range(len(segments), 1, -1):
        above = "/".join(segments[:end])
        if is_item(above):
            yield above


def parent(template: str) -> str:
    """The path without its last segment."""
    return template.rpartition("/")[0]


def last(template: str) -> str:
    """The last segment of a path."""
    return template.rpartition("/")[2]


@cache
def item_of(collection: str) -> str:
    """The path of one entity of a collection; "" if no operation has it."""
    paths = (one.path for one in operations())
    return next((path for path in paths if parent(path) == collection and is_item(path)), "")


@cache
def noun_of(collection: str) -> str:
    """What an entity of a collection is called, such as ``Fee sponsor``."""
    placeholder = last(item_of(collection)) or _segment_of_item(collection)
    found = _IDENTIFIER.fullmatch(placeholder)
    if not found:
        return collection
    words = [word.lower() for word in _WORD.findall(found[1])]
    if collection.startswith("/tenant/"):
        words.insert(0, "tenant")
    return " ".join(words).capitalize()


def prefix_of(collection: str) -> str:
    """What ids of a collection start with: two letters of what an entity is called."""
    words = noun_of(collection).lower().rpartition("/")[2].split()
    return words[0][:2] if len(words) == 1 else "".join(word[0] for word in words)


@cache
def shapes_of_item(collection: str) -> tuple[Schema, ...]:
    """The shapes in which the entities of a collection are shown, by all its operations."""
    item = item_of(collection)
    shown = [_response("POST", collection), _response("GET", item), _listed(collection)]
    return tuple(one for one in shown if one is not None and one != _parent_shape(collection))


@cache
def has_actions(collection: str) -> bool:
    """Whether some call does something to entities of a collection, other than delete them."""
    item = item_of(collection)
    return bool(item) and any(
        one.method != "GET" and one.path.startswith(f"{item}/") for one in operations()
    )


def answers_with_parent(collection: str) -> bool:
    """Whether the POST on a collection is answered with the entity that it belongs to."""
    above = _parent_shape(collection)
    return above is not None and above == _response("POST", collection)


def _parent_shape(collection: str) -> Schema | None:
    return _response("GET", parent(collection))


def _response(method: str, template: str) -> Schema | None:
    found = find_operation(method, template)
    return shapes_of(found).response if found else None


def _listed(collection: str) -> Schema | None:
    response = _response("GET", collection)
    if response is None:
        return None
    items = next(options_of(response)).get("properties", {}).get("items")
    return next(options_of(items)).get("items") if items else None


def _segment_of_item(collection: str) -> str:
    """The placeholder of an entity that has no operation of its own, but others below it."""
    start = f"{collection}/"
    below = (one.path[len(start) :] for one in operations() if one.path.startswith(start))
    return next((path.split("/")[0] for path in below if path.startswith("{")), "")
