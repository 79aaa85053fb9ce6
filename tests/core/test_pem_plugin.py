"""The built-in ``pem`` backend, from validated options to an opened key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from dfns_signers.backends.pem.options import PemOptions
from dfns_signers.backends.pem.plugin import PemBackend
from dfns_signers.errors import KeyNotFoundError, SigningKeyError
from dfns_signers.signing_key import SigningKey
from tests.core.keys import ALGORITHMS, is_signature, private_key, private_pem, public_key

CANARY = "canary-9f2e"


def open_key(folder: Path, **values: Any) -> SigningKey:
    backend = PemBackend()
    return backend.open(backend.options.model_validate(values, context={"folder": folder}))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_open_by_path_relative_to_the_configuration_gives_a_key_that_signs(
    tmp_path: Path, algorithm: str
) -> None:
    (tmp_path / "key.pem").write_bytes(private_pem(private_key(algorithm)))

    key = open_key(tmp_path, path="key.pem")

    assert key.algorithm == algorithm
    assert key.reference == f"file {tmp_path / 'key.pem'}"
    assert is_signature(public_key(algorithm), b"message", key.sign(b"message"))


def test_open_by_variable_gives_a_key_that_signs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DFNS_KEY", private_pem(private_key("ES256")).decode())

    key = open_key(tmp_path, env="DFNS_KEY")

    assert is_signature(public_key("ES256"), b"message", key.sign(b"message"))


def test_open_takes_the_passphrase_from_a_text_a_variable_or_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "key.pem").write_bytes(private_pem(private_key("ES256"), CANARY.encode()))
    (tmp_path / "passphrase").write_text(CANARY + "\n")
    monkeypatch.setenv("DFNS_PASSPHRASE", CANARY)

    for passphrase in (CANARY, {"env": "DFNS_PASSPHRASE"}, {"file": "passphrase"}):
        assert open_key(tmp_path, path="key.pem", passphrase=passphrase).algorithm == "ES256"
    with pytest.raises(SigningKeyError, match="is encrypted"):
        open_key(tmp_path, path="key.pem")


@pytest.mark.parametrize("source", [{"path": "key.pem"}, {"env": "DFNS_KEY"}])
@pytest.mark.parametrize(("values", "verified"), [({}, False), ({"verify": True}, True)])
def test_open_encrypted_key_verifies_only_on_request_whatever_its_source(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    source: dict[str, str],
    values: dict[str, bool],
    verified: bool,
) -> None:
    pem = private_pem(private_key("ES256"), CANARY.encode())
    (tmp_path / "key.pem").write_bytes(pem)
    monkeypatch.setenv("DFNS_KEY", pem.decode())

    key = open_key(tmp_path, passphrase=CANARY, **source, **values)

    assert key.sign_with_evidence(b"message").evidence.verified is verified


def test_open_missing_file_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyNotFoundError, match=r"absent\.pem"):
        open_key(tmp_path, path="absent.pem")


@pytest.mark.parametrize("values", [{}, {"path": "key.pem", "env": "DFNS_KEY"}])
def test_options_not_exactly_one_source_refused(values: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="exactly one of 'path' and 'env'"):
        PemOptions.model_validate(values)


@pytest.mark.parametrize("values", [{"env": ""}, {"path": ""}, {"pem": CANARY}])
def test_options_empty_or_unknown_refused_without_showing_values(values: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as caught:
        PemOptions.model_validate(values)
    assert CANARY not in str(caught.value)


def test_options_repr_shows_no_passphrase() -> None:
    options = PemOptions.model_validate({"env": "DFNS_KEY", "passphrase": CANARY})

    assert CANARY not in repr(options)


def test_options_are_described_for_the_reference_page() -> None:
    fields = PemOptions.model_json_schema()["properties"]

    assert fields.keys() == {"path", "env", "passphrase", "verify", "fingerprint"}
    assert all(field["description"] for field in fields.values())
