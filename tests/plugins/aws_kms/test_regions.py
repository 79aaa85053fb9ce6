"""The region of a key, of its neighbours, and of what is asked for its credentials."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
import tomlkit

from dfns_signers_aws_kms.client import kms_client
from dfns_signers_aws_kms.key import AwsKmsKey
from dfns_signers_aws_kms.options import AwsKmsConnection
from tests.core.cli.support import Command
from tests.plugins.aws_kms.kms_double import REGION, KmsDouble
from tests.plugins.aws_kms.sts_double import ROLE, StsDouble

Open = Callable[..., AwsKmsKey]

OTHER = "us-east-2"


@pytest.mark.parametrize("variable", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_region_of_the_environment_is_that_of_a_key_named_without_one(
    double: KmsDouble, open_key: Open, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    double.add("ECC_NIST_P256", alias="alias/dfns")
    monkeypatch.setenv(variable, REGION)

    open_key("alias/dfns", region=None)

    assert double.http.requests[-1].region == REGION


@pytest.mark.parametrize("settled", ["AWS_DEFAULT_REGION", "profile", "option", "arn"])
def test_region_of_the_other_sdks_of_aws_is_the_last_to_be_asked(
    double: KmsDouble,
    open_key: Open,
    aws_config: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
    settled: str,
) -> None:
    arn = double.add("ECC_NIST_P256", alias="alias/dfns")
    aws_config(f"[default]\nregion = {REGION}\n" if settled == "profile" else "")
    monkeypatch.setenv("AWS_REGION", OTHER)
    if settled == "AWS_DEFAULT_REGION":
        monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)

    open_key(
        arn if settled == "arn" else "alias/dfns", region=REGION if settled == "option" else None
    )

    assert {request.region for request in double.http.requests} == {REGION}


def test_region_of_the_environment_serves_an_injected_session_without_one(
    double: KmsDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", REGION)

    client = kms_client(AwsKmsConnection(endpoint_url=double.url), session=boto3.Session())
    client.close()

    assert client.meta.region_name == REGION


@pytest.mark.parametrize("way", ["option", "arn", "AWS_REGION"])
def test_role_of_the_aws_profile_is_assumed_in_the_region_of_the_key(
    double: KmsDouble,
    sts: StsDouble,
    open_key: Open,
    aws_config: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
    way: str,
) -> None:
    arn = double.add("ECC_NIST_P256", alias="alias/dfns")
    aws_config(
        ("" if way == "AWS_REGION" else f"[default]\nregion = {OTHER}\n")
        + f"[profile ops]\nrole_arn = {ROLE}\ncredential_source = Environment\n"
    )
    if way == "AWS_REGION":
        monkeypatch.setenv("AWS_REGION", REGION)

    open_key(
        arn if way == "arn" else "alias/dfns",
        region=REGION if way == "option" else None,
        profile="ops",
    )

    assert [request.region for request in sts.requests] == [REGION]


@pytest.fixture
def keys_command(double: KmsDouble, tmp_path: Path, command: Command) -> Callable[..., Any]:
    """Runs ``dfns-signers keys`` through a profile whose key is named by its ARN, and no region."""
    table = {"backend": "aws-kms", "key_id": double.add("RSA_2048"), "endpoint_url": double.url}
    config = tmp_path / "config.toml"
    config.write_text(tomlkit.dumps({"profiles": {"ops": {"signer": table}}}), encoding="utf-8")

    def run(*arguments: str) -> Any:
        where = ["--config", str(config), "--profile", "ops", "--json"]
        ran = command("keys", *arguments, *where)
        assert ran.code == 0, ran.err
        return ran.json

    return run


def test_keys_beside_that_of_a_profile_are_listed_in_the_region_of_its_arn(
    double: KmsDouble, keys_command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", OTHER)

    (found,) = keys_command("list")

    assert found["reference"] in double.keys
    assert {request.region for request in double.http.requests} == {REGION}


def test_key_is_created_in_the_region_of_the_arn_of_a_profile(
    double: KmsDouble, keys_command: Callable[..., Any]
) -> None:
    made = keys_command("create", "ES256")

    assert made["reference"] in double.keys
    assert {request.region for request in double.http.requests} == {REGION}


def test_alias_in_a_profile_leaves_the_region_to_the_environment(
    double: KmsDouble, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = f"aws-kms:?key_id=alias/dfns&endpoint_url={double.url}"
    monkeypatch.setenv("DFNS_SIGNER", line)
    monkeypatch.setenv("AWS_REGION", REGION)

    ran = command("keys", "list", "--json")

    assert (ran.code, ran.json) == (0, []), ran.err
