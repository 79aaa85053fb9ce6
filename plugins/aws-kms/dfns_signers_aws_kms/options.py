"""What can be configured: which key, and how AWS KMS is reached."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from typing_extensions import Self

from dfns_signers.plugin import (
    BackendOptions,
    ManagementOptions,
    RequestLimits,
    RsaBits,
    ServiceUrl,
)
from dfns_signers_aws_kms.names import ALIAS, KeyId

_ROLE: Final = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+", re.ASCII)


def _check_key_id(value: str) -> str:
    return KeyId.parse(value).text


def _check_role(value: str) -> str:
    if not _ROLE.fullmatch(value):
        raise ValueError("expected the ARN of a role, such as arn:aws:iam::111122223333:role/dfns")
    return value


Text = Annotated[str, Field(min_length=1)]


class AwsKmsConnection(RequestLimits):
    """How AWS KMS is reached, and as whom."""

    # What signs needs one of the models below; pydantic would build them all at the import.
    model_config = ConfigDict(defer_build=True)

    region: Text | None = Field(
        default=None,
        description="Region of the key. Default: that of an ARN, else of `AWS_DEFAULT_REGION`, "
        "the AWS profile or `AWS_REGION`, in this order.",
    )
    profile: Text | None = Field(
        default=None,
        description="Profile of the AWS configuration files. Default: the usual chain of AWS "
        "credentials.",
    )
    endpoint_url: ServiceUrl | None = Field(
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
        default=64,
        ge=1,
        description="Connections that are kept: as many as signatures are made at the same time. "
        "Blocking calls make at most 64 at a time, asynchronous code 32.",
    )

    @model_validator(mode="after")
    def _role_is_named(self) -> Self:
        for name in ("role_external_id", "role_session_name"):
            if getattr(self, name) is not None and self.role_arn is None:
                raise ValueError(f"expected 'role_arn' beside '{name}': there is no role to assume")
        return self

    @model_validator(mode="after")
    def _one_endpoint(self) -> Self:
        if self.endpoint_url is not None and self.use_fips_endpoint:
            raise ValueError(
                "expected one of 'endpoint_url' and 'use_fips_endpoint': write the FIPS address "
                "as 'endpoint_url'"
            )
        return self


class AwsKmsOptions(AwsKmsConnection, BackendOptions):
    """Options of ``backend = "aws-kms"``."""

    key_id: Annotated[Text, AfterValidator(_check_key_id)] = Field(
        description="The key as AWS names it: key id, key ARN, alias name (`alias/…`) or alias ARN."
    )

    @property
    def connection(self) -> AwsKmsConnection:
        """How AWS KMS is reached, in the region that the key names."""
        settings = {name: getattr(self, name) for name in AwsKmsConnection.model_fields}
        settings["region"] = KeyId.parse(self.key_id).region or self.region
        return AwsKmsConnection.model_construct(**settings)

    @model_validator(mode="after")
    def _one_region(self) -> Self:
        named = KeyId.parse(self.key_id).region
        if named is not None and self.region not in {None, named}:
            raise ValueError(
                f"the ARN of the key says the region {named}, and 'region' says {self.region}: "
                "leave 'region' out"
            )
        return self


class AwsKmsCreate(AwsKmsConnection, ManagementOptions):
    """Options of ``dfns-signers keys create --backend aws-kms``."""

    alias: Text | None = Field(
        default=None,
        pattern=rf"^{ALIAS}$",
        description="Alias of the new key, such as `alias/dfns-production`.",
    )
    description: Text | None = Field(default=None, description="What AWS shows beside the key.")
    tags: dict[str, str] = Field(default_factory=dict, description="Tags of the new key.")
    multi_region: bool = Field(
        default=False, description="Make a multi-Region primary key, which can be replicated."
    )
    rsa_bits: RsaBits = Field(default=2048, description="Size of an RSA key: 2048, 3072 or 4096.")


class AwsKmsList(AwsKmsConnection, ManagementOptions):
    """Options of ``dfns-signers keys list --backend aws-kms``."""
