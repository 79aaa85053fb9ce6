"""docs/aws-kms.md says what the code says."""

from __future__ import annotations

import json
import re
import sys
from contextlib import contextmanager
from typing import Any

import boto3
import pytest

from dfns_signers.algorithms import Algorithm
from dfns_signers.config.assembly import open_key, validated_options
from dfns_signers.config.loading import load_profile
from dfns_signers.errors import KeyStateError
from dfns_signers_aws_kms import errors
from dfns_signers_aws_kms.algorithms import KEY_SPECS
from dfns_signers_aws_kms.key import AwsKmsKey
from dfns_signers_aws_kms.options import AwsKmsConnection, AwsKmsCreate, AwsKmsOptions
from dfns_signers_aws_kms.plugin import AwsKmsBackend
from dfns_signers_testkit.aws import REGION
from tests.core.keys import is_signature
from tests.plugins.aws_kms.kms_double import KmsDouble, refuse
from tests.support import ROOT
from tests.support.pages import DOCS, blocks, option_rows, tables

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PAGE = (DOCS / "aws-kms.md").read_text(encoding="utf-8")
README = (ROOT / "plugins" / "aws-kms" / "README.md").read_text(encoding="utf-8")


def error_rows() -> list[str]:
    meanings = [*errors.SERVICE_ERRORS.items(), *errors.SDK_ERRORS.items()]
    kinds = {meaning.error for _, meaning in meanings}
    return [
        f"| `{kind.__name__}` | "
        + ", ".join(f"`{code}`" for code, meaning in meanings if meaning.error is kind)
        + f" | {'yes' if kind.retriable else 'no'} |"
        for kind in sorted(kinds, key=lambda kind: kind.__name__)
    ]


@pytest.mark.parametrize(
    "rows",
    [option_rows(AwsKmsOptions), option_rows(AwsKmsCreate, without=AwsKmsConnection), error_rows()],
    ids=["options", "create options", "errors"],
)
def test_tables_are_those_of_the_code(rows: list[str]) -> None:
    assert rows in tables(PAGE)


def test_every_key_spec_is_listed_with_what_is_sent() -> None:
    lines = [line for line in PAGE.splitlines() if line.startswith("| `")]

    for spec in KEY_SPECS.values():
        (line,) = (line for line in lines if f"`{spec.name}`" in line)
        for word in (str(spec.algorithm), f"`{spec.message_type}`", f"`{spec.signing_algorithm}`"):
            assert word in line


@pytest.mark.parametrize("page", [PAGE, README], ids=["page", "README"])
def test_signer_table_is_a_valid_configuration(page: str) -> None:
    (text,) = blocks(page, "toml")
    table = tomllib.loads(text)["profiles"]["production"]["signer"]

    options = validated_options(load_profile(credential_id="cr-1", signer=table))

    assert isinstance(options, AwsKmsOptions)
    assert options.key_id == "alias/dfns-production"


def actions(double: KmsDouble) -> set[str]:
    return {f"kms:{operation}" for operation, _ in double.calls}


def test_policies_are_json_and_allow_what_the_code_asks_for(double: KmsDouble) -> None:
    sign, manage = (json.loads(text)["Statement"] for text in blocks(PAGE, "json"))
    client = boto3.client("kms", region_name=REGION, endpoint_url=double.url)
    with AwsKmsKey(double.add("ECC_NIST_P256"), client=client) as key:
        key.sign(b"message")
    with pytest.raises(KeyStateError):
        AwsKmsKey(double.add("ECC_NIST_P256", state="Disabled"), client=client)
    client.close()

    asked = actions(double)
    double.calls.clear()
    backend = AwsKmsBackend()
    where: dict[str, Any] = {"region": REGION, "endpoint_url": double.url}
    options = AwsKmsCreate(**where, alias="alias/dfns-production")
    assert backend.find(Algorithm.ES256, options) is None
    backend.create(Algorithm.ES256, options)
    backend.create_next(AwsKmsOptions(**where, key_id="alias/dfns-production"))

    assert asked == {action for statement in sign for action in statement["Action"]}
    assert actions(double) | {"kms:TagResource"} == {
        action for statement in manage for action in statement["Action"]
    }


def test_terraform_grants_the_actions_of_the_policy() -> None:
    (terraform,) = blocks(PAGE, "hcl")
    sign = json.loads(blocks(PAGE, "json")[0])["Statement"][0]["Action"]

    assert json.loads(re.findall(r"Action\s+= (\[.*\])", terraform)[0]) == sign


def test_example_of_a_key_made_in_code_signs(
    double: KmsDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    double.add("ECC_NIST_P256", alias="alias/dfns-production")
    monkeypatch.setenv("AWS_ENDPOINT_URL", double.url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    names: dict[str, Any] = {}

    exec(compile(blocks(PAGE, "python")[0], "aws-kms.md", "exec"), names)

    key = names["key"]
    assert names["signer"].credential_id == "Y2ktM3E5Y2Y"
    assert is_signature(key.public_key, b"message", key.sign(b"message"))
    names["client"].close()


def test_example_of_a_fixture_gives_a_table_that_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pytest, "fixture", lambda **_: lambda function: function)
    names: dict[str, Any] = {}

    exec(compile(blocks(PAGE, "python")[1], "aws-kms.md", "exec"), names)

    with (
        contextmanager(names["signer_table"])() as table,
        open_key(load_profile(credential_id="cr-1", signer=table)) as key,
    ):
        assert is_signature(key.public_key, b"message", key.sign(b"message"))


def test_policy_of_the_readme_is_enough_to_open_a_key_and_sign(double: KmsDouble) -> None:
    (policy,) = (json.loads(text) for text in blocks(README, "json"))
    denied = {"GetPublicKey", "DescribeKey", "Sign"} - {
        action.removeprefix("kms:") for action in policy["Statement"][0]["Action"]
    }
    for operation in denied:
        double.fail(operation, refuse("AccessDeniedException", "User is not authorized"))
    client = boto3.client("kms", region_name=REGION, endpoint_url=double.url)

    with AwsKmsKey(double.add("ECC_NIST_P256"), client=client) as key:
        assert is_signature(key.public_key, b"message", key.sign(b"message"))

    client.close()
    assert denied == {"DescribeKey"}


def test_options_that_the_readme_names_exist() -> None:
    named = re.findall(r"^\* `(\w+)`", README, re.MULTILINE)

    assert named
    assert set(named) <= set(AwsKmsOptions.model_fields)


def test_every_finding_of_a_diagnosis_is_listed(double: KmsDouble) -> None:
    backend = AwsKmsBackend()
    where: dict[str, Any] = {"region": REGION, "endpoint_url": double.url}
    specs = ("ECC_NIST_P256", "ECC_NIST_P384")
    found = {
        finding.check
        for spec in specs
        for finding in backend.diagnose(AwsKmsOptions(key_id=double.add(spec), **where))
    }
    (table,) = (rows for rows in tables(PAGE) if any("`key state`" in row for row in rows))

    assert {row.split("`")[1] for row in table if row.startswith("| `")} == found


def test_marks_of_created_keys_are_those_that_the_page_shows(double: KmsDouble) -> None:
    options = AwsKmsCreate(region=REGION, endpoint_url=double.url, alias="alias/dfns-production")

    AwsKmsBackend().create(Algorithm.ES256, options)

    assert f"`{double.members('CreateKey')[0]['Description']}`" in PAGE
