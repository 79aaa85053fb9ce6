"""Keys created and listed on real servers, by the backend and by the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tomlkit

from dfns_signers.algorithms import Algorithm
from dfns_signers.errors import SigningKeyError
from dfns_signers_aws_kms.options import AwsKmsCreate, AwsKmsList, AwsKmsOptions
from dfns_signers_aws_kms.plugin import AwsKmsBackend
from dfns_signers_testkit.aws import REGION
from tests.core.cli.support import Command
from tests.core.keys import is_signature
from tests.plugins.aws_kms.kms_keys import ALGORITHMS
from tests.plugins.aws_kms.stores import Store

SIZED = {"RSA_2048": 2048, "RSA_3072": 3072, "RSA_4096": 4096}


def at(store: Store, **options: Any) -> dict[str, Any]:
    return {"region": REGION, "endpoint_url": store.url, **options}


def open_described(signer: Any) -> Any:
    table = dict(signer)
    assert table.pop("backend") == "aws-kms"
    return AwsKmsBackend().open(AwsKmsOptions(**table))


def assert_creates(store: Store, spec: str) -> None:
    options = AwsKmsCreate(**at(store), rsa_bits=SIZED.get(spec, 2048))

    made = AwsKmsBackend().create(Algorithm(ALGORITHMS[spec]), options)

    assert (made.kind, str(made.algorithm), made.state) == (spec, ALGORITHMS[spec], "Enabled")
    with open_described(made.signer) as key:
        assert key.reference == made.reference
        assert is_signature(key.public_key, b"message", key.sign(b"message"))


@pytest.mark.parametrize("spec", [spec for spec in ALGORITHMS if spec != "ECC_NIST_EDWARDS25519"])
def test_key_of_each_spec_is_created_and_its_signer_table_opens_it(store: Store, spec: str) -> None:
    assert_creates(store, spec)


def test_ed25519_key_is_created_where_the_store_has_them(ministack: Store) -> None:
    assert_creates(ministack, "ECC_NIST_EDWARDS25519")


def test_ed25519_key_is_refused_where_the_store_has_none(localstack: Store) -> None:
    with pytest.raises(SigningKeyError, match="cannot create a key of the spec ECC_NIST_EDWARDS"):
        AwsKmsBackend().create(Algorithm.ED25519, AwsKmsCreate(**at(localstack)))


def test_alias_description_tags_and_region_scope_are_those_asked_for(store: Store) -> None:
    options = AwsKmsCreate(
        **at(store),
        alias=f"alias/created-on-{store.name}",
        description="signs for Dfns",
        tags={"team": "payments", "stage": "test"},
        multi_region=True,
    )

    made = AwsKmsBackend().create(Algorithm.ES256, options)

    assert made.names == (options.alias,)
    metadata = store.client.describe_key(KeyId=options.alias)["KeyMetadata"]
    tags = store.client.list_resource_tags(KeyId=made.reference)["Tags"]
    assert metadata["Arn"] == made.reference
    assert metadata["Description"].startswith("signs for Dfns")
    assert metadata["MultiRegion"] is True
    assert {tag["TagKey"]: tag["TagValue"] for tag in tags} == options.tags


def test_alias_that_is_taken_is_refused_and_no_key_is_created(store: Store) -> None:
    arn = store.arn("ECC_NIST_P256")
    alias = store.alias(arn)
    before = len(list(AwsKmsBackend().list_keys(AwsKmsList(**at(store)))))

    with pytest.raises(SigningKeyError, match=f"{alias} belongs to the key {arn}; .*No key was"):
        AwsKmsBackend().create(Algorithm.ES256, AwsKmsCreate(**at(store), alias=alias))

    assert len(list(AwsKmsBackend().list_keys(AwsKmsList(**at(store))))) == before


def test_list_shows_every_signing_key_with_names_state_and_signer_table(store: Store) -> None:
    usable, unusable = store.create("ECC_SECG_P256K1"), store.create("ECC_NIST_P384")
    foreign = store.create("RSA_2048", "ENCRYPT_DECRYPT")
    names = {store.alias(usable), store.alias(usable)}
    store.client.disable_key(KeyId=unusable)

    found = {one.reference: one for one in AwsKmsBackend().list_keys(AwsKmsList(**at(store)))}

    assert foreign not in found
    assert set(found[usable].names) == names
    assert (found[usable].kind, found[usable].state) == ("ECC_SECG_P256K1", "Enabled")
    assert found[usable].algorithm is Algorithm.ES256K
    assert found[usable].signer == {
        "backend": "aws-kms",
        "key_id": usable,
        "endpoint_url": store.url,
    }
    assert (found[unusable].algorithm, found[unusable].state) == (None, "Disabled")
    assert found[unusable].signer == {}


def test_command_line_creates_and_lists_keys(
    ministack: Store, tmp_path: Path, command: Command
) -> None:
    where = [
        "--backend",
        "aws-kms",
        "-o",
        f"region={REGION}",
        "-o",
        f"endpoint_url={ministack.url}",
    ]
    more = ["-o", "alias=alias/by-command", "-o", "tags.team=payments", "-o", "rsa_bits=3072"]

    created = command("keys", "create", "RS256", *where, *more, "--json")
    listed = command("keys", "list", *where, "--json")

    assert (created.code, listed.code) == (0, 0), created.err + listed.err
    made = created.json
    assert (made["algorithm"], made["kind"]) == ("RS256", "RSA_3072")
    (found,) = (one for one in listed.json if one["names"] == ["alias/by-command"])
    assert found == made


def test_keys_are_listed_through_the_table_that_was_printed_for_one(
    ministack: Store, tmp_path: Path, command: Command
) -> None:
    where = ["-o", f"region={REGION}", "-o", f"endpoint_url={ministack.url}"]
    made = command("keys", "create", "ES256", "--backend", "aws-kms", *where, "--json").json
    config = tmp_path / "config.toml"
    config.write_text(tomlkit.dumps({"profiles": {"p": {"signer": made["signer"]}}}))
    config.chmod(0o600)

    listed = command("keys", "list", "--profile", "p", "--config", str(config), "--json")

    assert listed.code == 0, listed.err
    assert made in listed.json
