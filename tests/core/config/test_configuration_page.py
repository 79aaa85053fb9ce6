"""``docs/configuration.md`` says what the models say."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel

from dfns_signers.backends.options import BackendOptions
from dfns_signers.backends.pem.options import PemOptions
from dfns_signers.config.loading import load_profile
from dfns_signers.config.profile import ENVIRONMENT, Profile
from dfns_signers.errors import ConfigurationError
from tests.core.config.support import write_config
from tests.support.pages import blocks, option_rows, rows, section

PAGE = "configuration.md"


def cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip("|").split("|")]


def test_settings_of_a_profile_are_those_of_the_model() -> None:
    variables = {setting: f"`{env.variable}`" for setting, env in ENVIRONMENT.items()}
    expected = []
    for name, field in Profile.model_fields.items():
        default = field.get_default(call_default_factory=True)
        shown = "" if default is None else f"`{default}`"
        expected.append([f"`{name}`", variables.get(name, ""), shown, field.description or ""])

    assert [cells(row) for row in rows(section(PAGE, "Settings of a profile"))] == expected


@pytest.mark.parametrize(
    ("title", "model", "base"),
    [
        ("Options of every backend", BackendOptions, None),
        ("Options of `pem`", PemOptions, BackendOptions),
    ],
)
def test_options_of_a_backend_are_those_of_the_model(
    title: str, model: type[BaseModel], base: type[BaseModel] | None
) -> None:
    assert rows(section(PAGE, title)) == option_rows(model, without=base)


@pytest.mark.parametrize("profile", [None, "production", "laptop"])
def test_example_of_a_file_is_loaded(
    folder: Path, monkeypatch: pytest.MonkeyPatch, profile: str | None
) -> None:
    (example,) = blocks(section(PAGE, "The file"), "toml")
    monkeypatch.setenv("DFNS_PRODUCTION_TOKEN", "token")
    (folder / "laptop.token").write_text("token", encoding="utf-8")

    loaded = load_profile(profile, config=write_config(folder, example))

    assert loaded.name == (profile or "production")
    assert loaded.signer is not None


def test_example_of_a_line_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = blocks(section(PAGE, "A signer in one line"), "sh")
    for line in example.splitlines():
        name, _, value = line.removeprefix("export ").partition("=")
        monkeypatch.setenv(name, value.strip("'"))

    signer = load_profile().signer

    assert signer is not None
    assert (signer.backend, signer.options.open()) == (
        "aws-kms",
        {"key_id": "alias/dfns-production", "region": "eu-west-1"},
    )


def test_example_of_an_error_is_what_is_said(working_folder: Path) -> None:
    text = section(PAGE, "What an error looks like")
    (wrong,), (said,) = blocks(text, "toml"), blocks(text, "text")
    write_config(working_folder, wrong)

    with pytest.raises(ConfigurationError) as caught:
        load_profile("production", config="config.toml")

    assert str(caught.value) == said.strip()
