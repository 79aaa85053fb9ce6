"""A token that cannot be read stops the client that would send it, and nobody else."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dfns_signers import (
    AsyncDelegatedDfnsClient,
    AsyncDfnsClient,
    DelegatedDfnsClient,
    DfnsClient,
    load_signer,
)
from dfns_signers.config.loading import load_profile
from dfns_signers.errors import ConfigurationError
from tests.core.config.support import write_config

FROM_CONFIG = [
    DfnsClient.from_config,
    AsyncDfnsClient.from_config,
    DelegatedDfnsClient.from_config,
    AsyncDelegatedDfnsClient.from_config,
]
CLIENTS = pytest.mark.parametrize(
    "from_config", FROM_CONFIG, ids=lambda method: str(method.__qualname__)
)


def write_profile(folder: Path, token: str) -> Path:
    return write_config(
        folder,
        f"""
        [profiles.p]
        auth_token = {token}
        credential_id = "Y2kt"
        signer = "pem:?path=key.pem"
        """,
    )


@CLIENTS
def test_client_whose_token_variable_is_not_set_refused_with_place_key_and_name(
    folder: Path, key_file: Path, from_config: Callable[..., object]
) -> None:
    config = write_profile(folder, "{ env = 'NO_SUCH_TOKEN' }")

    with pytest.raises(ConfigurationError) as caught:
        from_config("p", config=config)

    assert str(caught.value) == (
        f"configuration file {config}, profile 'p', key 'auth_token': "
        "the environment variable NO_SUCH_TOKEN is not set"
    )


@CLIENTS
@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "No such file"), (b"", "is empty"), (b" \n", "is empty"), (b"\xff", "not UTF-8")],
)
def test_client_whose_token_file_has_no_token_refused_with_place_key_and_path(
    folder: Path,
    key_file: Path,
    from_config: Callable[..., object],
    content: bytes | None,
    reason: str,
) -> None:
    config = write_profile(folder, "{ file = 'token' }")
    if content is not None:
        (folder / "token").write_bytes(content)
        os.utime(folder / "token", (0, 0))

    with pytest.raises(ConfigurationError, match=reason) as caught:
        from_config("p", config=config)

    assert str(folder / "token") in str(caught.value)
    assert str(caught.value).startswith(
        f"configuration file {config}, profile 'p', key 'auth_token': "
    )
    assert ", found a" not in str(caught.value)


def test_client_whose_token_is_an_empty_text_refused_with_place_and_key(
    folder: Path, key_file: Path
) -> None:
    config = write_profile(folder, "''")

    with pytest.raises(ConfigurationError, match=r"key 'auth_token': the secret .* is empty"):
        DfnsClient.from_config("p", config=config)


def test_token_argument_that_cannot_be_read_is_told_as_an_argument(
    folder: Path, key_file: Path
) -> None:
    config = write_profile(folder, "'token'")

    with pytest.raises(ConfigurationError, match=r"^argument, key 'auth_token': "):
        DfnsClient.from_config("p", config=config, auth_token={"env": "NO_SUCH_TOKEN"})


@CLIENTS
@pytest.mark.parametrize("token", ["se cret", "se\ncret", "secrét"])
def test_malformed_token_is_refused_at_once_naming_its_place_and_not_repeated(
    folder: Path, key_file: Path, from_config: Callable[..., object], token: str
) -> None:
    config = write_profile(folder, "'token'")

    with pytest.raises(
        ConfigurationError, match=r"^argument, key 'auth_token': .*malformed"
    ) as caught:
        from_config("p", config=config, auth_token=token)

    assert token not in str(caught.value)


@pytest.mark.parametrize("token", ["{ env = 'NO_SUCH_TOKEN' }", "{ file = 'token' }", "''"])
def test_profile_is_loaded_and_signs_though_its_token_cannot_be_read(
    folder: Path, key_file: Path, token: str
) -> None:
    config = write_profile(folder, token)

    loaded = load_profile("p", config=config)
    with load_signer("p", config=config) as signer:
        assertion = signer.sign({"challenge": "Y2g"})

    assert loaded.settings.auth_token is not None
    assert not loaded.settings.auth_token.is_readable()
    assert assertion["kind"] == "Key"


def test_token_that_can_be_read_by_then_is_used_though_it_could_not_be_at_load(
    folder: Path,
) -> None:
    config = write_profile(folder, "{ file = 'token' }")
    token = load_profile("p", config=config).settings.auth_token
    (folder / "token").write_text("arrived later\n", encoding="utf-8")

    assert token is not None
    assert token.reveal() == "arrived later"


def test_secret_of_a_backend_that_cannot_be_read_is_refused_when_the_key_is_opened(
    folder: Path, key_file: Path
) -> None:
    config = write_config(
        folder,
        """
        [profiles.p]
        credential_id = "Y2kt"
        signer = { backend = "pem", path = "key.pem", passphrase = { env = "NO_SUCH_SECRET" } }
        """,
    )

    with pytest.raises(ConfigurationError) as caught:
        load_signer("p", config=config)

    assert str(caught.value) == (
        f"configuration file {config}, profile 'p', signer 'pem', key 'passphrase': "
        "the environment variable NO_SUCH_SECRET is not set"
    )
