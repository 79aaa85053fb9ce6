"""What a profile may say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from dfns_signers.secrets import Secret


class Settings(TypedDict, total=False):
    """Settings that an argument can override; they mean what they mean in a profile."""

    base_url: str
    auth_token: str | Secret | Mapping[str, str]
    credential_id: str
    timeout: float
    max_attempts: int
    plugins: list[str]
    signer: str | Mapping[str, Any]


class SignerTable(BaseModel):
    """The ``[signer]`` table: which backend, and its options."""

    model_config = ConfigDict(extra="allow", frozen=True, hide_input_in_errors=True)

    backend: str = Field(
        min_length=1,
        description="Name of an installed backend; `dfns-signers backends` lists them.",
    )

    @property
    def options(self) -> dict[str, Any]:
        """What is left for the backend's own model to validate."""
        return dict(self.model_extra or {})

    def __repr_args__(self) -> Iterator[tuple[str, Any]]:
        # Which of the options are secrets, only the backend's model knows.
        yield "backend", self.backend
        yield "options", sorted(self.options)


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
    timeout: float = Field(
        default=30.0, gt=0, le=86_400, description="Seconds for each request, a day at most."
    )
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
