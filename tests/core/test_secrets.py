"""Secrets say where they come from, and never what they are."""

from __future__ import annotations

import copy
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import PydanticSerializationError

from dfns_signers.errors import ConfigurationError
from dfns_signers.secrets import Secret

CANARY = "canary-9f2e"


class Model(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)

    token: Secret


def validate(value: Any, folder: Path | None = None) -> Secret:
    return Model.model_validate({"token": value}, context={"folder": folder or Path()}).token


def test_literal_is_revealed_as_given() -> None:
    assert Secret.literal(f" {CANARY} ").reveal() == f" {CANARY} "


def test_secret_is_a_token_provider() -> None:
    assert Secret.literal(CANARY)() == CANARY


def test_env_is_revealed_without_white_space_around_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DFNS_TOKEN", f" {CANARY}\n")

    assert Secret.from_env("DFNS_TOKEN").reveal() == CANARY


def test_file_is_revealed_without_white_space_around_it(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{CANARY}\r\n", encoding="utf-8")

    assert Secret.from_file(tmp_path / "token").reveal() == CANARY


def test_file_that_is_replaced_gives_the_new_secret_at_the_next_reveal(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("old")
    secret = Secret.from_file(path)
    assert secret.reveal() == "old"

    path.write_text("new")

    assert secret.reveal() == "new"


def test_env_that_changes_gives_the_new_secret_at_the_next_reveal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DFNS_TOKEN", "old")
    secret = Secret.from_env("DFNS_TOKEN")
    assert secret.reveal() == "old"

    monkeypatch.setenv("DFNS_TOKEN", "new")

    assert secret.reveal() == "new"


def test_missing_variable_refused_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DFNS_TOKEN", raising=False)

    with pytest.raises(ConfigurationError, match="DFNS_TOKEN is not set"):
        Secret.from_env("DFNS_TOKEN").reveal()


@pytest.mark.parametrize("content", ["", " \n"])
def test_empty_variable_refused_with_its_name(
    monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    monkeypatch.setenv("DFNS_TOKEN", content)

    with pytest.raises(ConfigurationError, match="environment variable DFNS_TOKEN is empty"):
        Secret.from_env("DFNS_TOKEN").reveal()


def test_empty_literal_refused() -> None:
    with pytest.raises(ConfigurationError, match="a literal string is empty"):
        Secret.literal("").reveal()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b" \n\t", "is empty"),
        (b"\xff" + CANARY.encode(), "is not UTF-8 text"),
    ],
)
def test_file_without_text_refused_with_its_path(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "token"
    path.write_bytes(content)
    os.utime(path, (0, 0))

    with pytest.raises(ConfigurationError, match=reason) as caught:
        Secret.from_file(path).reveal()

    assert str(path) in str(caught.value)
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "reason"),
    [("absent", "No such file"), (".", "Is a directory"), ("a\0b", "embedded null")],
)
def test_unreadable_file_refused_with_its_path_and_the_reason(
    tmp_path: Path, name: str, reason: str
) -> None:
    path = tmp_path / name

    with pytest.raises(ConfigurationError, match=reason) as caught:
        Secret.from_file(path).reveal()

    assert str(path) in str(caught.value)


def secrets_of_each_origin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Secret]:
    (tmp_path / "token").write_text(CANARY)
    monkeypatch.setenv("DFNS_TOKEN", CANARY)
    return [
        Secret.literal(CANARY),
        Secret.from_env("DFNS_TOKEN"),
        Secret.from_file(tmp_path / "token"),
    ]


def test_repr_and_str_show_the_origin_and_not_the_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = secrets_of_each_origin(tmp_path, monkeypatch)

    assert [f"{secret}" for secret in secrets] == [
        "<Secret from a literal string>",
        "<Secret from environment variable DFNS_TOKEN>",
        f"<Secret from file {tmp_path / 'token'}>",
    ]
    assert [repr(secret) for secret in secrets] == [str(secret) for secret in secrets]
    assert all(secret.reveal() == CANARY for secret in secrets)


@pytest.mark.parametrize("take", [pickle.dumps, copy.copy, copy.deepcopy])
def test_pickle_and_copy_refused(take: Callable[[object], object]) -> None:
    with pytest.raises(TypeError, match="a Secret does not pickle") as caught:
        take(Secret.literal(CANARY))
    assert CANARY not in str(caught.value)


def test_reference_is_what_a_configuration_file_says_and_never_the_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text("from file")
    monkeypatch.setenv("DFNS_TOKEN", "from env")

    assert validate({"env": "DFNS_TOKEN"}).reference == {"env": "DFNS_TOKEN"}
    assert validate({"file": "token"}, tmp_path).reference == {"file": f"{tmp_path}/token"}
    assert validate(CANARY).reference is None


def test_secret_has_no_dictionary_that_a_debugger_would_show() -> None:
    with pytest.raises(TypeError):
        vars(Secret.literal(CANARY))


def test_model_takes_a_text_a_variable_a_file_or_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text("from file")
    monkeypatch.setenv("DFNS_TOKEN", "from env")
    ready = Secret.literal("ready")

    assert validate("literal").reveal() == "literal"
    assert validate({"env": "DFNS_TOKEN"}).reveal() == "from env"
    assert validate({"file": str(tmp_path / "token")}).reveal() == "from file"
    assert validate(ready) is ready


def test_model_relative_file_starts_at_the_folder_of_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "token").write_text(CANARY)

    secret = validate({"file": "secrets/token"}, tmp_path)

    assert secret.reveal() == CANARY
    assert secret.origin == f"file {tmp_path / 'secrets' / 'token'}"


def test_model_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "token").write_text(CANARY)

    assert validate({"file": "~/token"}, Path("/elsewhere")).reveal() == CANARY


def test_model_without_a_context_starts_at_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "token").write_text(CANARY)

    assert Model.model_validate({"token": {"file": "token"}}).token.reveal() == CANARY


@pytest.mark.parametrize(
    "value",
    [
        None,
        7,
        [CANARY],
        {},
        {"env": "A", "file": "B"},
        {"value": CANARY},
        {"env": ""},
        {"file": ""},
        {"env": 7},
        {"env": None},
        {"file": [CANARY]},
        b"bytes",
    ],
)
def test_model_anything_else_refused_with_what_is_expected_and_without_the_value(
    value: object,
) -> None:
    with pytest.raises(ValidationError, match=r"expected a string, .*env.*file") as caught:
        validate(value)
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "is empty"),
        ({"env": "DFNS_ABSENT"}, "DFNS_ABSENT is not set"),
        ({"file": "absent"}, "No such file"),
        ({"file": "~nobody-by-that-name/token"}, "No such file"),
        ({"file": "a\0b"}, "embedded null"),
    ],
)
def test_model_missing_secret_refused_at_validation(
    value: object, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DFNS_ABSENT", raising=False)

    with pytest.raises(ValidationError, match=reason):
        validate(value)


def test_model_repr_and_json_schema_show_no_secret() -> None:
    model = Model(token=Secret.literal(CANARY))

    assert CANARY not in repr(model)
    assert "env" in Model.model_json_schema()["properties"]["token"]["title"]


def test_model_dump_keeps_the_secret_closed() -> None:
    assert CANARY not in repr(Model(token=Secret.literal(CANARY)).model_dump())


def test_model_dump_to_json_refused_without_showing_the_secret() -> None:
    with pytest.raises(PydanticSerializationError) as caught:
        Model(token=Secret.literal(CANARY)).model_dump_json()

    assert CANARY not in str(caught.value)
