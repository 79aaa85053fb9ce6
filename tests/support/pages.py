"""What the pages of the documentation say, and what they should say of options."""

from __future__ import annotations

import json
import re
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from dfns_signers.plugin import RequestLimits, Secret
from tests.support import ROOT

DOCS = ROOT / "docs"

TOML_TYPES = {
    int: "integer",
    float: "number",
    bool: "boolean",
    dict: "table",
    list: "array",
    Secret: "string or table",
}


def section(page: str, title: str) -> str:
    """What stands below a heading, up to the next one of its level."""
    text = (DOCS / page).read_text(encoding="utf-8")
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"{page} has no section {title!r}"
    return found[1]


def rows(text: str) -> list[str]:
    """The rows of the first table in a text, without its head."""
    return tables(text)[0]


def tables(text: str) -> list[list[str]]:
    """The rows of each table in a text, without its head."""
    return [
        table.splitlines()[2:] for table in re.findall(r"(?:^\|.*\n)+", f"{text}\n", re.MULTILINE)
    ]


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def option_rows(model: type[BaseModel], *, without: type[BaseModel] | None = None) -> list[str]:
    """The table of a model's options: the required ones come first, the limits last."""
    left_out = without.model_fields if without else {}
    limits = RequestLimits.model_fields
    fields = [(name, f) for name, f in model.model_fields.items() if name not in left_out]
    fields.sort(key=lambda item: (not item[1].is_required(), item[0] in limits))
    return [
        f"| `{name}` | {_type(field.annotation)} | {_default(field)} | {field.description} |"
        for name, field in fields
    ]


def _type(annotation: Any) -> str:
    """TOML's name of a type: of the first one of a union."""
    while get_origin(annotation) in {Union, UnionType, Annotated}:
        annotation = get_args(annotation)[0]
    kind = get_origin(annotation) or annotation
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return "table"
    return TOML_TYPES.get(kind, "string")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default is None or field.default_factory:
        return ""
    return f"`{field.default if isinstance(field.default, str) else json.dumps(field.default)}`"
