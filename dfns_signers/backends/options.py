"""What the options of every backend have in common, and the types that their fields may use."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

from dfns_signers.algorithms import parse_fingerprint
from dfns_signers.errors import ConfigurationError


def _resolve_path(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, (str, Path)):
        return value
    if not str(value):
        raise ValueError("expected a path, found an empty text")
    folder = (info.context or {}).get("folder", Path())
    # Path.expanduser raises RuntimeError for the home of an unknown user.
    return Path(folder) / os.path.expanduser(value)  # noqa: PTH111


def _check_fingerprint(value: str) -> str:
    try:
        return parse_fingerprint(value)
    except ConfigurationError as error:
        raise ValueError(str(error)) from error


ConfigPath = Annotated[Path, BeforeValidator(_resolve_path)]
"""A path; ``~`` is expanded, and a relative one starts at the folder of the configuration file."""

Fingerprint = Annotated[str, AfterValidator(_check_fingerprint)]


class BackendOptions(BaseModel):
    """Base of every backend's options: unknown keys are refused, and a key may be pinned."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, arbitrary_types_allowed=True, hide_input_in_errors=True
    )

    fingerprint: Fingerprint | None = Field(
        default=None,
        description="Fingerprint that the public key must have, as `sha256:` and 64 hex digits.",
    )
