"""Validate settings, and say what pydantic's complaints mean to a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError

from dfns_signers.errors import ConfigurationError
from dfns_signers.near_miss import did_you_mean
from dfns_signers.sealed import Sealed
from dfns_signers.secrets import EXPECTED

ModelT = TypeVar("ModelT", bound=BaseModel)

_TOML_TYPES: Final[Mapping[type, str]] = {
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a number",
    dict: "a table",
    list: "an array",
}
_EXPECTED: Final[Mapping[str, str]] = {
    "string": "a string",
    "bool": "true or false",
    "int": "an integer",
    "float": "a number",
    "list": "an array",
    "dict": "a table",
    "model": "a table",
    "path": "a path",
}
_WRONG_TYPE: Final = ("type", "parsing", "from_float")
_ABOUT_A_FIELD: Final = ("missing", "extra_forbidden", "string_pattern_mismatch")
_NUMBER_LIMITS: Final = ("greater_than", "greater_than_equal", "less_than", "less_than_equal")


def toml_type(value: object) -> str:
    """Name the type of a value as TOML calls it."""
    return _TOML_TYPES.get(type(value), f"a {type(value).__name__}")


def validate(
    model: type[ModelT],
    values: Mapping[str, Any],
    *,
    where: str,
    places: Mapping[str, str] | None = None,
    folder: Path,
    exposed: Path | None = None,
    texts: bool = False,
    reveal: bool = True,
) -> ModelT:
    """Validate settings.

    Args:
        model: pydantic model.
        values: what was configured.
        where: names the place for errors, such as ``configuration file X, profile 'p'``.
        places: names the place of each setting that comes from somewhere else.
        folder: relative paths start here.
        exposed: the file that has the settings, if other users can read it.
        texts: whether all values are strings, to be converted, as from an environment variable.
        reveal: whether a secret that cannot be read is refused now, or when it is used.

    Raises:
        ConfigurationError: names place and key, what was expected, what was found, and the name
            that was probably meant. Values are not repeated.
    """
    given = Sealed(values)
    del values
    context = {"folder": folder, "exposed": exposed, "reveal": reveal}
    try:
        return model.model_validate(dict(given.open()), strict=not texts, context=context)
    except ValidationError as error:
        # Not chained, and not kept: each of its parts has the value that was refused.
        lines = [
            _line(one, model, where, places or {}, given) for one in error.errors(include_url=False)
        ]
    raise ConfigurationError("\n".join(lines))


def _line(
    problem: Any,
    model: type[BaseModel],
    where: str,
    places: Mapping[str, str],
    given: Sealed[Mapping[str, Any]],
) -> str:
    loc = problem["loc"]
    place = places.get(str(loc[0]), where) if loc else where
    return f"{place}{_key(loc, given)}: {_explain(problem, model)}"


def _key(loc: Sequence[str | int], given: Sealed[Mapping[str, Any]]) -> str:
    """Where in its table a value is: ``, key 'allow', rule 'payouts', key 'rate'``."""
    shown, keys = "", list[str]()
    value: Sealed[Any] = given
    for part in loc:
        value = Sealed(_inside(value.open(), part))
        if isinstance(part, str):
            keys.append(part)
            continue
        kind = "rule" if keys[-1:] == ["allow"] else "entry"
        name = value.open().get("name") if isinstance(value.open(), Mapping) else None
        which = repr(name) if kind == "rule" and isinstance(name, str) and name else part + 1
        shown += f"{_shown_keys(keys)}, {kind} {which}"
        keys = []
    return shown + _shown_keys(keys)


def _shown_keys(keys: Sequence[str]) -> str:
    return f", key {'.'.join(keys)!r}" if keys else ""


def _inside(value: object, part: str | int) -> object:
    """What is at a key of a table, or an index of an array; None where that is neither."""
    if isinstance(value, Mapping):
        return value.get(part)
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return None


def _explain(problem: Any, model: type[BaseModel]) -> str:
    if problem["type"] not in _ABOUT_A_FIELD:
        return _explain_value(problem)
    *parents, name = map(str, problem["loc"])
    table = _model_at(parents, model)
    fields = table.model_fields if table else {}
    purpose = fields[name].description if name in fields else None
    if problem["type"] == "missing":
        return f"missing; expected: {purpose}" if purpose else "missing"
    if problem["type"] == "string_pattern_mismatch":
        meaning = f" ({purpose})" if purpose else ""
        return f"expected a string that matches {problem['ctx']['pattern']}{meaning}"
    known = f". Known keys: {', '.join(fields)}" if fields else ""
    return f"unknown key{did_you_mean(name, fields)}{known}"


def _explain_value(problem: Any) -> str:
    kind, message, found = problem["type"], problem["msg"], toml_type(problem["input"])
    if kind == "value_error":
        explained = str(message.removeprefix("Value error, "))
        # The type says something only about a value of the wrong form.
        return f"{explained}, found {found}" if explained == EXPECTED else explained
    if kind == "string_too_short":
        return "expected a string that is not empty"
    if kind in _NUMBER_LIMITS:
        return str(message.replace("Input should be", "expected a number"))
    if kind == "is_instance_of":
        return f"expected a {problem['ctx']['class'].lower()}, found {found}"
    subject, _, reason = kind.partition("_")
    expected = _EXPECTED.get(subject)
    if expected is None or reason not in _WRONG_TYPE:
        return str(message.replace("Input should be", "expected"))
    return f"expected {expected}, found {'another string' if reason == 'parsing' else found}"


def _model_at(loc: Sequence[str], model: type[BaseModel]) -> type[BaseModel] | None:
    """The model of a nested table; None where it is ambiguous, as in a union of several."""
    parts = iter(loc)
    for part in parts:
        field = model.model_fields.get(part)
        models = list(_models_in(field.annotation)) if field else []
        if len(models) != 1:
            return None
        ((model, keys),) = models
        for _ in range(keys):
            next(parts, None)
    return model


def _models_in(annotation: Any, keys: int = 0) -> Iterator[tuple[type[BaseModel], int]]:
    """The models of a field, each with how many keys and indexes lead to it from there."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, keys
    if get_origin(annotation) in (dict, list):
        keys += 1
    for inner in get_args(annotation):
        yield from _models_in(inner, keys)
