"""docs/gcp-kms.md and the README say what the code says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

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

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "gcp-kms.md").read_text(encoding="utf-8")
README = (ROOT / "plugins" / "gcp-kms" / "README.md").read_text(encoding="utf-8")


def blocks(language: str, page: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


def options_table(model: type[BaseModel], *, without: type[BaseModel] | None = None) -> str:
    """The rows of a model's options; the required ones come first."""
    left_out = without.model_fields if without else {}
    fields = [(name, f) for name, f in model.model_fields.items() if name not in left_out]
    fields.sort(key=lambda item: not item[1].is_required())
    types = model.model_json_schema()["properties"]
    return "\n".join(
        f"| `{name}` | {_type(types[name])} | {_default(field)} | {field.description} |"
        for name, field in fields
    )


def _type(schema: dict[str, Any]) -> str:
    return str(schema["type"] if "type" in schema else schema["anyOf"][0]["type"])


def _default(field: Any) -> str:
    if field.is_required():
        return "required"
    return "" if field.default is None else f"`{json.dumps(field.default)}`"


@pytest.mark.parametrize(
    "rows",
    [
        options_table(GcpKmsOptions),
        options_table(GcpKmsCreate, without=GcpKmsConnection),
        options_table(GcpKmsList, without=GcpKmsConnection),
    ],
    ids=["signer", "create", "list"],
)
def test_every_option_is_in_the_page(rows: str) -> None:
    assert f"|---|---|---|---|\n{rows}\n\n" in PAGE


@pytest.mark.parametrize("page", [PAGE, README], ids=["page", "README"])
def test_signer_tables_are_valid(page: str, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    tables = blocks("toml", page)
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
    (block,) = blocks(language, PAGE)

    permissions = set(re.findall(r"cloudkms\.[A-Za-z.]+", block))
    assert permissions == {
        f"cloudkms.{errors.PERMISSIONS[method][0]}"
        for method in ("get_public_key", "asymmetric_sign")
    }
