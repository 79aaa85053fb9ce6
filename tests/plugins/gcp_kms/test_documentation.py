"""docs/gcp-kms.md and the README say what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dfns_signers.config.assembly import validated_options
from dfns_signers.config.loading import load_profile
from dfns_signers_gcp_kms import errors
from dfns_signers_gcp_kms.options import (
    GcpKmsConnection,
    GcpKmsCreate,
    GcpKmsList,
    GcpKmsOptions,
)
from tests.plugins.gcp_kms.keys import SIGNING
from tests.support import ROOT
from tests.support.pages import DOCS, blocks, option_rows, tables

PAGE = (DOCS / "gcp-kms.md").read_text(encoding="utf-8")
README = (ROOT / "plugins" / "gcp-kms" / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "rows",
    [
        option_rows(GcpKmsOptions),
        option_rows(GcpKmsCreate, without=GcpKmsConnection),
        option_rows(GcpKmsList, without=GcpKmsConnection),
    ],
    ids=["signer", "create", "list"],
)
def test_every_option_is_in_the_page(rows: list[str]) -> None:
    assert rows in tables(PAGE)


@pytest.mark.parametrize("page", [PAGE, README], ids=["page", "README"])
def test_signer_tables_are_valid(page: str, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    tables = blocks(page, "toml")
    assert tables

    for table in tables:
        config.write_text(table, encoding="utf-8")
        (profile,) = re.findall(r"^\[profiles\.(\w+)\.signer\]", table, re.MULTILINE)
        assert isinstance(validated_options(load_profile(profile, config=config)), GcpKmsOptions)


def test_every_algorithm_is_in_the_page() -> None:
    assert {name for name in SIGNING if f"`{name}`" in PAGE} == SIGNING.keys()


def test_every_error_is_in_the_table() -> None:
    ours = {meaning.error.__name__ for meaning in errors.ERRORS.values()} | {"DamagedAnswerError"}

    _, _, rows = PAGE.partition("## Errors")
    assert {name for name in ours if f"| `{name}`" in rows} == ours


@pytest.mark.parametrize("language", ["yaml", "hcl"])
def test_smallest_role_is_what_signing_needs(language: str) -> None:
    (block,) = blocks(PAGE, language)

    permissions = set(re.findall(r"cloudkms\.[A-Za-z.]+", block))
    assert permissions == {
        f"cloudkms.{errors.PERMISSIONS[method][0]}"
        for method in ("get_public_key", "asymmetric_sign")
    }
