"""What a profile may say, and what pydantic's complaints mean to a person."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dfns_signers.config.near_miss import did_you_mean
from dfns_signers.errors import ConfigurationError
from dfns_signers.secrets import Secret

ModelT = TypeVar("ModelT", bound=BaseModel)

_TOML_TYPES: Final = {
    str: "a text",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    dict: "a table",
    list: "an array",
}


class SignerTable(BaseModel):
    """The ``[signer]`` table: which backend, and its options."""

    model_config = ConfigDict(extra="allow", frozen=True, hide_input_in_errors=True)

    backend: str = Field(min_length=1)

    @property
    def options(self) -> dict[str, Any]:
        """What is left for the backend's own model to validate."""
        return dict(self.model_extra or {})


class Profile(BaseModel):
    """A profile of the configuration file."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, arbitrary_types_allowed=True, hide_input_in_errors=True
    )

    base_url: str = Field(
        default="https://api.dfns.io",
        description="Where the API is: https, or http on this machine; a path prefix is kept.",
    )
    auth_token: Secret | None = Field(
        default=None,
        description="Token of a service account, a personal access token or a login: "
        "`{ env = … }`, `{ file = … }` or a text.",
    )
    credential_id: Annotated[str, Field(min_length=1)] | None = Field(
        default=None, description="`credId` of the Key credential that the signing key is."
    )
    timeout: float = Field(default=30.0, gt=0, description="Seconds for each request.")
    max_attempts: int = Field(
        default=3, ge=1, description="How often a call is tried where repeating is safe."
    )
    plugins: list[str] = Field(
        default_factory=list,
        description="Names of plugins whose `before_sign` and `after_sign` hooks take part.",
    )
    signer: SignerTable | None = Field(
        default=None, description="Table with `backend` and the options of that backend."
    )


def validate(
    model: type[ModelT], values: Mapping[str, Any], *, where: str, folder: Path, texts: bool = False
) -> ModelT:
    """Validate settings.

    Args:
        model: pydantic model.
        values: what was configured.
        where: names the place for errors, such as ``configuration file X, profile 'p'``.
        folder: relative paths start here.
        texts: whether all values are texts, to be converted, as from an environment variable.

    Raises:
        ConfigurationError: names place and key, what was expected, what was found, and the name
            that was probably meant. Values are not repeated.
    """
    context = {"folder": folder}
    try:
        if texts:
            return model.model_validate_strings(dict(values), context=context)
        return model.model_validate(dict(values), strict=True, context=context)
    except ValidationError as error:
        problems = [_explain(problem, model) for problem in error.errors(include_url=False)]
        raise ConfigurationError("\n".join(f"{where}{problem}" for problem in problems)) from None


def _explain(problem: Any, model: type[BaseModel]) -> str:
    key = ".".join(str(part) for part in problem["loc"])
    place = f", key {key!r}" if key else ""
    kind = problem["type"]
    if kind == "extra_forbidden":
        known = list(model.model_fields)
        hint = did_you_mean(key, known)
        return f"{place}: unknown{hint}; known are: {', '.join(known)}"
    if kind == "missing":
        return f"{place}: missing"
    message = problem["msg"].removeprefix("Value error, ").replace("Input should be", "expected")
    found = _TOML_TYPES.get(type(problem["input"]), type(problem["input"]).__name__)
    shown = "" if kind == "value_error" else f", found {found}"
    return f"{place}: {message}{shown}"
