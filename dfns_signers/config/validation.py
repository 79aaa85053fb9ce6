"""Validate settings, and say what pydantic's complaints mean to a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from dfns_signers.errors import ConfigurationError
from dfns_signers.near_miss import did_you_mean
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
        texts: whether all values are texts, to be converted, as from an environment variable.
        reveal: whether a secret that cannot be read is refused now, or when it is used.

    Raises:
        ConfigurationError: names place and key, what was expected, what was found, and the name
            that was probably meant. Values are not repeated.
    """
    try:
        return model.model_validate(
            dict(values), strict=not texts, context={"folder": folder, "reveal": reveal}
        )
    except ValidationError as error:
        problems = error.errors(include_url=False)
    lines = []
    for problem in problems:
        loc = problem["loc"]
        place = (places or {}).get(str(loc[0]), where) if loc else where
        key = ".".join(map(str, loc))
        shown = f", key {key!r}" if loc else ""
        lines.append(f"{place}{shown}: {_explain(problem, model)}")
    raise ConfigurationError("\n".join(lines))


def _explain(problem: Any, model: type[BaseModel]) -> str:
    kind = problem["type"]
    if kind == "extra_forbidden":
        return _explain_unknown(problem["loc"], model)
    if kind == "missing":
        return "missing" + _purpose(problem["loc"], model)
    if kind == "string_too_short":
        return "expected a string that is not empty"
    return _explain_value(problem)


def _explain_value(problem: Any) -> str:
    kind, message, found = problem["type"], problem["msg"], toml_type(problem["input"])
    if kind == "value_error":
        explained = str(message.removeprefix("Value error, "))
        # The type says something only about a value of the wrong form.
        return f"{explained}, found {found}" if explained == EXPECTED else explained
    if kind in _NUMBER_LIMITS:
        return str(message.replace("Input should be", "expected a number"))
    if kind == "is_instance_of":
        return f"expected a {problem['ctx']['class'].lower()}, found {found}"
    subject, _, reason = kind.partition("_")
    expected = _EXPECTED.get(subject)
    if expected is None:
        return str(message.replace("Input should be", "expected"))
    return f"expected {expected}, found {'another string' if reason == 'parsing' else found}"


def _explain_unknown(loc: Sequence[str | int], model: type[BaseModel]) -> str:
    table = _model_at(loc[:-1], model)
    if table is None:
        return "unknown key"
    known = list(table.model_fields)
    hint = did_you_mean(str(loc[-1]), known)
    return f"unknown key{hint}. Known keys: {', '.join(known)}" if known else "unknown key"


def _purpose(loc: Sequence[str | int], model: type[BaseModel]) -> str:
    table = _model_at(loc[:-1], model)
    field = table.model_fields.get(str(loc[-1])) if table else None
    return f"; expected: {field.description}" if field and field.description else ""


def _model_at(loc: Sequence[str | int], model: type[BaseModel]) -> type[BaseModel] | None:
    """The model of a nested table; None where it is ambiguous, as in a union of several."""
    for part in loc:
        field = model.model_fields.get(str(part))
        models = (
            [
                kind
                for kind in (field.annotation, *getattr(field.annotation, "__args__", ()))
                if isinstance(kind, type) and issubclass(kind, BaseModel)
            ]
            if field
            else []
        )
        if len(models) != 1:
            return None
        model = models[0]
    return model
