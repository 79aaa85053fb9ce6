"""Judges every answer of an in-process emulator by its declared shape.

The judge is the library ``jsonschema``: nothing of the emulator's own checks has a part in it.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from dfns_signers.emulator.requests.messages import Answer, Incoming
from dfns_signers.emulator.service import Service
from dfns_signers.operations import Operation, Schema, match_operation, shapes_of
from dfns_signers.operations.table import read_table


class AnswerJudge:
    """Keeps the answers of every emulator of this process until they are judged."""

    def __init__(self) -> None:
        self._answers: deque[tuple[Operation, bytes]] = deque()

    def watch(self, patch: pytest.MonkeyPatch) -> None:
        """Have the answers of every emulator kept, but for those of ``fail_next``."""
        original = Service.answer

        def answer(service: Service, request: Incoming) -> Answer:
            ordered = [fault.answer for fault in service.faults]
            given = original(service, request)
            if not any(given is one for one in ordered):
                self._keep(request, given)
            return given

        patch.setattr(Service, "answer", answer)

    def _keep(self, request: Incoming, answer: Answer) -> None:
        operation = match_operation(request.method, request.raw_path)
        is_json = answer.media_type == "application/json" and not answer.later
        if operation and is_json and answer.status < 400 and answer.status != 202:
            self._answers.append((operation, answer.content))

    def drain(self) -> list[str]:
        """What did not fit in the answers since the last time."""
        faults = dict.fromkeys(
            fault
            for operation, content in (self._answers.popleft() for _ in range(len(self._answers)))
            if (fault := misfit(operation, content))
        )
        return list(faults)


def misfit(operation: Operation, content: bytes) -> str:
    """Where and why an answer does not fit its declared shape; "" where none is declared."""
    shapes = shapes_of(operation)
    if shapes.response is None:
        return ""
    error = best_match(_response_validator(operation).iter_errors(json.loads(content or b"null")))
    return f"{operation}: {error.json_path}: {error.message[:300]}" if error else ""


def validator(schema: Schema) -> Draft202012Validator:
    """A validator of JSON Schema for a declared shape."""
    return Draft202012Validator({**_json_schema(schema), "$defs": _definitions()})


@cache
def _response_validator(operation: Operation) -> Draft202012Validator:
    return validator(shapes_of(operation).response or {})


@cache
def _definitions() -> dict[str, Any]:
    """The declared types and lists of strings, by name."""
    shapes = read_table("shapes.json")
    types = {name: _json_schema(schema) for name, schema in shapes["types"].items()}
    return types | {name: {"enum": strings} for name, strings in shapes["enums"].items()}


def _json_schema(schema: Schema) -> dict[str, Any]:
    """JSON Schema of a declared shape: what ``$ref`` and ``$enum`` name is in ``$defs``."""
    written: dict[str, Any] = dict(schema)
    for keyword in ("$ref", "$enum"):
        if keyword in schema:
            return {"$ref": f"#/$defs/{schema[keyword]}"}
    for keyword in ("additionalProperties", "items"):
        if isinstance(schema.get(keyword), Mapping):
            written[keyword] = _json_schema(schema[keyword])
    if "anyOf" in schema:
        written["anyOf"] = [_json_schema(option) for option in schema["anyOf"]]
    if "properties" in schema:
        properties = schema["properties"].items()
        written["properties"] = {name: _json_schema(inner) for name, inner in properties}
    return written
