"""Hypothesis strategies for values of declared shapes, and for such values with one mistake."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any, Final, NamedTuple, TypeAlias

from hypothesis import strategies as st

from dfns_signers.operations import Schema, declared_enum, declared_type

Path: TypeAlias = tuple[str | int, ...]

UNKNOWN: Final = "surplus member"
"""A member that no shape has."""
_DEEPEST: Final = 6
_STRINGS: Final = st.text(st.characters(codec="utf-8"), max_size=8)
_NUMBERS: Final = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
_OF_TYPE: Final[dict[str, st.SearchStrategy[Any]]] = {
    "string": _STRINGS,
    "number": _NUMBERS,
    "boolean": st.booleans(),
    "null": st.none(),
    "object": st.just({}) | st.dictionaries(_STRINGS, _STRINGS, max_size=2),
    "array": st.lists(_STRINGS, max_size=2),
}
_ANYTHING: Final = st.one_of(*_OF_TYPE.values())


class Mistake(NamedTuple):
    """A value with one mistake.

    Attributes:
        value: the value.
        check: the check that refuses it.
        field: the member that the refusal names.
        is_certain: false inside of one of several shapes that no tag tells apart, where another
            member may be named.
    """

    value: Any
    check: str
    field: str
    is_certain: bool


class _Spot(NamedTuple):
    """A place where a mistake can be made."""

    path: Path
    check: str
    spoil: Callable[[st.DataObject, Any, Any], None]
    is_certain: bool


class _Drawing:
    """A value of a shape as it is drawn, and where mistakes can be made in it."""

    def __init__(self, data: st.DataObject) -> None:
        self._data = data
        self.spots: list[_Spot] = []

    def value(self, schema: Schema, path: Path = (), *, certain: bool = True) -> Any:
        options = _options(schema)
        option = self._data.draw(st.sampled_from(options))
        if "type" in option:
            types = {one.get("type") for one in options}
            self._spot(path, _wrong_type(types), certain=certain)
        certain = certain and _told_apart(options, option)
        if "enum" in option:
            self._spot(path, _wrong_choice, certain=certain)
            return self._data.draw(st.sampled_from(option["enum"]))
        if option.get("type") == "object":
            return self._object(option, path, certain=certain)
        if option.get("type") == "array":
            size = self._data.draw(st.integers(0, 2 if len(path) < _DEEPEST else 0))
            items = option.get("items", {})
            return [self.value(items, (*path, index), certain=certain) for index in range(size)]
        return self._data.draw(_OF_TYPE[option["type"]] if "type" in option else _ANYTHING)

    def _object(self, schema: Schema, path: Path, *, certain: bool) -> dict[str, Any]:
        required = schema.get("required", ())
        value = {}
        for name, inner in schema.get("properties", {}).items():
            if name in required or (len(path) < _DEEPEST and self._data.draw(st.booleans())):
                value[name] = self.value(inner, (*path, name), certain=certain)
            if name in required:
                self._spot((*path, name), _remove, "field.missing", certain=certain)
        more = schema.get("additionalProperties", True)
        if more is False:
            self._spot((*path, UNKNOWN), _set(1), "field.unknown", certain=certain)
        elif self._data.draw(st.booleans()):
            inner = {} if more is True else more
            value[UNKNOWN] = self.value(inner, (*path, UNKNOWN), certain=certain)
        return value

    def _spot(
        self,
        path: Path,
        spoil: Callable[[st.DataObject, Any, Any], None],
        check: str = "field.value",
        *,
        certain: bool,
    ) -> None:
        self.spots.append(_Spot(path, check, spoil, certain))


def draw_value(data: st.DataObject, schema: Schema) -> Any:
    """A value of a shape."""
    return _Drawing(data).value(schema)


def draw_mistake(data: st.DataObject, schema: Schema) -> Mistake:
    """A value of a shape with one mistake; another option of the shape may still allow it."""
    drawing = _Drawing(data)
    # A root that is held by a list can be replaced as any other value can.
    holder = [deepcopy(drawing.value(schema))]
    spot = data.draw(st.sampled_from(drawing.spots))
    steps: Path = (0, *spot.path)
    parent: Any = holder
    for step in steps[:-1]:
        parent = parent[step]
    spot.spoil(data, parent, steps[-1])
    return Mistake(holder[0], spot.check, field_name(spot.path), spot.is_certain)


def field_name(path: Path) -> str:
    """The name of a member in refusals."""
    name = ""
    for step in path:
        name += f"[{step}]" if isinstance(step, int) else f".{step}" if name else step
    return name or "body"


def _options(schema: Schema) -> list[Schema]:
    if "$ref" in schema:
        return _options(declared_type(schema["$ref"]))
    if "$enum" in schema:
        return [{"type": "string", "enum": declared_enum(schema["$enum"])}]
    if "const" in schema:
        return [{**schema, "enum": [schema["const"]]}]
    if "anyOf" in schema:
        return [inner for option in schema["anyOf"] for inner in _options(option)]
    if isinstance(schema.get("type"), list):
        return [{**schema, "type": name} for name in schema["type"]]
    return [schema]


def _told_apart(options: list[Schema], chosen: Schema) -> bool:
    """Whether a value of one option, spoiled inside, can be taken for none of the others."""
    rivals = [
        one
        for one in options
        if one is not chosen and ("type" not in one or one["type"] == chosen.get("type"))
    ]
    return all(_tags(one) & _tags(chosen) for one in rivals)


def _tags(schema: Schema) -> set[str]:
    """The required members with listed values."""
    properties = schema.get("properties", {})
    return {
        name
        for name in schema.get("required", ())
        if all("enum" in option for option in _options(properties[name]))
    }


def _remove(_data: st.DataObject, parent: Any, step: str | int) -> None:
    del parent[step]


def _set(value: Any) -> Callable[[st.DataObject, Any, Any], None]:
    def spoil(_data: st.DataObject, parent: Any, step: str | int) -> None:
        parent[step] = value

    return spoil


def _wrong_type(types: set[Any]) -> Callable[[st.DataObject, Any, Any], None]:
    others = [strategy for name, strategy in _OF_TYPE.items() if name not in types]

    def spoil(data: st.DataObject, parent: Any, step: str | int) -> None:
        parent[step] = data.draw(st.one_of(*others))

    return spoil


def _wrong_choice(data: st.DataObject, parent: Any, step: str | int) -> None:
    parent[step] = f"{parent[step]}{data.draw(st.sampled_from('xX-'))}"
