"""What a profile may say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, PlainValidator
from typing_extensions import TypedDict

from dfns_signers import defaults
from dfns_signers.audit.settings import AuditSettings
from dfns_signers.backends.options import StrictModel
from dfns_signers.policy.rule import Rule
from dfns_signers.sealed import Sealed
from dfns_signers.secrets import Secret


class CommonSettings(TypedDict, total=False):
    """Settings that an argument can override; they mean what they mean in a profile."""

    base_url: str
    auth_token: str | Secret | Mapping[str, str]
    credential_id: str
    timeout: float
    call_timeout: float
    max_attempts: int
    max_retry_after: float
    rate_limit: int
    rate_limit_store: str | Secret | Mapping[str, str]
    rate_limit_name: str
    rate_limit_fallback: float
    keepalive_expiry: float
    plugins: list[str]
    read_only: bool
    allow: list[Mapping[str, Any]]
    audit: Mapping[str, Any]


class Settings(CommonSettings, total=False):
    """The same, and the signer: a table as a mapping, or one line."""

    signer: str | Mapping[str, Any]


class SignerTable(BaseModel):
    """The ``[signer]`` table: which backend, and its options.

    Which of the options are secrets, only the backend's own model knows: all of them are sealed.
    """

    model_config = ConfigDict(extra="allow", frozen=True, hide_input_in_errors=True)

    __pydantic_extra__: dict[str, Annotated[Sealed[Any], PlainValidator(Sealed)]]

    backend: str = Field(
        min_length=1,
        description="Name of an installed backend; `dfns-signers backends` lists them.",
    )

    @property
    def options(self) -> Sealed[dict[str, Any]]:
        """What is left for the backend's own model to validate."""
        return Sealed({name: value.open() for name, value in self.__pydantic_extra__.items()})

    def __repr_args__(self) -> Iterator[tuple[str, Any]]:
        yield "backend", self.backend
        yield "options", sorted(self.__pydantic_extra__)


@dataclass(frozen=True, slots=True)
class Env:
    """The environment variable that overrides a setting.

    Attributes:
        variable: its name.
        read: makes the setting of its text; one that raises ValueError is left for the
            validation to refuse.
    """

    variable: str
    read: Callable[[str], Any] = str


def _boolean(text: str) -> bool:
    known = {"true": True, "1": True, "false": False, "0": False}
    if text.lower() not in known:
        raise ValueError("expected true or false")
    return known[text.lower()]


_TOKEN: Final = "DFNS_AUTH_TOKEN"  # noqa: S105  # the name of a variable
_STORE: Final = "DFNS_RATE_LIMIT_STORE"


class Profile(StrictModel):
    """A profile of the configuration file: each setting, its variable, default and description."""

    base_url: Annotated[str, Env("DFNS_BASE_URL")] = Field(
        default=defaults.BASE_URL,
        description="Where the API is: https, or http on this machine; a path prefix is kept.",
    )
    auth_token: Annotated[Secret | None, Env(_TOKEN, lambda _: Secret.from_env(_TOKEN))] = Field(
        default=None,
        description="Token of a service account, a personal access token or a login: "
        "`{ env = … }`, `{ file = … }` or a string.",
    )
    credential_id: Annotated[
        Annotated[str, Field(min_length=1)] | None, Env("DFNS_CREDENTIAL_ID")
    ] = Field(default=None, description="`credId` of the Key credential that the signing key is.")
    timeout: Annotated[float, Env("DFNS_TIMEOUT", float)] = Field(
        default=defaults.TIMEOUT,
        gt=0,
        le=86_400,
        allow_inf_nan=False,
        description="Seconds for each request, a day at most.",
    )
    call_timeout: Annotated[float, Env("DFNS_CALL_TIMEOUT", float)] = Field(
        default=defaults.CALL_TIMEOUT,
        gt=0,
        le=86_400,
        description="Seconds for a call as a whole: all its attempts and requests, opening the "
        "key, signing and waiting.",
    )
    max_attempts: Annotated[int, Env("DFNS_MAX_ATTEMPTS", int)] = Field(
        default=defaults.MAX_ATTEMPTS,
        ge=1,
        description="How often a call is tried where repeating is safe.",
    )
    max_retry_after: Annotated[float, Env("DFNS_MAX_RETRY_AFTER", float)] = Field(
        default=defaults.MAX_RETRY_AFTER,
        ge=0,
        le=86_400,
        description="Seconds to wait at most where the API asks for a pause (`Retry-After`); if it "
        "asks for more, its error is reported at once.",
    )
    rate_limit: Annotated[Annotated[int, Field(ge=3)] | None, Env("DFNS_RATE_LIMIT", int)] = Field(
        default=None,
        description="Requests in any 60 seconds, for which calls wait their turn; a signed call "
        "takes three. No limit by default.",
    )
    rate_limit_store: Annotated[Secret | None, Env(_STORE, lambda _: Secret.from_env(_STORE))] = (
        Field(
            default=None,
            description="URL of the Redis or Valkey through which processes share the limit: "
            "`{ env = … }`, `{ file = … }` or a string. Each process has its own limit by default.",
        )
    )
    rate_limit_name: Annotated[
        Annotated[str, Field(min_length=1)] | None, Env("DFNS_RATE_LIMIT_NAME")
    ] = Field(
        default=None,
        description="What shares the limit, such as the organisation; `base_url` by default.",
    )
    rate_limit_fallback: Annotated[float, Env("DFNS_RATE_LIMIT_FALLBACK", float)] = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Share of the limit that each process uses while the store fails; 0 refuses "
        "calls.",
    )
    keepalive_expiry: Annotated[float, Env("DFNS_KEEPALIVE_EXPIRY", float)] = Field(
        default=defaults.KEEPALIVE_EXPIRY,
        ge=0,
        le=86_400,
        description="Seconds for which an idle connection is kept for the next request.",
    )
    plugins: Annotated[
        list[str], Env("DFNS_PLUGINS", lambda text: [name.strip() for name in text.split(",")])
    ] = Field(
        default=[],  # copied for each profile; inspecting a factory takes longer than all the rest
        description="Names of plugins whose `before_sign`, `after_sign` and `sign_failed` hooks "
        "take part.",
    )
    read_only: Annotated[bool, Env("DFNS_READ_ONLY", _boolean)] = Field(
        default=False, description="Whether nothing is signed, so that calls can only read."
    )
    allow: list[Rule] = Field(
        default=[],
        description="Rules, `[[profiles.NAME.allow]]`: with one, only what a rule allows is "
        "signed.",
    )
    audit: Annotated[AuditSettings | None, Env("DFNS_AUDIT", lambda file: {"file": file})] = Field(
        default=None, description="Table with the `file` that each signature is recorded in."
    )
    signer: Annotated[SignerTable | None, Env("DFNS_SIGNER")] = Field(
        default=None, description="Table with `backend` and the options of that backend."
    )


ENVIRONMENT: Final[Mapping[str, Env]] = {
    name: metadata
    for name, field in Profile.model_fields.items()
    for metadata in field.metadata
    if isinstance(metadata, Env)
}
"""The environment variable of each setting."""
