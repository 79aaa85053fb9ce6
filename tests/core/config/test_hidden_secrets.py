"""What was configured as a secret is not shown, and a file that shows it to others is warned of."""

from __future__ import annotations

import logging
import pickle
from pathlib import Path

import pytest
from pydantic_core import PydanticSerializationError

from dfns_signers import DfnsClient, load_signer
from dfns_signers.config.assembly import validated_options
from dfns_signers.config.files import read_file
from dfns_signers.config.loading import load_profile
from tests.core.config.support import write_client_config, write_config
from tests.secrecy import CANARY


@pytest.fixture
def config(folder: Path, key_file: Path) -> Path:
    return write_client_config(folder, "https://api.dfns.io", CANARY)


def test_repr_of_what_was_loaded_shows_no_secret(config: Path) -> None:
    loaded = load_profile(
        config=config, signer={"backend": "x", "token": CANARY, "login": {"password": CANARY}}
    )

    for shown in (repr(loaded), str(loaded.settings), repr(loaded.signer), f"{loaded.origins}"):
        assert CANARY not in shown
    assert repr(loaded.signer) == "SignerTable(backend='x', options=['login', 'token'])"


def test_repr_of_the_file_and_of_the_client_shows_no_secret(config: Path) -> None:
    with DfnsClient.from_config(config=config) as dfns:
        assert CANARY not in repr(dfns)
    assert CANARY not in repr(read_file(config))


def test_signer_table_shows_and_gives_away_no_option_unopened() -> None:
    table = load_profile(signer={"backend": "x", "token": CANARY, "login": {"pin": CANARY}}).signer
    assert table is not None

    assert table.options.open() == {"token": CANARY, "login": {"pin": CANARY}}
    for shown in (table.options, table.model_dump(), table.model_extra, table.model_copy()):
        assert CANARY not in repr(shown)
    with pytest.raises(TypeError, match="does not pickle"):
        pickle.dumps(table)
    with pytest.raises(PydanticSerializationError) as caught:
        table.model_dump_json()
    assert CANARY not in str(caught.value)


def test_passphrase_in_a_file_that_others_can_read_is_warned_of(
    folder: Path, key_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = write_config(folder, f"[profiles.p]\nsigner = 'pem:?path=key.pem&passphrase={CANARY}'")
    config.chmod(0o644)

    validated_options(load_profile("p", config=config))

    (record,) = caplog.records
    assert f"chmod 600 {config}" in record.getMessage()


def test_opening_a_key_is_logged_with_what_identifies_it(
    config: Path, key_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "dfns_signers")

    with load_signer(config=config) as signer:
        (message,) = [record.getMessage() for record in caplog.records]
        for part in ("Y2kt", "Ed25519", str(key_file), signer.key.fingerprint):
            assert part in message


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_file_with_a_token_that_others_can_read_is_warned_of(
    config: Path, caplog: pytest.LogCaptureFixture, mode: int
) -> None:
    config.chmod(mode)

    load_profile(config=config)

    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert f"chmod 600 {config}" in record.getMessage()


def test_file_with_a_token_that_only_its_owner_can_read_is_not_warned_of(
    config: Path, caplog: pytest.LogCaptureFixture
) -> None:
    load_profile(config=config)

    assert caplog.records == []


@pytest.mark.parametrize(
    "token", ["{ env = 'SOME_TOKEN' }", "{ file = 'token' }"], ids=["env", "file"]
)
def test_open_file_that_only_says_where_the_token_is_is_not_warned_of(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, token: str
) -> None:
    monkeypatch.setenv("SOME_TOKEN", CANARY)
    (folder / "token").write_text(CANARY, encoding="utf-8")
    config = write_config(folder, f"[profiles.p]\nauth_token = {token}")
    config.chmod(0o644)

    load_profile("p", config=config)

    assert caplog.records == []


def test_open_file_whose_token_is_overridden_is_not_warned_of(
    config: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("DFNS_AUTH_TOKEN", "from elsewhere")
    config.chmod(0o644)

    load_profile(config=config)

    assert caplog.records == []
