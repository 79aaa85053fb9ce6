"""What the options of every backend have in common, and the types that their fields may use."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

from dfns_signers.addresses import check_service_url
from dfns_signers.errors import ConfigurationError
from dfns_signers.public_keys import parse_fingerprint

_RSA_BITS: Final = (2048, 3072, 4096)


def _resolve_path(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, (str, Path)):
        return value
    if not str(value):
        raise ValueError("expected a path, found an empty string")
    folder = (info.context or {}).get("folder", Path())
    # Path.expanduser raises RuntimeError for the home of an unknown user.
    return Path(folder) / os.path.expanduser(value)  # noqa: PTH111


def _check_fingerprint(value: str) -> str:
    try:
        return parse_fingerprint(value)
    except ConfigurationError as error:
        raise ValueError(str(error)) from error


def _check_rsa_bits(value: int) -> int:
    if value not in _RSA_BITS:
        raise ValueError("expected 2048, 3072 or 4096")
    return value


ConfigPath = Annotated[Path, BeforeValidator(_resolve_path)]
"""A path; ``~`` is expanded, and a relative one starts at the folder of the configuration file."""

Fingerprint = Annotated[str, AfterValidator(_check_fingerprint)]

RsaBits = Annotated[int, AfterValidator(_check_rsa_bits)]
"""Size of an RSA key: an integer, or its digits as a command line has them."""

ServiceUrl = Annotated[str, AfterValidator(check_service_url)]
"""The address of a key store: https, or http to this machine; without a slash at its end."""

_Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]


class StrictModel(BaseModel):
    """Base of every table of options: unknown keys are refused, and no value is repeated."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, arbitrary_types_allowed=True, hide_input_in_errors=True
    )

    def given(self, part: type[BaseModel]) -> dict[str, Any]:
        """The settings of a base of this model that were given, as a file would have them."""
        return self.model_dump(
            mode="json", include=set(part.model_fields), exclude_unset=True, exclude_none=True
        )


class BackendOptions(StrictModel):
    """Base of every backend's options; a key may be pinned."""

    fingerprint: Fingerprint | None = Field(
        default=None,
        description="Fingerprint that the public key must have, as `sha256:` and 64 hex digits.",
    )


class RequestLimits(StrictModel):
    """How long a remote key store may take, and how often it is asked; the same for all."""

    connect_timeout: _Seconds = Field(default=3.0, description="Seconds to wait for a connection.")
    read_timeout: _Seconds = Field(
        default=10.0, description="Seconds to wait for an answer, and between two pieces of it."
    )
    timeout: _Seconds = Field(
        default=30.0,
        description="Seconds for one operation over all attempts.",
    )
    max_attempts: int = Field(
        default=3,
        ge=1,
        description="Attempts at a request: it is repeated when the key store is unavailable, "
        "limits the rate, or a connection breaks.",
    )
