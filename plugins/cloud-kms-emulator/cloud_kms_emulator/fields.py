"""Refuse what a request sets and the emulator does not read: silence would pass for support."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.unknown_fields import UnknownFieldSet

from cloud_kms_emulator.refusals import unimplemented


def check_fields(message: Any, known: AbstractSet[str]) -> None:
    """Compare the fields that a request sets with those that are read.

    Args:
        message: protobuf message.
        known: dotted paths; one stands for everything below it, and with ``{}`` behind it for a
            message that may be there, empty.

    Raises:
        Refusal: UNIMPLEMENTED, naming the fields.
    """
    foreign = sorted(_foreign(message, known, ""))
    if foreign:
        name = message.DESCRIPTOR.name
        raise unimplemented(f"does not support the field {', '.join(foreign)} of {name}")


def _foreign(message: Any, known: AbstractSet[str], prefix: str) -> Iterator[str]:
    unknown_fields: Any = UnknownFieldSet(message)
    for unknown in unknown_fields:
        yield f"{prefix}number {unknown.field_number}"
    for field, value in message.ListFields():
        path = prefix + field.name
        if path in known:
            continue
        if field.type == FieldDescriptor.TYPE_MESSAGE and _has_below(path, known):
            yield from _foreign(value, known, f"{path}.")
        else:
            yield path


def _has_below(path: str, known: AbstractSet[str]) -> bool:
    return any(one.startswith((f"{path}.", f"{path}{{}}")) for one in known)
