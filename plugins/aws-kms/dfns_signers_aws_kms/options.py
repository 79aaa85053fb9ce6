"""What can be configured: which key, and how AWS KMS is reached."""

from __future__ import annotations

import re
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from typing_extensions import Self

from dfns_signers.backends.management import ManagementOptions
from dfns_signers.backends.options import BackendOptions
from dfns_signers_aws_kms.algorithms import DEFAULT_RSA_BITS, KEY_SPECS
from dfns_signers_aws_kms.key_id import KeyId

_ROLE: Final = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+", re.ASCII)
_DAY: Final = 86_400


def _check_key_id(value: str) -> str:
    return KeyId.parse(value).text


def _check_role(value: str) -> str:
    if not _ROLE.fullmatch(value):
        raise ValueError("expected the ARN of a role, such as arn:aws:iam::111122223333:role/dfns")
    return value


def _check_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
        more = parts.username or parts.password or parts.query or parts.fragment
    except ValueError:
        usable, more = False, None
    if not usable:
        raise ValueError("expected a URL, such as https://vpce-….kms.eu-west-1.vpce.amazonaws.com")
    if more:
        raise ValueError("expected a URL without user, password, query and fragment")
    return value


def _check_rsa_bits(value: int) -> int:
    if f"RSA_{value}" not in KEY_SPECS:
        raise ValueError("expected 2048, 3072 or 4096")
    return value


Text = Annotated[str, Field(min_length=1)]


class AwsConnection(BaseModel):
    """How AWS KMS is reached, and as whom."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    region: Text | None = Field(
        default=None,
        description="Region of the key. Default: that of an ARN, else of the environment or the "
        "AWS profile.",
    )
    profile: Text | None = Field(
        default=None,
        description="Profile of the AWS configuration files. Default: the usual chain of AWS "
        "credentials.",
    )
    endpoint_url: Annotated[Text, AfterValidator(_check_url)] | None = Field(
        default=None,
        description="Address of AWS KMS, such as a VPC endpoint or a local server. Default: that "
        "of the region, or what the AWS configuration says.",
    )
    role_arn: Annotated[Text, AfterValidator(_check_role)] | None = Field(
        default=None,
        description="Role to assume with those credentials; assumed again before it expires.",
    )
    role_external_id: Text | None = Field(
        default=None, description="External id that the role's trust policy asks for."
    )
    role_session_name: Text | None = Field(
        default=None,
        description="Name of the role session, as CloudTrail shows it. Default: `dfns-signers`.",
    )
    use_fips_endpoint: bool | None = Field(
        default=None,
        description="Use the FIPS 140 endpoint of the region. Default: as `AWS_USE_FIPS_ENDPOINT` "
        "or the AWS profile says.",
    )
    max_connections: int = Field(
        default=40,
        ge=1,
        description="Connections that are kept: as many as signatures are made at the same time. "
        "Asynchronous code makes at most 40 at a time.",
    )
    connect_timeout: float = Field(
        default=3.0,
        gt=0,
        le=_DAY,
        allow_inf_nan=False,
        description="Seconds until a connection must stand.",
    )
    read_timeout: float = Field(
        default=10.0,
        gt=0,
        le=_DAY,
        allow_inf_nan=False,
        description="Seconds to wait for an answer to begin, and between two pieces of it.",
    )
    max_attempts: int = Field(
        default=3,
        ge=1,
        description="Attempts at a request in all, in botocore's retry mode `standard`.",
    )

    @model_validator(mode="after")
    def _role_is_told(self) -> Self:
        given = [
            name
            for name in ("role_external_id", "role_session_name")
            if getattr(self, name) is not None
        ]
        if given and self.role_arn is None:
            raise ValueError(f"expected 'role_arn' beside '{given[0]}': there is no role to assume")
        return self

    @model_validator(mode="after")
    def _one_endpoint(self) -> Self:
        if self.endpoint_url is not None and self.use_fips_endpoint:
            raise ValueError(
                "expected one of 'endpoint_url' and 'use_fips_endpoint': write the FIPS address "
                "as 'endpoint_url'"
            )
        return self


class AwsKmsOptions(AwsConnection, BackendOptions):
    """Options of ``backend = "aws-kms"``."""

    key_id: Annotated[Text, AfterValidator(_check_key_id)] = Field(
        description="The key as AWS names it: key id, key ARN, alias name (`alias/…`) or alias ARN."
    )

    @model_validator(mode="after")
    def _one_region(self) -> Self:
        told = KeyId.parse(self.key_id).region
        if told is not None and self.region not in {None, told}:
            raise ValueError(
                f"the ARN of the key says the region {told}, and 'region' says {self.region}: "
                "leave 'region' out"
            )
        return self


class CreateOptions(AwsConnection, ManagementOptions):
    """Options of ``dfns-signers keys create --backend aws-kms``."""

    alias: Text | None = Field(
        default=None, pattern=r"^alias/[A-Za-z0-9/_-]{1,250}$", description="Alias of the new key."
    )
    description: Text | None = Field(default=None, description="What AWS shows beside the key.")
    tags: dict[str, str] = Field(default_factory=dict, description="Tags of the new key.")
    multi_region: bool = Field(
        default=False, description="Make a multi-Region primary key, which can be replicated."
    )
    rsa_bits: Annotated[int, AfterValidator(_check_rsa_bits)] = Field(
        default=DEFAULT_RSA_BITS, description="Size of an RSA key: 2048, 3072 or 4096."
    )


class ListOptions(AwsConnection, ManagementOptions):
    """Options of ``dfns-signers keys list --backend aws-kms``."""
