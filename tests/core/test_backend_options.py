"""What the options of every backend have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from dfns_signers.backends.options import BackendOptions, ConfigPath, RsaBits

CANARY = "canary-9f2e"
DIGEST = "ab" * 32


class Options(BackendOptions):
    path: ConfigPath | None = None
    attempts: int = 3
    rsa_bits: RsaBits = 2048


def validate(folder: Path | str, **values: Any) -> Options:
    return Options.model_validate(values, context={"folder": folder})


@pytest.mark.parametrize("kind", [Path, str])
def test_relative_path_starts_at_the_folder_of_the_configuration(
    tmp_path: Path, kind: type[Any]
) -> None:
    assert validate(kind(tmp_path), path="keys/dfns.pem").path == tmp_path / "keys" / "dfns.pem"
    assert validate(kind(tmp_path), path=Path("dfns.pem")).path == tmp_path / "dfns.pem"


def test_absolute_path_stays_as_it_is(tmp_path: Path) -> None:
    assert validate(tmp_path, path="/etc/dfns/key.pem").path == Path("/etc/dfns/key.pem")


def test_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/dfns")

    assert validate(tmp_path, path="~/key.pem").path == Path("/home/dfns/key.pem")


def test_tilde_of_an_unknown_user_is_an_ordinary_name(tmp_path: Path) -> None:
    path = validate(tmp_path, path="~nobody-by-that-name/key.pem").path

    assert path == tmp_path / "~nobody-by-that-name" / "key.pem"


def test_path_without_a_context_starts_at_the_current_folder() -> None:
    assert Options.model_validate({"path": "key.pem"}).path == Path("key.pem")


def test_empty_path_refused() -> None:
    with pytest.raises(ValidationError, match="found an empty string"):
        Options.model_validate({"path": ""})


@pytest.mark.parametrize("value", [7, True, ["key.pem"], {"file": "key.pem"}])
def test_path_of_another_type_refused(value: object) -> None:
    with pytest.raises(ValidationError, match="path"):
        Options.model_validate({"path": value})


def test_unknown_key_refused_with_its_name_and_without_its_value() -> None:
    with pytest.raises(ValidationError, match="regoin") as caught:
        Options.model_validate({"regoin": CANARY})

    assert caught.value.errors()[0]["type"] == "extra_forbidden"
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("field", ["attempts", "fingerprint"])
def test_wrong_value_refused_without_showing_it(field: str) -> None:
    with pytest.raises(ValidationError, match=field) as caught:
        Options.model_validate({field: CANARY})

    assert CANARY not in str(caught.value)


def test_options_cannot_be_changed() -> None:
    options = Options()

    with pytest.raises(ValidationError, match="frozen"):
        options.attempts = 4


@pytest.mark.parametrize(
    "text", [DIGEST, "sha256:" + DIGEST, DIGEST.upper(), ":".join(["ab"] * 32)]
)
def test_fingerprint_is_normalised(text: str) -> None:
    assert Options(fingerprint=text).fingerprint == "sha256:" + DIGEST


def test_fingerprint_of_another_form_refused_with_the_form() -> None:
    with pytest.raises(ValidationError, match="'sha256:' and 64 hex digits"):
        Options(fingerprint="sha256:abc")


def test_fingerprint_is_not_pinned_unless_it_is_given() -> None:
    assert Options().fingerprint is None


@pytest.mark.parametrize("bits", [2048, 3072, 4096, "3072"])
def test_size_of_an_rsa_key_is_taken_as_an_integer_or_its_digits(
    tmp_path: Path, bits: object
) -> None:
    assert validate(tmp_path, rsa_bits=bits).rsa_bits == int(str(bits))


@pytest.mark.parametrize("bits", [1024, "big"])
def test_other_size_of_an_rsa_key_refused(tmp_path: Path, bits: object) -> None:
    with pytest.raises(ValidationError):
        validate(tmp_path, rsa_bits=bits)


def test_settings_that_were_given_are_those_of_the_part_as_a_file_has_them() -> None:
    class Created(Options):
        alias: str = "dfns"

    created = Created.model_validate({"path": "key.pem", "alias": "other"})

    assert created.given(Options) == {"path": "key.pem"}
